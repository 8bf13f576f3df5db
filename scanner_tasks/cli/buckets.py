"""``s3scan buckets``: the account's buckets, and which of them were never scanned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.options import ACCESS, with_options
from scanner_tasks.cli.screen import AsJson, moment, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    told = [one for one in backend().buckets(access or {}) if not never_scanned or one["last_scan"] is None]
    if as_json:
        for one in told:
            print_json(one)
        return
    print_table(
        ["bucket", "region", "public", "encryption", "last scanned", "whole", "status", "remark"],
        (
            (
                one["bucket"],
                one["region"] or "unknown",
                "unknown" if one["public"] is None else ("PUBLIC" if one["public"] else "no"),
                one["encryption"] or "unknown",
                *_last(one),
                one["trouble"] or (f"needs {', '.join(one['unknown'])}" if one["unknown"] else ""),
            )
            for one in told
        ),
        empty="Every bucket was scanned." if never_scanned else "The role sees no bucket.",
    )


def _last(one: Mapping[str, Any]) -> tuple[object, ...]:
    last = one["last_scan"]
    if last is None:
        return "never", None, None
    return moment(last["finished_at"] or last["created_at"]), moment(one["scanned_whole_at"]), last["status"]
