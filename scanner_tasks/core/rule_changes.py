"""What a change of the rules can do to the findings of an object that has not changed; decisions/0014 has the proofs.

A rule's effect on other rules (which value is whose, what contexts mask) depends on what it looks for alone, never on
whether it is on, its severities, its threshold or its allow lists. So of rules that look for the same as before:

    turned off                     its findings go; every other finding stays as it is
    other severities               its findings get the severity of their count
    a higher threshold, more       an object without a finding of it has none now either; one with any is read again
    allow lists, another mask
    anything else                  only the content tells: everything is read again
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Budgets whose end is always told as partial, and partial objects are no base: larger ones change nothing else.
GROWING: Final = frozenset(
    {
        *("text_max_bytes", "object_max_s", "object_max_bytes", "depth_max", "ratio_max", "ratio_free_bytes"),
        *("members_max", "rows_max", "pages_max"),
    }
)
#: How many places a finding keeps: objects with any finding are read again.
KEPT: Final = "occurrences_kept"
#: An object larger than the first is read in ranges of the second.
RANGES: Final = ("ranges_above_bytes", "range_bytes")
_EVERYTHING: Final = "every object is scanned again."
_RANK: Final = {"low": 0, "medium": 1, "high": 2}
#: Ids that a sentence names.
_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class RulePart:
    """What of a rule decides which findings there are, in parts that can change one by one."""

    #: Hash of what it looks for: all but the fields below that say otherwise.
    looks_for: str
    #: Both are in ``looks_for`` too.
    yields: bool = False
    #: Its values may pass by chance, so that how many there are decides whether any is told.
    by_chance: bool = False
    is_on: bool = True
    #: From so many occurrences on, ascending; the first from 0.
    severities: tuple[tuple[int, str], ...] = ()
    #: Least confidence that is told.
    threshold: str = "medium"
    #: Digests of its allow lists, sorted.
    allow: tuple[str, ...] = ()
    mask: str = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class RulesetParts:
    """A ruleset by its parts."""

    #: Of all of it, as jobs keep it.
    ruleset_hash: str
    #: Hash of the code that reads and detects.
    code: str
    budgets: Mapping[str, float]
    #: By id.
    rules: Mapping[str, RulePart]


@dataclass(frozen=True, kw_only=True, slots=True)
class RulesChange:
    """What a job may take over from one with other rules."""

    #: Why nothing; None when something is.
    refusal: str | None = None
    #: Ids of rules whose findings go.
    gone: tuple[str, ...] = ()
    #: Whose findings get another severity.
    reweighed: tuple[str, ...] = ()
    #: Objects with findings of these are scanned again.
    narrowed: tuple[str, ...] = ()
    #: Objects with findings of any rule are.
    narrows_all: bool = False
    #: Objects larger than this are; None for no size.
    up_to_bytes: int | None = None
    #: Settings that are larger now.
    grown: tuple[str, ...] = field(default=())

    @property
    def note(self) -> str | None:
        """What is done, in one sentence for each; None when nothing is taken over."""
        if self.refusal is not None:
            return None
        told = [
            (self.gone, "Findings are dropped of rules that are off or gone: {}."),
            (self.reweighed, "Findings get other severities: {}."),
            (self.narrowed, "Objects with findings of these rules are scanned again: {}."),
            (self.grown, "Larger budgets matter to objects that were read in part alone: {}."),
        ]
        sentences = [text.format(_some(ids)) for ids, text in told if ids]
        if self.narrows_all:
            sentences.append("Objects with findings are scanned again, since another number of places is kept.")
        if self.up_to_bytes is not None:
            sentences.append(f"Objects above {self.up_to_bytes:,} bytes are scanned again, since ranges have changed.")
        return " ".join(["The rules have changed in ways whose effect is known.", *sentences])


def change_of(old: RulesetParts | None, new: RulesetParts | None) -> RulesChange:
    """What findings under the old ruleset say about the new one.

    Examples:
        >>> rule = RulePart(looks_for="a")
        >>> parts = lambda **rules: RulesetParts(ruleset_hash="h", code="c", budgets={}, rules=rules)
        >>> change_of(parts(a=rule), parts(a=RulePart(looks_for="a", is_on=False))).gone
        ('a',)
        >>> change_of(parts(a=rule), parts(a=rule, b=rule)).refusal
        'Rules are new or on again (b): every object is scanned again.'
    """
    if old is None or new is None:
        return RulesChange(refusal=f"It is not known any more which rules that job had: {_EVERYTHING}")
    if old.code != new.code:
        return RulesChange(refusal=f"The scanner itself has changed since: {_EVERYTHING}")
    changed = {name for name in {*old.budgets, *new.budgets} if old.budgets.get(name) != new.budgets.get(name)}
    grown = {n for n in changed & GROWING if n in old.budgets and new.budgets.get(n, 0) > old.budgets[n]}
    if other := changed - grown - {KEPT, *RANGES}:
        return RulesChange(
            refusal=f"Settings have changed that may matter to any object ({_some(other)}): {_EVERYTHING}"
        )
    if refusal := _refusal(old.rules, new.rules):
        return RulesChange(refusal=f"{refusal}: {_EVERYTHING}")
    both = {rule_id: (was, new.rules[rule_id]) for rule_id, was in old.rules.items() if rule_id in new.rules}
    on = {rule_id: (was, now) for rule_id, (was, now) in both.items() if now.is_on}
    return RulesChange(
        gone=_ids(i for i, was in old.rules.items() if was.is_on and i not in on),
        reweighed=_ids(i for i, (was, now) in on.items() if was.severities != now.severities),
        narrowed=_ids(i for i, (was, now) in on.items() if was.is_on and _gate(was) != _gate(now)),
        narrows_all=KEPT in changed,
        up_to_bytes=whole_up_to(old.budgets, new.budgets),
        grown=_ids(grown),
    )


def whole_up_to(old: Mapping[str, float], new: Mapping[str, float]) -> int | None:
    """Objects up to so many bytes are read in one go under both; None where ranges have not changed.

    Examples:
        >>> whole_up_to({"ranges_above_bytes": 9, "range_bytes": 2}, {"ranges_above_bytes": 5, "range_bytes": 2})
        5
    """
    if all(old.get(name) == new.get(name) for name in RANGES):
        return None
    return int(min(old.get(RANGES[0], 0), new.get(RANGES[0], 0)))


def _refusal(old: Mapping[str, RulePart], new: Mapping[str, RulePart]) -> str | None:
    """Why only the content tells, in half a sentence; None where what is known of the findings does."""
    on_again = [i for i, now in new.items() if now.is_on and not (i in old and old[i].is_on)]
    unknown = [i for i in new if i not in old]
    if on_again or unknown:
        return f"Rules are new or on again ({_some({*on_again, *unknown})})"
    if changed := [i for i, now in new.items() if old[i].looks_for != now.looks_for or _may_tell_more(old[i], now)]:
        return f"Rules have changed ({_some(changed)})"
    owners = [i for i, was in old.items() if i not in new and not was.yields]
    if owners and any(now.yields and now.is_on for now in new.values()):
        return (
            f"Rules are gone ({_some(owners)}) that kept generic ones from telling the same values; turned off by an "
            "override instead, they would cost nothing"
        )
    return None


def _may_tell_more(was: RulePart, now: RulePart) -> bool:
    """Whether a rule that looks for the same may tell something in an object in which it told nothing."""
    if not now.is_on or _gate(was) == _gate(now):
        return False
    fewer = _RANK[now.threshold] >= _RANK[was.threshold] and set(was.allow) <= set(now.allow)
    # Where chance is judged by how many values there are, fewer values may be what makes the others count.
    is_weighed_alike = (was.threshold, was.allow) == (now.threshold, now.allow)
    return not fewer or (now.by_chance and not is_weighed_alike)


def _gate(rule: RulePart) -> tuple[str, tuple[str, ...], str]:
    return rule.threshold, rule.allow, rule.mask


def _ids(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(ids))


def _some(ids: Iterable[str]) -> str:
    """The first few, and how many more.

    Examples:
        >>> _some("gfedcba")
        'a, b, c, d, e and 2 more'
    """
    told = sorted(ids)
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return ", ".join(told[:_NAMED]) + more
