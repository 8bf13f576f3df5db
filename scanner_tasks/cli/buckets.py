"""``s3scan buckets``: the account's buckets, and which of them were never scanned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.options import ACCESS, with_options
from scanner_tasks.cli.screen import AsJson, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner_tasks.flow.buckets import BucketView

_PAGE = 100


@with_options(access=ACCESS)
def buckets(
    never_scanned: Annotated[bool, typer.Option("--never-scanned", help="Only those no job ever looked at.")] = False,
    access: dict[str, Any] | None = None,
    as_json: AsJson = False,
) -> None:
    """Show every bucket that the role can see: Region, public or not, encryption, when it was last scanned.

    What the role may not ask is `unknown`, never `no`; the permissions that would tell are named. With --json, one
    bucket a line, in the form of GET /buckets.

    Example: s3scan buckets --never-scanned
    """
    views = [view for view in _views(access or {}) if not never_scanned or view.last is None]
    if as_json:
        for view in views:
            print_json(bucket_shape(view))
        return
    print_table(
        ["bucket", "region", "public", "encryption", "last scanned", "whole", "status", "remark"],
        (
            (
                view.bucket.name,
                view.bucket.region or "unknown",
                _public(view),
                (view.posture and view.posture.encryption) or "unknown",
                *(
                    (view.last.finished_at or view.last.created_at, view.last.whole_at, view.last.status)
                    if view.last
                    else ("never", None, None)
                ),
                view.trouble or _lacking(view),
            )
            for view in views
        ),
        empty="Every bucket was scanned." if never_scanned else "The role sees no bucket.",
    )


def _views(access: dict[str, Any]) -> Iterator[BucketView]:
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.access_rules import read_access  # noqa: PLC0415
    from scanner_tasks.flow import buckets as flow  # noqa: PLC0415

    after = ""
    while page := flow.account_view(access=read_access(access), after=after, limit=_PAGE, using=bootstrap.api()):
        yield from page
        after = page[-1].bucket.name


def _public(view: BucketView) -> str:
    public = view.posture.public if view.posture else None
    return "unknown" if public is None else ("PUBLIC" if public else "no")


def _lacking(view: BucketView) -> str:
    unknown = view.posture.unknown if view.posture else ()
    return f"needs {', '.join(unknown)}" if unknown else ""


def bucket_shape(view: BucketView) -> dict[str, Any]:
    """As one of GET /buckets."""
    posture, last = view.posture, view.last
    return {
        "bucket": view.bucket.name,
        "region": view.bucket.region,
        "created_at": view.bucket.created_at,
        "public": posture.public if posture else None,
        "encryption": posture.encryption if posture else None,
        "unknown": list(posture.unknown) if posture else [],
        "trouble": view.trouble,
        "last_scan": last and {name: getattr(last, name) for name in ("job_id", "status", "created_at", "finished_at")},
        "scanned_whole_at": last.whole_at if last else None,
    }
