"""Whether what was found fails a build: ``high``, or ``new:medium`` beside a baseline."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.model import Severity
from scanner_tasks.report.shapes import SEVERITIES, object_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner_tasks.core.model import Finding

_NEW = "new:"


@dataclass(frozen=True, slots=True)
class FailOn:
    """Which findings are over the threshold."""

    severity: Severity
    #: Only those that the baseline does not have.
    only_new: bool = False


@dataclass(slots=True)
class _Known:
    count: int = 0
    kept: int = 0
    fingerprints: set[str] = field(default_factory=set)


def read_fail_on(text: str) -> FailOn:
    """The threshold that the text names; InvalidInput otherwise.

    Examples:
        >>> read_fail_on("new:medium")
        FailOn(severity=<Severity.MEDIUM: 'medium'>, only_new=True)
    """
    word = text.removeprefix(_NEW)
    if word not in {*Severity}:
        raise InvalidInput(f"--fail-on: give {', '.join(Severity)}, or one of them behind new: as in new:medium.")
    return FailOn(Severity(word), only_new=text.startswith(_NEW))


class Baseline:
    """What an earlier scan had found, from its lines of JSON."""

    def __init__(self, lines: Iterable[str], name: str) -> None:
        self._known: dict[tuple[str, str], _Known] = {}
        try:
            for line in lines:
                if line.strip():
                    self._add(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidInput(
                f"--baseline: {name}: it is not what `s3scan scan --format jsonl` or `s3scan export` wrote."
            ) from None

    def _add(self, told: dict[str, Any]) -> None:
        known = self._known.setdefault((told["object"], told["rule"]), _Known())
        known.count += int(told["count"])
        known.kept += len(told["occurrences"])
        known.fingerprints |= {str(place.get("fingerprint", "")) for place in told["occurrences"]}

    def is_new(self, finding: Finding) -> bool:
        """True when the rule was not found in the object, or less often, or another value was.

        Values can only be compared where both scans had the same fingerprint key (S3SCAN_FINGERPRINT_KEY), and all
        places of the earlier finding were kept.
        """
        known = self._known.get((object_name(finding.bucket, finding.key, finding.version_id), finding.rule_id))
        if known is None or finding.count > known.count:
            return True
        if known.kept < known.count:
            return False
        keys = {print_.partition(":")[0] for print_ in known.fingerprints}
        seen = {place.fingerprint for place in finding.occurrences if place.fingerprint.partition(":")[0] in keys}
        return bool(seen - known.fingerprints)


def is_over(finding: Finding, fail_on: FailOn, baseline: Baseline | None) -> bool:
    """True for a finding over the threshold."""
    if SEVERITIES.index(finding.severity) < SEVERITIES.index(fail_on.severity):
        return False
    return not fail_on.only_new or baseline is None or baseline.is_new(finding)
