"""What ``s3scan jobs compare`` prints."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from scanner_tasks.cli.screen import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from scanner_tasks.core.comparing import ChangedFinding, ChangedObject


def show_comparison(job_id: UUID, base_id: UUID, *, objects: bool, limit: int, as_json: bool) -> None:
    """Print findings, or objects, that differ."""
    from scanner_tasks import job  # noqa: PLC0415

    handle = job(job_id)
    found: Iterable[Any] = handle.compare_objects(base_id) if objects else handle.compare(base_id)
    every = iter(found)
    some = islice(every, limit or None)
    if as_json:
        from scanner_tasks.cli.shapes import changed_finding_shape, changed_object_shape  # noqa: PLC0415

        shape = changed_object_shape if objects else changed_finding_shape
        for one in some:
            print_json(shape(one))
        return
    if objects:
        columns = ["change", "key", "size before#", "size now#", "outcome"]
        print_table(columns, (_object_row(one) for one in some), empty="No object differs.")
    else:
        columns = ["change", "key", "rule", "severity", "count before#", "count now#", "object", "moved from"]
        print_table(columns, (_finding_row(one) for one in some), empty="No finding differs.")
    if limit and next(every, None) is not None:
        print(f"There are more: the first {limit:,} are shown, --limit 0 prints all.")


def _finding_row(one: ChangedFinding) -> tuple[object, ...]:
    is_there = one.change not in {"fixed", "unverified"}
    count = one.finding.count if is_there else None
    about = (one.finding.key, one.finding.rule_id, one.finding.severity, one.count_before, count)
    return (one.change, *about, one.object_is or "same", one.moved_from)


def _object_row(one: ChangedObject) -> tuple[object, ...]:
    return (one.change, one.key, one.size_before, one.size_now, one.outcome)
