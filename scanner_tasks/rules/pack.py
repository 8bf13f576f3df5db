"""What one file of rules holds, whatever its form; one file for each form reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from scanner_tasks.core.model import Confidence, Severity
    from scanner_tasks.detect.gate import AllowList
    from scanner_tasks.detect.ruleset import Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file of rules: its name as users know it, and what it holds."""

    name: str
    content: bytes


class Note(NamedTuple):
    """What of a pack works otherwise than where it was written, or not at all; never a reason to stop."""

    source: str
    #: Empty for the pack as a whole.
    rule_id: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoped:
    """An allow list with the rules that it is for, as globs of their ids."""

    rules: tuple[str, ...]
    allow: AllowList


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """What a user changes of rules, named by globs of their ids; None leaves a field as it is."""

    rules: tuple[str, ...]
    enabled: bool | None = None
    severity: Severity | None = None
    severity_by_count: tuple[tuple[int, Severity], ...] | None = None
    threshold: Confidence | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """What a file of rules holds."""

    rules: tuple[Rule, ...] = ()
    allow: tuple[Scoped, ...] = ()
    overrides: tuple[Override, ...] = ()
    notes: tuple[Note, ...] = ()
