"""What the readers of other tools' rules share: ids, and rules that carry no examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.errors import RuleError
from scanner_tasks.detect import fields
from scanner_tasks.detect.patterns import CannotCarry, carry
from scanner_tasks.detect.ruleset import MAX_WIDTH_BYTES, Rule, make_rule
from scanner_tasks.rules.pack import Note

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_OF_AN_ID = re.compile(r"[^a-z0-9_]+")


class Reading:
    """One foreign file being read: rules, notes, and errors that name it."""

    def __init__(self, source: str, prefix: str) -> None:
        self.source = source
        self.notes: list[Note] = []
        self.rules: list[Rule] = []
        self._prefix = prefix
        self._names: dict[str, str] = {}

    def wrong(self, told: str, what: str) -> RuleError:
        """An error that names the file, the rule as its author calls it, and what is wrong."""
        return RuleError(f"{self.source}: rule {told!r}: {what}")

    def note(self, told: str, message: str) -> None:
        """Tell what is otherwise than where the rule was written."""
        self.notes.append(Note(self.source, told, message))

    def rule_id(self, told: str) -> str:
        """Our id for a rule that its author calls so: ``gitleaks.aws_access_token``."""
        name = _NOT_OF_AN_ID.sub("_", told.lower()).strip("_") or "rule"
        made = f"{self._prefix}.{name}"
        if made in self._names:
            raise self.wrong(told, f"it becomes {made}, and so does {self._names[made]!r}: rename one of them")
        self._names[made] = told
        return made

    def pattern(self, told: str, pattern: str, *, group: int = 0) -> str:
        """The pattern as our engine takes it; RuleError names what RE2 lacks."""
        try:
            carried = carry(pattern, group=group, max_bytes=MAX_WIDTH_BYTES)
        except CannotCarry as error:
            raise self.wrong(told, f"its pattern cannot be carried: {error}") from None
        if carried.bound:
            self.note(told, f"repeats without upper bound are read up to {carried.bound}")
        return carried.pattern

    def regexes(self, told: str, patterns: Iterable[str]) -> tuple[str, ...]:
        """Patterns that are only searched for, each checked."""
        made = tuple(patterns)
        for pattern in made:
            fields.regex(pattern, lambda what: self.wrong(told, f"a pattern of its allow list or path: {what}"))
        return made

    def add(self, told: str, **values: Any) -> None:
        """A rule more; RuleError names what is wrong with it."""
        self.rules.append(
            make_rule(values, wrong=lambda name, what: self.wrong(told, f"field {name}: {what}"), proven=False)
        )

    def texts(self, told: str, name: str, value: object) -> tuple[str, ...]:
        """A list of texts of a field, empty where there is none; an entry that stands twice counts once."""
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, (str, int, float)) for item in value):
            raise self.wrong(told, f"{name} must be a list of texts")
        if any(isinstance(item, bool) for item in value):
            raise self.wrong(told, f"{name} must be a list of texts: write yes, no, on, off in quotes")
        return tuple(dict.fromkeys(str(item) for item in value if str(item)))
