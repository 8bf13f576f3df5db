"""Why a finding is one, in sentences, for reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.model import Confidence
from scanner_tasks.detect.explain import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner_tasks.core.model import Finding
    from scanner_tasks.detect.ruleset import Rule

_PATTERN = "It has the shape that the rule's pattern asks for."


def why(rules: Iterable[Rule]) -> Callable[[Finding], tuple[str, ...]]:
    """Explains findings of these rules by their first place; the patterns themselves are left out, they are long."""
    known = {rule.id: rule for rule in rules}
    told: dict[tuple[str, tuple[str, ...], Confidence], tuple[str, ...]] = {}

    def explained(finding: Finding) -> tuple[str, ...]:
        if not finding.occurrences:
            return ()
        evidence = finding.occurrences[0].evidence
        key = (finding.rule_id, evidence, finding.confidence)
        if key not in told:
            said = next((words for words in evidence if words.startswith("confidence ")), "")
            confidence = Confidence(said.removeprefix("confidence ") or finding.confidence)
            explanation = explain(evidence, confidence, known.get(finding.rule_id))
            parts = [_PATTERN if part.kind == "pattern" and not part.name else part.text for part in explanation.parts]
            told[key] = (*parts, f"Why not higher: {explanation.why_not_higher}")
        return told[key]

    return explained
