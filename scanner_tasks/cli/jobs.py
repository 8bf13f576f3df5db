"""``s3scan jobs …``: start, look at, and steer jobs."""

from __future__ import annotations

import sys
from typing import Annotated, Any
from uuid import UUID

import typer

from scanner_tasks.cli.backend import backend, database_only
from scanner_tasks.cli.job_lines import check_sums, coverage_word, lines_of
from scanner_tasks.cli.options import ACCESS, BUDGET, SELECTION, BaseJob, budget_of, with_options
from scanner_tasks.cli.screen import INCOMPLETE, AsJson, JobId, moment, print_json, print_table, shown, uuid_of
from scanner_tasks.cli.start_many import start_many
from scanner_tasks.cli.watch_jobs import watch_jobs

app = typer.Typer(help="Start jobs, look at them, steer them.", no_args_is_help=True, rich_markup_mode=None)

#: What `jobs start --json` tells.
_STARTED = ("job_id", "status", "execution_arn", "base_job")


@app.command()
@with_options(access=ACCESS, selection=SELECTION, budget=BUDGET)
def start(
    bucket: Annotated[str, typer.Argument(help="Name of the bucket.", show_default=False)],
    prefix: Annotated[str, typer.Argument(help="Only keys that begin with it, as it stands.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Watch the job until it has ended.")] = False,
    base_job: BaseJob = None,
    inventory: Annotated[
        str | None, typer.Option(help="Manifest of an S3 Inventory report that is read in the place of a listing.")
    ] = None,
    then_list: Annotated[
        bool,
        typer.Option("--then-list", help="When that job has ended, a second one lists what is newer than the report."),
    ] = False,
    access: dict[str, Any] | None = None,
    selection: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    as_json: AsJson = False,
) -> None:
    """Begin to scan a bucket, or the keys below a prefix; prints the job's id.

    Only objects that satisfy every option given are scanned (docs/selection.md); the others are counted by reason.
    With --wait the exit status is that of `jobs watch`.

    Example: s3scan jobs start my-bucket exports/2026/ --include-keys '*.csv' --modified-after 30d
    """
    started = backend().start(
        {
            "bucket": bucket,
            "prefix": prefix,
            "access": access or None,
            "selection": selection or None,
            "budget": budget_of(budget) or None,
            "base_job": base_job,
            "inventory": inventory,
            "inventory_then_list": then_list or None,
        }
    )
    base = started["base_job"]
    if base and base["reason"] and not as_json:
        print(base["reason"], file=sys.stderr)
    if wait:
        watch_jobs([UUID(started["job_id"])], every_s=2, as_json=as_json)
    elif as_json:
        print_json({name: started[name] for name in _STARTED})
    else:
        print(started["job_id"])


app.command(name="start-many")(start_many)


@app.command(name="list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="Jobs to print.")] = 20,
    active: Annotated[bool, typer.Option("--active", help="Only jobs that have not ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """List jobs with their progress, the youngest first.

    With --json, one job a line, in the form of GET /jobs.

    Example: s3scan jobs list --limit 5
    """
    jobs = list(backend().jobs(limit=limit, active=active))
    if as_json:
        for job in jobs:
            print_json(job)
        return
    _say_if_paused()
    print_table(
        ["job_id", "bucket", "prefix", "status", "coverage", "listed#", "done#", "failed#", "findings#", "created"],
        (
            (
                *(job["job_id"], job["bucket"], job["prefix"], job["status"], coverage_word(job)),
                *(job["progress"]["objects"][name] for name in ("listed", "done", "failed")),
                job["total_findings"],
                moment(job["created_at"]),
            )
            for job in jobs
        ),
        empty="No job is going on." if active else "There are no jobs yet: begin with `s3scan jobs start BUCKET`.",
    )


@app.command()
def show(
    job_id: JobId,
    live: Annotated[bool, typer.Option("--live", help="Count now, not as of the last minute.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one job: its status, its objects by outcome and their sum, its findings.

    The exit status is 3 when the job is incomplete: objects failed or were read in part, or the job itself failed or
    was cancelled. It is 1 when the sums do not agree.

    Example: s3scan jobs show 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11
    """
    job = backend().job(uuid_of(job_id), real_time=live)
    if as_json:
        print_json(job)
    else:
        _say_if_paused()
        print_table(["", ""], lines_of(job), empty="")
    check_sums(job)
    if job["incomplete"]:
        raise typer.Exit(INCOMPLETE)


@app.command()
def coverage(
    job_id: JobId,
    outcome: Annotated[
        str,
        typer.Option(help="Only objects that ended so: partial, skipped, failed, partial(bytes), …; commas between."),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="Objects to print.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what a job read and what it did not: sums by outcome and reason, and the objects not read to their ends.

    With --json, one line in the form of GET /jobs/{job_id}/coverage. The exit status is that of `jobs show`.

    Example: s3scan jobs coverage 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --outcome failed,partial
    """
    from scanner_tasks.cli.coverage import show_coverage  # noqa: PLC0415

    if show_coverage(uuid_of(job_id), outcome=outcome, limit=limit, as_json=as_json):
        raise typer.Exit(INCOMPLETE)


@app.command()
def compare(
    job_id: JobId,
    base_id: Annotated[str, typer.Argument(metavar="BASE_ID", help="An older job of the bucket.", show_default=False)],
    objects: Annotated[bool, typer.Option("--objects", help="Objects instead of findings.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Lines to print; 0 prints all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what differs from an older job: findings new, fixed, changed, moved; objects added, changed, deleted.

    Findings of objects that the newer job did not read to their ends are unverified, never fixed. With --json, one line
    each, in the form of GET /jobs/{job_id}/compare/{base_id}.

    Example: s3scan jobs compare 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 7d3f4a52-6c1b-4a0e-8f7d-2b9c5e1a0f34
    """
    from scanner_tasks.cli.compare import show_comparison  # noqa: PLC0415

    show_comparison(uuid_of(job_id), uuid_of(base_id), objects=objects, limit=limit, as_json=as_json)


@app.command()
def watch(
    job_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JOB_ID]...", help="Which jobs; without one all that go on.", show_default=False),
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Watch jobs until all have ended. Ctrl-C leaves them alone.

    Without a JOB_ID: every job that goes on, and those that begin meanwhile. On a terminal: a bar for each, the rate
    over the last minutes, the time left from the fastest to the slowest pace of these, lanes, what workers hold, how
    many workers are alive. In a pipe: a line whenever something changed.

    The exit status is 0 when all succeeded, 3 when one is incomplete because objects failed or were read in part, 1
    when one failed itself or was cancelled.

    Example: s3scan jobs watch 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --every 10
    """
    watch_jobs([uuid_of(one) for one in job_ids] if job_ids else None, every_s=every, as_json=as_json)


@app.command()
def pause(job_id: JobId, as_json: AsJson = False) -> None:
    """Pause a job: nothing more is sent, and what is in its lane becomes a no-op within seconds.

    Example: s3scan jobs pause 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11
    """
    _say_status(backend().control(uuid_of(job_id), "pause"), as_json=as_json)


@app.command()
@with_options(budget=BUDGET)
def resume(job_id: JobId, budget: dict[str, Any] | None = None, as_json: AsJson = False) -> None:
    """Let a paused job go on exactly where it was; one that its budget paused needs a larger one.

    Example: s3scan jobs resume 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --budget-dollars 20
    """
    given = {"budget": budget_of(budget)} if budget else None
    _say_status(backend().control(uuid_of(job_id), "resume", given), as_json=as_json)


@app.command()
def cancel(
    job_id: JobId,
    reason: Annotated[str, typer.Option(help="Kept with the job.")] = "Cancelled by an operator.",
    as_json: AsJson = False,
) -> None:
    """End a job for good; objects that were not scanned are skipped(cancelled), findings stay.

    Example: s3scan jobs cancel 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --reason "wrong bucket"
    """
    _say_status(backend().control(uuid_of(job_id), "cancel", {"reason": reason}), as_json=as_json)


@app.command(name="retry-failed")
def retry_failed(job_id: JobId, as_json: AsJson = False) -> None:
    """Scan the failed objects of a job again, and no others; it scans again if it had ended.

    Example: s3scan jobs retry-failed 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11
    """
    opened = backend().retry_failed(uuid_of(job_id))
    if as_json:
        print_json(opened)
    elif opened["objects"]:
        print(f"{opened['objects']:,} objects in {opened['batches']:,} batches are scanned again.")
    else:
        print("No object of the job failed.")


def _say_status(job: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({name: job[name] for name in ("job_id", "status", "status_reason")})
    else:
        print(f"Job {job['job_id']} is {job['status']}.")


def _say_if_paused() -> None:
    fleet = backend().fleet()
    if fleet and fleet["paused"]:
        print("The whole fleet is paused: `s3scan ops resume-all` lets it go on.")


@app.command()
def delete(
    job_id: JobId,
    wait: Annotated[bool, typer.Option("--wait", help="Return when its last row is gone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an ended job with all it found; the marks on its findings stay. There is no way back.

    It is gone for its readers at once. Settle removes its rows in bounded steps, and whole partitions where no
    other job needs them; with --wait, on the database only, this command does so too.

    Example: s3scan jobs delete 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11
    """
    if wait:
        database_only("jobs delete --wait")
    backend().delete(uuid_of(job_id))
    rows, partitions = _retire() if wait else (0, 0)
    if as_json:
        print_json({"job_id": job_id, "rows": rows, "partitions": partitions})
    elif wait:
        print(f"Job {shown(job_id)} is deleted: {rows:,} rows, {partitions} partitions.")
    else:
        print(f"Job {shown(job_id)} is deleted; its rows are removed in steps.")


def _retire() -> tuple[int, int]:
    """Remove what is left of deleted jobs; the rows and partitions."""
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import retention  # noqa: PLC0415

    rows = partitions = 0
    while (gone := retention.retire(using=bootstrap.api())) != retention.Gone(jobs=0, rows=0, partitions=0):
        rows, partitions = rows + gone.rows, partitions + gone.partitions
    return rows, partitions
