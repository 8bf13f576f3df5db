"""Is what the pipeline says the truth? Pure: what was found against what is there, object by object."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scanner_tasks.local.api_client import FoundRule, JobState
    from scanner_tasks.local.sample import SampleObject


def sum_differences(state: JobState, found: Iterable[FoundRule]) -> list[str]:
    """What does not add up within one job: every object has one outcome, and totals equal what they sum up."""
    results = list(found)
    sums = {
        "the sum of the outcomes": sum(state.outcomes.values()),
        "objects done": state.done,
    }
    wrong = [
        f"{what} is {value}, objects listed {state.listed}" for what, value in sums.items() if value != state.listed
    ]
    kinds: Counter[str] = Counter()
    for outcome, count in state.outcomes.items():
        kinds[outcome.partition("(")[0]] += count
    wrong += [
        f"objects {kind} are {state.objects.get(kind, 0)}, by their reasons {kinds[kind]}"
        for kind in ("scanned", "partial", "skipped", "unchanged", "failed")
        if state.objects.get(kind, 0) != kinds[kind]
    ]
    if state.findings != len(results):
        wrong.append(f"total_findings is {state.findings}, GET /results lists {len(results)}")
    if state.occurrences != sum(r.count for r in results):
        wrong.append(
            f"total_occurrences is {state.occurrences}, GET /results sums up to {sum(r.count for r in results)}"
        )
    if state.bytes_done != state.bytes_listed:
        wrong.append(f"bytes done are {state.bytes_done}, bytes listed {state.bytes_listed}")
    if state.status not in {"succeeded", "succeeded_with_failures"}:
        wrong.append(f"the job ended {state.status}: {state.status_reason or 'no reason given'}")
    return [f"{state.bucket}: {line}" for line in wrong]


def truth_differences(
    truth: Iterable[SampleObject], found: Iterable[FoundRule], outcomes: Mapping[str, Mapping[str, int]]
) -> list[str]:
    """Where results and outcomes differ from the truth: a line for each object and rule, and for each outcome."""
    objects = list(truth)
    expected = {(o.bucket, o.key, rule): count for o in objects for rule, count in o.findings.items()}
    actual: Counter[tuple[str, str, str]] = Counter()
    for finding in found:
        actual[(finding.bucket, finding.key, finding.rule)] += finding.count
    wrong = [
        f"{bucket}: {key!r}: {rule} found {actual.get(place, 0)} times, put there {expected.get(place, 0)} times"
        for place in sorted({*expected, *actual})
        if actual.get(place, 0) != expected.get(place, 0)
        for bucket, key, rule in (place,)
    ]
    planned: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for o in objects:
        planned[o.bucket][str(o.outcome)] += 1
    for bucket in sorted({*planned, *outcomes}):
        seen = outcomes.get(bucket, {})
        wrong += [
            f"{bucket}: {seen.get(outcome, 0)} objects are {outcome}, {planned[bucket][outcome]} should be"
            for outcome in sorted({*planned[bucket], *seen})
            if seen.get(outcome, 0) != planned[bucket][outcome]
        ]
    return wrong
