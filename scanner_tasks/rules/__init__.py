"""The built-in rules, as data: one TOML file for each family."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import RuleError
from scanner_tasks.detect.ruleset import Rule, Ruleset, merge, parse_rules

if TYPE_CHECKING:
    from pathlib import Path


@cache
def load_builtin() -> Ruleset:
    """The rules that ship with the scanner, files in order of their names."""
    return merge(builtin_families().values())


@cache
def builtin_families() -> dict[str, tuple[Rule, ...]]:
    """The built-in rules by family: the name of the file that holds them."""
    files = sorted((f for f in resources.files(__name__).iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): _read(f.read_bytes(), f.name) for f in files}


def load_files(paths: tuple[Path, ...]) -> Ruleset:
    """The rules of these files; RuleError names the file, the rule and the field that is wrong."""
    parts = []
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RuleError(f"{path.name}: cannot be read: {error.strerror}") from None
        parts.append(_read(content, path.name))
    return merge(parts)


def _read(content: bytes, source: str) -> tuple[Rule, ...]:
    try:
        document = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleError(f"{source}: not TOML: {error}") from None
    return parse_rules(document, source=source)
