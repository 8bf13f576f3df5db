"""``s3scan watches …``: buckets whose events are scanned as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.options import ACCESS, BUDGET, SELECTION, budget_of, with_options
from scanner_tasks.cli.screen import AsJson, moment, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(
    help="Watch buckets: objects are scanned when S3 tells of them.", no_args_is_help=True, rich_markup_mode=None
)

Bucket = Annotated[str, typer.Argument(help="Name of the bucket.", show_default=False)]

#: Fields of a selection that events can tell.
_SELECTION = {
    name: told
    for name, told in SELECTION.items()
    if not name.startswith(("modified_", "limit_")) and "storage_classes" not in name and name != "versions"
}


@app.command()
@with_options(access=ACCESS, selection=_SELECTION, budget=BUDGET)
def add(
    bucket: Bucket,
    prefix: Annotated[str, typer.Argument(help="Only keys that begin with it, as it stands.")] = "",
    access: dict[str, Any] | None = None,
    selection: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    as_json: AsJson = False,
) -> None:
    """Scan from now on what events of the bucket name, in one job for each day (UTC).

    A repeat replaces prefix, selection, access and budget. Objects that are there already are a job's: begin one
    afterwards. S3 must be told to send its events to the queue that is named: docs/continuous.md.

    Example: s3scan watches add my-bucket uploads/ --extensions csv
    """
    from scanner_tasks.core.lanes import OBJECT_EVENTS  # noqa: PLC0415

    watch = backend().watch(
        {
            "bucket": bucket,
            "prefix": prefix,
            "access": access or None,
            "selection": selection or None,
            "budget": budget_of(budget) or None,
        }
    )
    if as_json:
        print_json(watch)
    else:
        print(f"{bucket} is watched. Let S3 send its events to the queue {OBJECT_EVENTS}, then scan what is there.")


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List the watched buckets, and those whose events come though nobody watches them.

    With --json, in the form of GET /watches.

    Example: s3scan watches list
    """
    told = backend().watches()
    if as_json:
        print_json(told)
        return
    print_table(
        ["bucket", "prefix", "job", "status", "added#", "repeated#", "deleted#", "ignored#", "last event"],
        [_row(watch) for watch in told["watches"]],
        empty="No bucket is watched: begin with `s3scan watches add BUCKET`.",
    )
    for one in told["unwatched"]:
        print(f"{one['bucket']}: {one['events']:,} events came, but it is not watched.")


def _row(watch: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        *(watch["bucket"], watch["prefix"] or "(all keys)", watch["job_id"], watch["job_status"]),
        *(watch["events"][name] for name in ("added", "repeated", "deleted", "ignored")),
        moment(watch["last_event_at"]),
    )


@app.command()
def remove(bucket: Bucket, as_json: AsJson = False) -> None:
    """Watch the bucket no longer; its open job ends with what it has.

    Example: s3scan watches remove my-bucket
    """
    backend().unwatch(bucket)
    if as_json:
        print_json({"bucket": bucket, "watched": False})
        return
    print(f"{bucket} is no longer watched. Take S3's notification to the queue away too.")
