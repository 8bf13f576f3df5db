"""What ``s3scan jobs compare`` prints."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.screen import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID


def show_comparison(job_id: UUID, base_id: UUID, *, objects: bool, limit: int, as_json: bool) -> None:
    """Print findings, or objects, that differ."""
    every = backend().changes(job_id, base_id, of="objects" if objects else "findings")
    some = islice(every, limit or None)
    if as_json:
        for one in some:
            print_json(one)
        return
    if objects:
        columns = ["change", "key", "size before#", "size now#", "outcome"]
        print_table(columns, (_object_row(one) for one in some), empty="No object differs.")
    else:
        columns = ["change", "key", "rule", "severity", "count before#", "count now#", "object", "moved from"]
        print_table(columns, (_finding_row(one) for one in some), empty="No finding differs.")
    if limit and next(every, None) is not None:
        print(f"There are more: the first {limit:,} are shown, --limit 0 prints all.")


def _finding_row(one: Mapping[str, Any]) -> tuple[object, ...]:
    is_there, finding = one["change"] not in {"fixed", "unverified"}, one["finding"]
    count = finding["count"] if is_there else None
    about = (finding["key"], finding["rule"], finding["severity"], one["count_before"], count)
    return (one["change"], *about, one["object_is"] or "same", one["moved_from"])


def _object_row(one: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(one[name] for name in ("change", "key", "size_before", "size_now", "outcome"))
