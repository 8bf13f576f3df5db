"""A listed page under a job's selection: the batches of what is chosen, and how many objects are not, by reason.

Objects that are not chosen get no row: of 1,000,000,000 objects of which one in a hundred is scanned, the ledger holds
10,000,000. They are counted by outcome, in the sums and once more in strata, so that the accounts can be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scanner_tasks.core.judging import judge
from scanner_tasks.core.kinds import kind_of
from scanner_tasks.core.model import ObjectRef, Outcome, PlannedBatch, PlannedObject
from scanner_tasks.core.planning import Policy, cut_batches, plan_object, plan_page
from scanner_tasks.core.selection import Selection, Taken, is_full, is_within


@dataclass(frozen=True, kw_only=True, slots=True)
class Stratum:
    """Objects of one prefix, kind and outcome; prefix and kind are "" where nothing is drawn by chance."""

    prefix: str
    kind: str
    #: PENDING: chosen, and so in the ledger. Every other: counted here and in the sums alone.
    outcome: Outcome
    objects: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenPage:
    """What a page of the listing gives the ledger."""

    batches: tuple[PlannedBatch, ...]
    strata: tuple[Stratum, ...] = ()
    #: What the job has chosen with this page.
    taken: Taken = field(default_factory=Taken)
    #: The selection's limit is reached: the listing ends here.
    is_full: bool = False

    @property
    def passed_over(self) -> Mapping[Outcome, tuple[int, int]]:
        """Objects and bytes that have no row, by their outcome."""
        return passed_over(self.strata)


def passed_over(strata: Iterable[Stratum]) -> dict[Outcome, tuple[int, int]]:
    """Objects and bytes without a row, by their outcome."""
    sums: dict[Outcome, tuple[int, int]] = {}
    for stratum in strata:
        if stratum.outcome is not Outcome.PENDING:
            objects, size_bytes = sums.get(stratum.outcome, (0, 0))
            sums[stratum.outcome] = objects + stratum.objects, size_bytes + stratum.size_bytes
    return sums


def decide(ref: ObjectRef, selection: Selection, policy: Policy) -> tuple[Outcome, bool]:
    """The object's outcome, PENDING when it is to be scanned, and whether it gets a row.

    An object that chance left out and that could not be scanned anyway is told as the latter, so that the sample's
    population holds only what a sample could have held.

    Examples:
        >>> ref = ObjectRef(bucket="b", key="a", size_bytes=0, etag="e")
        >>> outcome, has_row = decide(ref, Selection(sample_percent=1e-9), Policy(object_max_bytes=9))
        >>> str(outcome), has_row
        ('skipped(empty)', False)
    """
    judged = judge(selection, ref)
    if judged is Outcome.PENDING:
        return plan_object(ref, policy).outcome, True
    if judged is Outcome.SKIPPED_NOT_SAMPLED and (planned := plan_object(ref, policy).outcome) is not Outcome.PENDING:
        return planned, False
    return judged, False


def choose_page(
    refs: Sequence[ObjectRef], selection: Selection, policy: Policy, *, below: str = "", taken: Taken | None = None
) -> ChosenPage:
    """Choose, plan and cut a page, in its order.

    Args:
        refs: as listed.
        selection: the job's.
        policy: what is never read.
        below: the job's prefix; strata go one level deeper.
        taken: what the job has chosen before; needed where the selection has a limit.

    Examples:
        >>> refs = [ObjectRef(bucket="b", key=f"k{n}", size_bytes=1, etag="e") for n in range(9)]
        >>> page = choose_page(refs, Selection(limit_objects=4), Policy(object_max_bytes=9))
        >>> len(page.batches[0].objects), page.is_full, {str(o): n for o, n in page.passed_over.items()}
        (4, True, {'skipped(over_limit)': (5, 5)})
    """
    now = taken or Taken()
    if selection.is_everything:
        return ChosenPage(batches=plan_page(refs, policy), taken=now)
    kept: list[PlannedObject] = []
    counts: defaultdict[tuple[str, str, Outcome], list[int]] = defaultdict(lambda: [0, 0])
    is_over = False
    for ref in refs:
        outcome, has_row = decide(ref, selection, policy)
        if outcome is Outcome.PENDING:
            following = now.and_(ref)
            if is_over or not is_within(selection, following):
                outcome, has_row, is_over = Outcome.SKIPPED_OVER_LIMIT, False, True
            else:
                now = following
        if has_row:
            kept.append(PlannedObject(ref=ref, outcome=outcome))
        if not has_row or outcome is Outcome.PENDING:
            sums = counts[*stratum_of(ref.key, below=below, is_sample=selection.sample_percent is not None), outcome]
            sums[0] += 1
            sums[1] += ref.size_bytes
    return ChosenPage(
        batches=cut_batches(kept, policy),
        strata=tuple(
            Stratum(prefix=prefix, kind=kind, outcome=outcome, objects=objects, size_bytes=size_bytes)
            for (prefix, kind, outcome), (objects, size_bytes) in counts.items()
        ),
        taken=now,
        is_full=is_over or is_full(selection, now),
    )


def stratum_of(key: str, *, below: str, is_sample: bool = True) -> tuple[str, str]:
    """Prefix and kind of a key: the prefix one level below the job's, up to its slash; "" for a key without one.

    Examples:
        >>> stratum_of("logs/2026/a.csv", below=""), stratum_of("logs/a.csv", below="logs/")
        (('logs/', 'table'), ('', 'table'))
        >>> stratum_of("logs/2026/a.csv", below="", is_sample=False)
        ('', '')
    """
    if not is_sample:
        return "", ""
    first, slash, _ = key[len(below) :].partition("/")
    return (below + first + slash if slash else ""), kind_of(key)
