"""``s3scan watches …``: buckets whose events are scanned as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.options import ACCESS, BUDGET, SELECTION, budget_of, with_options
from scanner_tasks.cli.screen import AsJson, print_json, print_table

if TYPE_CHECKING:
    from scanner_tasks.store.watches import Watch

app = typer.Typer(
    help="Watch buckets: objects are scanned when S3 tells of them.", no_args_is_help=True, rich_markup_mode=None
)

Bucket = Annotated[str, typer.Argument(help="Name of the bucket.", show_default=False)]

#: Fields of a selection that events can tell.
_SELECTION = {
    name: told
    for name, told in SELECTION.items()
    if not name.startswith(("modified_", "limit_")) and "storage_classes" not in name
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
    from scanner_tasks import watch_bucket  # noqa: PLC0415
    from scanner_tasks.core.lanes import OBJECT_EVENTS  # noqa: PLC0415
    from scanner_tasks.flow.watches import watch_to_json  # noqa: PLC0415

    watch = watch_bucket(bucket, prefix, selection=selection, budget=budget_of(budget), **(access or {}))
    if as_json:
        print_json(watch_to_json(watch))
    else:
        print(f"{bucket} is watched. Let S3 send its events to the queue {OBJECT_EVENTS}, then scan what is there.")


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List the watched buckets, and those whose events come though nobody watches them.

    With --json, in the form of GET /watches.

    Example: s3scan watches list
    """
    from scanner_tasks import watches  # noqa: PLC0415
    from scanner_tasks.flow.watches import watch_to_json  # noqa: PLC0415

    told = watches()
    if as_json:
        unwatched = [
            {"bucket": one.bucket, "events": one.events, "last_event_at": one.last_event_at} for one in told.unwatched
        ]
        print_json({"watches": [watch_to_json(watch) for watch in told.watches], "unwatched": unwatched})
        return
    print_table(
        ["bucket", "prefix", "job", "status", "added#", "repeated#", "deleted#", "ignored#", "last event"],
        [_row(watch) for watch in told.watches],
        empty="No bucket is watched: begin with `s3scan watches add BUCKET`.",
    )
    for one in told.unwatched:
        print(f"{one.bucket}: {one.events:,} events came, but it is not watched.")


def _row(watch: Watch) -> tuple[Any, ...]:
    return (
        *(watch.bucket, watch.prefix or "(all keys)", watch.job_id, watch.job_status),
        *(watch.added, watch.repeated, watch.deleted, watch.ignored, watch.last_event_at),
    )


@app.command()
def remove(bucket: Bucket, as_json: AsJson = False) -> None:
    """Watch the bucket no longer; its open job ends with what it has.

    Example: s3scan watches remove my-bucket
    """
    from scanner_tasks import unwatch_bucket  # noqa: PLC0415

    unwatch_bucket(bucket)
    if as_json:
        print_json({"bucket": bucket, "watched": False})
        return
    print(f"{bucket} is no longer watched. Take S3's notification to the queue away too.")
