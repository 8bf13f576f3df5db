"""What almost was a value of one rule, and which check said no. Nothing of the text leaves this in the clear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.core.redact import mask
from scanner_tasks.detect import banking, cards
from scanner_tasks.detect.compiled import RANK
from scanner_tasks.detect.gate import LINE_BYTES
from scanner_tasks.detect.header import find_header
from scanner_tasks.detect.table import LINE_BYTES as HEADER_BYTES
from scanner_tasks.detect.validators import VALIDATORS, described
from scanner_tasks.detect.whole import CodePoints, Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner_tasks.detect.compiled import CompiledRule, Spans, Value
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.detect.ruleset import Rule

_NOT_ALPHANUMERIC: Final = re.compile(rb"[^0-9A-Za-z]")
#: Keywords that a sentence names before it says how many more there are.
_NAMED: Final = 5


class Candidate(NamedTuple):
    """A match of the rule's pattern."""

    #: From 1.
    line: int
    column: int
    #: Letters and digits starred.
    masked: str
    is_found: bool
    #: Why it is no finding, or what speaks for it if it is one.
    reasons: tuple[str, ...]


def candidates(detector: Detector, rule_id: str, text: str, *, name: str = "") -> list[Candidate]:
    """Every match of the rule in a text, in order; one that overlaps another that is found is left out.

    ``name`` is that of the object, for rules and allow lists with paths. KeyError when the detector lacks the rule.
    """
    compiled = {each.rule.id: each for each in detector.rules}[rule_id]
    data = text.encode("utf-8", "replace")
    points, lines = CodePoints(data), Lines(text)
    judged = list(_judged(detector, compiled, data, name))
    found = [(start, end) for start, end, is_found, _ in judged if is_found]
    made, last_end = [], 0
    for start, end, is_found, reasons in judged:
        hidden = not is_found and (start < last_end or any(start < b and a < end for a, b in found))
        if hidden:
            continue
        last_end = end
        masked = mask(data[start:end].decode("utf-8", "replace"), "all")
        made.append(Candidate(*lines.at(points.at(start)), masked, is_found, reasons))
    return made


def _judged(
    detector: Detector, compiled: CompiledRule, data: bytes, name: str
) -> Iterator[tuple[int, int, bool, tuple[str, ...]]]:
    """Start and end of each match, whether it is found, and why."""
    found = find_header(data[:HEADER_BYTES])
    columns = compiled.columns(found[0]) if found is not None else None
    at = 0
    while match := compiled.find(data, at, len(data) + 1):
        why: list[str] = []
        value = compiled.judge(data, match, None, columns, None, tell=True, why=why)
        if value is None:
            start, end, _ = compiled.span(match)
            yield start, end, False, tuple(_said(reason, compiled, data, (start, end)) for reason in why)
            at = match[0][0] + 1
            continue
        reasons = tuple(_not_reported(detector, compiled, data, match, value, name))
        told = (*value.evidence, f"confidence {value.confidence}")
        yield value.start, value.end, not reasons, reasons or told
        at = max(value.end, match[0][0] + 1)


def _said(reason: str, compiled: CompiledRule, data: bytes, span: tuple[int, int]) -> str:
    """A reason of ``CompiledRule.judge`` as a sentence."""
    rule = compiled.rule
    if reason == "validator":
        return _invalid(rule.validator, data[slice(*span)])
    if reason == "label":
        return f"the word directly before it names it as something else ({_some(rule.against)})"
    if reason == "column":
        return f"the name of its column speaks of something else ({_some(rule.against)})"
    if reason == "keyword":
        return needs_keyword(rule)
    return reason


def needs_keyword(rule: Rule) -> str:
    """What a match lacks that has no keyword near it."""
    reach = f"{rule.proximity} characters before it"
    if rule.proximity_after:
        reach += f" or {rule.proximity_after} after it"
    need = "every match of this rule needs one" if rule.keyword_required else "bare or doubtful as it is, it needs one"
    return f"no keyword stands within {reach}, and {need} ({_some(rule.keywords)})"


def _some(words: tuple[str, ...]) -> str:
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more


def _invalid(name: str, value: bytes) -> str:
    """Which part of the validator said no."""
    wanted = f"the check {name} wants: {described(name).removesuffix('.')}"
    if VALIDATORS[name](value, b"", b"") is not None:
        return f"what stands directly beside it makes it part of something else; {wanted}"
    part = _part(name, value)
    return f"{part}; {wanted}" if part else f"the value itself does not stand; {wanted}"


def _part(name: str, value: bytes) -> str:
    """What exactly is wrong with a value, for the checks that users ask about most; else empty."""
    compact = _NOT_ALPHANUMERIC.sub(b"", value).upper()
    if name == "payment_card" and compact.isdigit():
        if cards.issuer_certainty(compact) is None:
            return "no issuer gives out numbers that begin so and are so long"
        return "" if cards.luhn(compact) else "its check digit (Luhn) does not fit"
    if name == "us_ssn":
        return "its area, group or serial number is never given out"
    if name == "iban" and not banking.iban_length(compact):
        return "its country, length or check digits (modulus 97) do not fit"
    return ""


def _not_reported(  # noqa: PLR0917 (what a value is)
    detector: Detector, compiled: CompiledRule, data: bytes, match: Spans, value: Value, name: str
) -> Iterator[str]:
    """Why a sound value is not reported."""
    rule = compiled.rule
    if not rule.enabled:
        yield "the rule is turned off"
    threshold = rule.threshold or detector.threshold
    if RANK[value.confidence] < RANK[threshold]:
        told = "; ".join(value.evidence)
        yield f"its confidence is {value.confidence}, and {threshold} is the least that is reported ({told})"
    if value.is_test and not detector.test_values:
        yield "it is a value that was published as an example"
    gate = compiled.gate
    if gate is None:
        return
    if not gate.concerns(name, ""):
        yield "the rule looks only into objects with other names"
    # As the engine does, nothing further away than a line's reach is read.
    first = max(0, match[0][0] - LINE_BYTES - 1)
    span = (match[0][0] - first, match[0][1] - first)
    window = data[first : match[0][1] + LINE_BYTES + 1]
    if by := gate.allowed_by(window, span, value.start - first, value.end - first, detector.marks, (name, "")):
        yield f"the allow list {by!r} allows it"
