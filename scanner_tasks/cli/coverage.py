"""What ``s3scan jobs coverage`` prints."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.screen import print_json, print_table

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks import JobHandle


def show_coverage(job_id: UUID, *, outcome: str, limit: int, as_json: bool) -> bool:
    """Print it; True when the job is incomplete."""
    told = backend().coverage(job_id, outcome=outcome, limit=limit)
    if as_json:
        print_json(told)
        return bool(told["incomplete"])
    for one in told["buckets"]:
        print(
            f"{one['bucket']}: {one['bytes_read']:,} of {one['bytes_listed']:,} bytes read,"
            f" {one['objects_listed']:,} objects"
        )
    columns = ("outcome", "objects", "bytes_listed", "bytes_read")
    print_table(
        ["outcome", "objects#", "bytes listed#", "bytes read#"],
        (tuple(each[name] for name in columns) for one in told["buckets"] for each in one["outcomes"]),
        empty="No object has its outcome yet.",
    )
    if told["unread"]:
        print()
        print_table(
            ["outcome", "key", "bytes read#", "of#", "why"],
            (
                (one["outcome"], one["key"], _told(one["bytes_read"]), one["size_bytes"], one["detail"] or "")
                for one in told["unread"]
            ),
            empty="",
        )
    if told["has_more"]:
        print(f"There are more: --limit {10 * limit} prints them, --outcome tells which.")
    return bool(told["incomplete"])


def _told(bytes_read: int | None) -> int | str:
    return "not known" if bytes_read is None else bytes_read


def coverage_shape(handle: JobHandle, *, outcome: str, limit: int) -> dict[str, Any]:
    """As GET /jobs/{job_id}/coverage, without a cursor: ``has_more`` says that the limit cut it."""
    from scanner_tasks.core.progress import is_incomplete  # noqa: PLC0415

    told = handle.coverage()
    found = list(islice(handle.unread(outcome), limit + 1))
    objects, has_more = found[:limit], len(found) > limit
    incomplete = any(is_incomplete(told.job.status, one.progress) for one in told.buckets)
    return {
        "job_id": told.job.job_id,
        "status": told.job.status,
        "incomplete": incomplete,
        "buckets": [
            {
                "bucket": one.bucket,
                "objects_listed": one.progress.listed,
                "objects_open": one.progress.pending + one.progress.processing,
                "bytes_listed": one.bytes_listed,
                "bytes_read": one.bytes_read,
                "outcomes": [
                    {
                        "outcome": str(each.outcome),
                        "kind": each.outcome.kind,
                        "reason": each.outcome.reason,
                        "objects": each.objects,
                        "bytes_listed": each.bytes_listed,
                        "bytes_read": each.bytes_read,
                    }
                    for each in one.outcomes
                ],
            }
            for one in told.buckets
        ],
        "unread": [
            {
                "bucket": told.job.bucket,
                "key": one.key,
                "outcome": str(one.outcome),
                "size_bytes": one.size_bytes,
                "bytes_read": one.bytes_read,
                "detail": one.detail,
                "at": one.at,
            }
            for one in objects
        ],
        "has_more": has_more,
    }
