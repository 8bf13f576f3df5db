"""A rule as JSON: the words of GET /rules and of ``s3scan rules --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scanner_tasks.detect.ruleset import Rule


def told(rule: Rule) -> dict[str, Any]:
    """Every field of the rule; allow lists by their names, severities by count as ``high from 100``."""
    fields = {name: getattr(rule, name) for name in rule.__dataclass_fields__}
    fields["allow"] = [each.name for each in rule.allow]
    fields["severity_by_count"] = [f"{severity} from {count}" for count, severity in rule.severity_by_count]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
