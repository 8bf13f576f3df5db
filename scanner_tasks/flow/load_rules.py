"""The rules that this installation runs: built-in ones and the packs that its settings name, from files and from S3."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.errors import ObjectError, RuleError
from scanner_tasks.core.model import Confidence
from scanner_tasks.core.names import check_bucket, check_key
from scanner_tasks.core.rule_changes import RulePart, RulesetParts
from scanner_tasks.detect.ruleset import ENGINE_VERSION
from scanner_tasks.detect.validators import MISSES
from scanner_tasks.rules.load import MAX_BYTES, Loaded, combine, read_source
from scanner_tasks.rules.pack import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.resources.abc import Traversable

    from scanner_tasks.core.ports import Objects
    from scanner_tasks.detect.ruleset import Rule, Ruleset
    from scanner_tasks.settings import Settings

_S3: Final = "s3://"
#: Packages whose code decides what is found in the same bytes.
_DECIDING: Final = ("scanner_tasks.detect", "scanner_tasks.extract")
#: Settings that end a read, or change what is kept.
_BUDGETS: Final = (
    "text_max_bytes",
    "object_max_s",
    "object_max_bytes",
    "occurrences_kept",
    "depth_max",
    "ratio_max",
    "ratio_free_bytes",
    "members_max",
    "rows_max",
    "pages_max",
    "spool_max_bytes",
    "whole_max_bytes",
    "child_memory_bytes",
    "ranges_above_bytes",
    "range_bytes",
)


def load_rules(names: Sequence[str], objects: Callable[[], Objects], *, builtin: bool = True) -> Loaded:
    """The rules of these packs, paths or ``s3://bucket/key``, with the built-in ones.

    Args:
        names: the packs.
        objects: makes what reads S3, only called for a pack in S3.
        builtin: whether the built-in rules run too.

    Raises:
        RuleError: a pack cannot be read, or is wrong; the message names it.
        Unavailable: S3 did not answer.
    """
    return combine(
        [_from_s3(name, objects()) if name.startswith(_S3) else read_source(Path(name)) for name in names],
        builtin=builtin,
    )


def _from_s3(name: str, objects: Objects) -> Source:
    bucket, _, key = name.removeprefix(_S3).partition("/")
    check_bucket(bucket)
    if not key:
        raise RuleError(f"{name}: give the object's key too: s3://bucket/key")
    try:
        with objects.open(objects.head(bucket, check_key(key, "key"))) as body:
            return Source(name=name, content=body.read(MAX_BYTES + 1))
    except ObjectError as error:
        raise RuleError(f"{name}: cannot be read: {error}") from None


def ruleset_hash(ruleset: Ruleset, settings: Settings) -> str:
    """16 hex digits of all that decides what a scan finds: rules with thresholds and allow lists, budgets, code."""
    budgets = " ".join(str(getattr(settings, name)) for name in _BUDGETS)
    told = f"{ruleset.content_hash} {budgets} {code_hash()}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def ruleset_parts(ruleset: Ruleset, settings: Settings) -> RulesetParts:
    """The same in parts, so that of two rulesets it can be told what differs."""
    return RulesetParts(
        ruleset_hash=ruleset_hash(ruleset, settings),
        code=f"{ENGINE_VERSION} {code_hash()}",
        budgets={name: float(getattr(settings, name)) for name in _BUDGETS},
        rules={rule.id: _part(rule) for rule in ruleset.rules},
    )


def _part(rule: Rule) -> RulePart:
    return RulePart(
        looks_for=rule.looks_for,
        yields=rule.yields,
        by_chance=rule.validator in MISSES,
        is_on=rule.enabled,
        severities=((0, str(rule.severity)), *((count, str(severity)) for count, severity in rule.severity_by_count)),
        threshold=str(rule.threshold or Confidence.MEDIUM),  # the detector's own where the rule has none
        allow=tuple(sorted(each.digest[:16] for each in rule.allow)),
        mask=rule.mask,
    )


@cache
def code_hash() -> str:
    """Hash of the deciding packages' source text, whatever its line ends: no version that somebody forgets to raise."""
    digest = hashlib.sha256()
    for package in _DECIDING:
        for file in sorted(_sources(resources.files(package)), key=lambda file: file.name):
            digest.update(f"{package}/{file.name}\n".encode())
            digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _sources(folder: Traversable) -> list[Traversable]:
    return [file for file in folder.iterdir() if file.name.endswith(".py")]
