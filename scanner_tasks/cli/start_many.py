"""``s3scan jobs start-many``: a job on each of several buckets."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.options import ACCESS, BUDGET, SELECTION, BaseJob, budget_of, with_options
from scanner_tasks.cli.screen import INCOMPLETE, AsJson, print_json, print_table
from scanner_tasks.cli.watch_jobs import watch_jobs


@with_options(access=ACCESS, selection=SELECTION, budget=BUDGET)
def start_many(
    buckets: Annotated[
        list[str],
        typer.Argument(help="Names, or patterns such as 'prod-*'; '*' is every bucket.", show_default=False),
    ],
    prefix: Annotated[str, typer.Option(help="Only keys that begin with it, as it stands.")] = "",
    bucket_tags: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only buckets with this tag; VALUE * is any.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Watch the jobs until all have ended.")] = False,
    base_job: BaseJob = None,
    access: dict[str, Any] | None = None,
    selection: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    as_json: AsJson = False,
) -> None:
    """Begin a job on each bucket meant: by name, by pattern, by tag; prints each bucket with its job's id.

    A bucket that is named and cannot be listed refuses all. One that only a pattern meant is told with its reason, and
    the exit status is 3: it is not scanned. With --wait the exit status is that of `jobs watch`, if that is not 0.

    Example: s3scan jobs start-many 'prod-*' --bucket-tags team=payments
    """
    started = backend().start_many(
        {
            "buckets": buckets,
            "prefix": prefix,
            "bucket_tags": read_tags(bucket_tags, "--bucket-tags"),
            "access": access or None,
            "selection": selection or None,
            "budget": budget_of(budget) or None,
            "base_job": base_job,
        }
    )
    if as_json and not wait:
        for job in started["jobs"]:
            print_json({name: job[name] for name in ("bucket", "job_id", "status")})
    if as_json:
        for one in started["not_started"]:
            print_json({"bucket": one["bucket"], "job_id": None, "reason": one["reason"]})
    else:
        rows: list[tuple[object, ...]] = [(job["bucket"], job["job_id"], "") for job in started["jobs"]]
        rows += [(one["bucket"], "NOT STARTED", one["reason"]) for one in started["not_started"]]
        print_table(["bucket", "job_id", "reason"], rows, empty="")
    if wait and started["jobs"]:
        try:
            watch_jobs([UUID(job["job_id"]) for job in started["jobs"]], every_s=2, as_json=as_json)
        except typer.Exit as end:
            if end.exit_code:
                raise
    if started["not_started"]:
        raise typer.Exit(INCOMPLETE)


def read_tags(told: list[str] | None, option: str) -> dict[str, str] | None:
    """Tags from NAME=VALUE; InvalidInput names the option."""
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    if not told:
        return None
    if any("=" not in text for text in told):
        raise InvalidInput(f"{option}: give NAME=VALUE, with * for any value.")
    return dict(text.split("=", 1) for text in told)
