"""A finding explained: what made one of its occurrences, in sentences and in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import FindingNotFound, InvalidInput
from scanner_tasks.core.model import Confidence
from scanner_tasks.core.rights import Permission
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.findings import find_finding

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks.core.model import Finding, Occurrence
    from scanner_tasks.detect.explain import Part
    from scanner_tasks.detect.ruleset import Rule
    from scanner_tasks.flow.parts import Api


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """Why a finding is one."""

    finding: Finding
    #: The occurrence explained, from 1, and the occurrence itself.
    number: int
    occurrence: Occurrence
    #: The rule's name; None where it no longer exists.
    rule_name: str | None
    #: Of the occurrence; the finding's is the highest of all of them.
    confidence: Confidence
    parts: tuple[Part, ...]
    why_not_higher: str
    #: Where the severity comes from, in a sentence.
    why_severity: str
    #: False when the rules have changed since: the finding's job had others.
    rules_are_current: bool

    @property
    def lines(self) -> tuple[str, ...]:
        """The explanation for people, a sentence a line; nothing in the clear."""
        finding, at = self.finding, self.occurrence.location
        place = f"line {at.line}, column {at.column}{f' ({at.path})' if at.path else ''}"
        kept = len(finding.occurrences)
        lines = [
            f"{finding.rule_id}{f' ({self.rule_name})' if self.rule_name else ''}: {self.occurrence.masked}",
            f"Occurrence {self.number} of {kept} kept, {finding.count:,} counted; {place}.",
            *(part.text for part in self.parts),
            f"Why not higher: {self.why_not_higher}",
            self.why_severity,
        ]
        lines += [
            f"Column {column.name}: {100 * column.valid // column.rows} % of {column.rows:,} rows hold one."
            for column in finding.columns
        ]
        if finding.allowed:
            lines.append(f"Beside these, {finding.allowed:,} occurrences are on allow lists and are not counted.")
        if not self.rules_are_current:
            lines.append("The rules have changed since: what is said of the rule is as it is now.")
        return tuple(lines)


def explain_finding(finding_id: UUID, *, occurrence: int = 1, job_id: UUID | None = None, using: Api) -> Explained:
    """Explain an occurrence, counted from 1, of the finding as the youngest job that has it left it, or the given job.

    Raises FindingNotFound, or InvalidInput when the finding keeps fewer occurrences.
    """
    # Imported here: the API's Lambda starts without the rules.
    from scanner_tasks.detect.explain import explain  # noqa: PLC0415

    with transaction(using.engine) as connection:
        found = find_finding(connection, finding_id, job_id=job_id)
    if found is None or not using.caller.may(Permission.READ, found[0].bucket):
        raise FindingNotFound(finding_id)
    finding, job_hash = found
    kept = len(finding.occurrences)
    if not 1 <= occurrence <= kept:
        raise InvalidInput(f"occurrence: the finding keeps {kept} of its {finding.count}: give 1 to {kept}.")
    place = finding.occurrences[occurrence - 1]
    rule = next((rule for rule in using.ruleset().rules if rule.id == finding.rule_id), None)
    told = next((words for words in place.evidence if words.startswith("confidence ")), "")
    confidence = Confidence(told.removeprefix("confidence ") or finding.confidence)
    explanation = explain(place.evidence, confidence, rule)
    return Explained(
        finding=finding,
        number=occurrence,
        occurrence=place,
        rule_name=rule.name if rule else None,
        confidence=confidence,
        parts=explanation.parts,
        why_not_higher=explanation.why_not_higher,
        why_severity=_why_severity(finding, rule),
        rules_are_current=using.ruleset_hash() == job_hash,
    )


def _why_severity(finding: Finding, rule: Rule | None) -> str:
    """Where the severity comes from."""
    said = f"Severity {finding.severity}: "
    if rule is None or rule.severity_at(finding.count) is not finding.severity:
        return said + "as the rule was when it was found."
    reached = [count for count, _ in rule.severity_by_count if finding.count >= count]
    return said + (f"{finding.count:,} occurrences reach {reached[-1]:,}." if reached else "the rule's own.")
