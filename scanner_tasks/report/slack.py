"""A summary that Slack's incoming webhooks take, and whoever understands theirs (Mattermost, Rocket.Chat, …).

Limits: 50 blocks, 3,000 characters of text in one (Slack API, "Block Kit").
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.model import Severity
from scanner_tasks.report.batches import cut
from scanner_tasks.report.shapes import RuleAbout, object_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner_tasks.core.model import Finding

_TEXT: Final = 2900
_TOP: Final = 10


def slack(
    findings: Iterable[Finding], about: Callable[[str], RuleAbout], *, title: str, coverage: str
) -> dict[str, Any]:
    """The message: findings by severity, the worst objects, the rules found most, what was covered. No values.

    Args:
        findings: any number; they are counted, not kept.
        about: tells of a rule.
        title: what was scanned.
        coverage: one sentence on what was read and what was not.
    """
    by_severity: Counter[Severity] = Counter()
    by_rule: Counter[str] = Counter()
    by_object: Counter[str] = Counter()
    for finding in findings:
        by_severity[finding.severity] += 1
        by_rule[finding.rule_id] += 1
        by_object[object_name(finding.bucket, finding.key, finding.version_id)] += finding.count
    told = ", ".join(f"{by_severity[s]:,} {s}" for s in reversed(Severity) if by_severity[s]) or "no findings"
    head = f"{title}: {told}"
    blocks = [_section(f"*{escaped(cut(title, 200))}*\n{told}\n{escaped(coverage)}")]
    if by_rule:
        rules = "\n".join(f"• {escaped(about(rule).name)} `{rule}`: {n:,}" for rule, n in by_rule.most_common(_TOP))
        objects = "\n".join(f"• {escaped(cut(name, 150))}: {n:,} places" for name, n in by_object.most_common(_TOP))
        blocks += [_section(f"*Rules*\n{rules}"), _section(f"*Objects*\n{objects}")]
    return {"text": escaped(cut(head, _TEXT)), "blocks": blocks}


def escaped(text: str) -> str:
    """Text in which Slack sees neither links nor mentions, and no formatting of other people's names.

    Examples:
        >>> escaped("<!channel> a&b")
        '&lt;!channel&gt; a&amp;b'
    """
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.translate({ord("*"): "∗", ord("`"): "ˋ", ord("~"): "∼", ord("\n"): " "})  # noqa: RUF001 (they look alike on purpose)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(text, _TEXT)}}
