"""Two scans side by side: what is new, what is gone, what only moved to another object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from scanner_tasks.core.model import Finding


@dataclass(frozen=True, slots=True)
class Moved:
    """A finding that went, and the one that holds a value of it now."""

    before: Finding
    after: Finding


@dataclass(frozen=True, slots=True)
class Changed:
    """A finding that both scans have, with another count."""

    before: Finding
    after: Finding


@dataclass(kw_only=True)
class Comparison:
    """Every finding of both scans is in exactly one of these; ``same`` counts those without a difference."""

    new: list[Finding] = field(default_factory=list)
    fixed: list[Finding] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    same: int = 0

    @property
    def marks(self) -> dict[UUID, str]:
        """new, moved or changed, by the id of a finding of the later scan."""
        return {
            **{finding.finding_id: "new" for finding in self.new},
            **{pair.after.finding_id: "moved" for pair in self.moved},
            **{pair.after.finding_id: "changed" for pair in self.changed},
        }


def compare(before: Iterable[Finding], after: Iterable[Finding]) -> Comparison:
    """Compare by finding id; a finding moved when its rule and one of its kept values stand in another object now.

    Values are known by their fingerprints: those of one key can be compared. An object that the later scan did not read
    to its end makes its findings look fixed: say what was not read beside it. Holds both scans in memory.
    """
    former = {finding.finding_id: finding for finding in before}
    told, only_after = Comparison(), []
    for finding in after:
        known = former.pop(finding.finding_id, None)
        if known is None:
            only_after.append(finding)
        elif known.count != finding.count:
            told.changed.append(Changed(known, finding))
        else:
            told.same += 1
    by_value: dict[tuple[str, str], list[UUID]] = {}
    for gone in former.values():
        for place in gone.occurrences:
            by_value.setdefault((gone.rule_id, place.fingerprint), []).append(gone.finding_id)
    for finding in only_after:
        ids = (
            known_id
            for place in finding.occurrences
            for known_id in by_value.get((finding.rule_id, place.fingerprint), ())
        )
        source = next((former.pop(known_id) for known_id in ids if known_id in former), None)
        if source is None:
            told.new.append(finding)
        else:
            told.moved.append(Moved(source, finding))
    told.fixed = list(former.values())
    return told
