"""``s3scan jobs …``: start, look at, and steer jobs."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.options import ACCESS, BUDGET, SELECTION, BaseJob, budget_of, with_options
from scanner_tasks.cli.screen import INCOMPLETE, AsJson, JobId, print_json, print_table, shown, uuid_of
from scanner_tasks.cli.start_many import start_many

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks.flow.read_results import JobView

app = typer.Typer(help="Start jobs, look at them, steer them.", no_args_is_help=True, rich_markup_mode=None)

_PAGE = 100


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
    from scanner_tasks import start_scan  # noqa: PLC0415
    from scanner_tasks.cli.shapes import started_shape  # noqa: PLC0415

    started = start_scan(
        bucket,
        prefix,
        selection=selection,
        budget=budget_of(budget),
        base_job=base_job,
        inventory=inventory,
        inventory_then_list=then_list,
        **(access or {}),
    )
    if started.base and started.base.reason and not as_json:
        print(started.base.reason, file=sys.stderr)
    if wait:
        _watch(started.job_id, every_s=2, as_json=as_json)
    elif as_json:
        print_json(started_shape(started))
    else:
        print(started.job_id)


app.command(name="start-many")(start_many)


@app.command(name="list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="Jobs to print.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs with their progress, the youngest first.

    With --json, one job a line, in the form of GET /jobs.

    Example: s3scan jobs list --limit 5
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.cli.shapes import job_shape  # noqa: PLC0415
    from scanner_tasks.flow import read_results  # noqa: PLC0415

    views: list[JobView] = []
    cursor = None
    while len(views) < limit:
        page = read_results.list_jobs(limit=min(_PAGE, limit - len(views)), cursor=cursor, using=bootstrap.api())
        views += page.jobs
        cursor = page.next_cursor
        if cursor is None:
            break
    if as_json:
        for view in views:
            print_json(job_shape(view))
        return
    _say_if_paused()
    print_table(
        ["job_id", "bucket", "prefix", "status", "coverage", "listed#", "done#", "failed#", "findings#", "created"],
        (
            (
                *(view.job.job_id, view.job.bucket, view.job.prefix, view.job.status, _coverage(view)),
                *(view.progress.listed, view.progress.done, view.progress.failed, view.progress.findings),
                view.job.created_at,
            )
            for view in views
        ),
        empty="There are no jobs yet: begin with `s3scan jobs start BUCKET`.",
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
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.cli.shapes import job_shape  # noqa: PLC0415
    from scanner_tasks.flow import read_results  # noqa: PLC0415

    view = read_results.get_job(uuid_of(job_id), real_time=live, using=bootstrap.api())
    if as_json:
        print_json(job_shape(view))
    else:
        _say_if_paused()
        print_table(["", ""], _lines(view), empty="")
    _check_sums(view)
    if _is_incomplete(view):
        raise typer.Exit(INCOMPLETE)


def _is_incomplete(view: JobView) -> bool:
    from scanner_tasks.core.progress import is_incomplete  # noqa: PLC0415

    return is_incomplete(view.job.status, view.progress)


def _coverage(view: JobView) -> str:
    if _is_incomplete(view):
        return "incomplete"
    return "complete" if view.job.finished_at else "complete so far"


def _check_sums(view: JobView) -> None:
    """Never print sums that do not add up without saying so."""
    from scanner_tasks.core.errors import SumsDisagree  # noqa: PLC0415
    from scanner_tasks.core.progress import sums_agree  # noqa: PLC0415

    if not sums_agree(view.progress, has_ended=view.job.finished_at is not None):
        raise SumsDisagree(view.job.job_id)


def _lines(view: JobView) -> list[tuple[str, object]]:
    from scanner_tasks.core.model import JobSource  # noqa: PLC0415
    from scanner_tasks.core.progress import sums_line  # noqa: PLC0415
    from scanner_tasks.core.selection import limit_reached  # noqa: PLC0415

    job, counts = view.job, view.progress
    lines: list[tuple[str, object]] = [
        ("job", job.job_id),
        ("bucket", job.bucket),
        ("prefix", job.prefix or "(all keys)"),
        *([("schedule", job.schedule)] if job.schedule else []),
        *([("source", "events of S3, as they come")] if job.source is JobSource.EVENTS else []),
        *((name, value) for name, value in job.access.to_show().items() if value),
        *((name, _told(value)) for name, value in job.selection.to_json().items()),
        *_base_lines(view),
        *([("inventory", job.inventory)] if job.inventory else []),
        *([("followed by", job.followed_by)] if job.followed_by else []),
        ("status", f"{job.status}: {job.status_reason}" if job.status_reason else job.status),
        ("coverage", _coverage(view)),
        ("lane", job.lane),
        ("created", job.created_at),
        ("listed", job.listed_at),
        ("finished", job.finished_at),
        ("objects listed", counts.listed),
        ("  pending", counts.pending),
        ("  processing", counts.processing),
    ]
    lines += [(f"  {outcome}", n) for outcome, n in counts.outcomes.items()]
    if limit_reached(job.selection, job.taken, counts.outcomes):
        lines.append(("limit", "reached: the bucket may hold more than was listed"))
    lines += [("objects in sum", sums_line(counts)), ("findings", counts.findings), ("occurrences", counts.occurrences)]
    if counts.allowed:
        lines.append(("  allowed besides", counts.allowed))
    lines += _cost_lines(view)
    lines.append(("ruleset", job.ruleset_hash))
    if view.other_rulesets:
        told = f"{', '.join(view.other_rulesets)}: workers had other rules than the API when the job began"
        lines.append(("  also scanned with", told))
    if view.eta_s is not None:
        lines.append(("seconds left", round(view.eta_s)))
    return lines


def _cost_lines(view: JobView) -> list[tuple[str, object]]:
    from scanner_tasks.cli.estimate import dollars, size_text  # noqa: PLC0415

    lines: list[tuple[str, object]] = [(f"budget {name}", value) for name, value in view.costs.budget.to_json().items()]
    for what, told in (("estimated", view.costs.estimate), ("actual", view.costs.actual)):
        if told:
            scanned = f"{told['objects']:,} objects, {size_text(told['bytes'])}, {told['cpu_s']:,.1f} vCPU seconds"
            macie = dollars(told["macie_dollars"])
            lines.append((f"cost {what}", f"{dollars(told['dollars'])} for {scanned}; Macie {macie}"))
    sample: dict[str, Any] = (view.costs.actual or {}).get("sample") or {}
    for name in ("objects_with_findings", "findings", "occurrences") if sample else ():
        one = sample[name]
        total = f"about {one['estimate']:,} (95 %: {one['low']:,} to {one['high']:,})"
        lines.append((f"  of all, {name.replace('_', ' ')}", total))
    return lines


def _base_lines(view: JobView) -> list[tuple[str, object]]:
    base = view.job.base
    if base is None:
        return []
    lines: list[tuple[str, object]] = [("base job", base.job_id or "none")]
    return [*lines, ("  used" if base.refusal is None else "  not used", base.reason)] if base.reason else lines


def _told(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


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
    job_id: JobId,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Watch a job until it has ended: a line whenever something changed. Ctrl-C leaves the job alone.

    The exit status is 0 when the job succeeded, 3 when it is incomplete because objects failed or were read in part, 1
    when the job itself failed or was cancelled.

    Example: s3scan jobs watch 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --every 10
    """
    _watch(uuid_of(job_id), every_s=every, as_json=as_json)


def _watch(job_id: UUID, *, every_s: float, as_json: bool) -> None:
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.cli.shapes import job_shape  # noqa: PLC0415
    from scanner_tasks.core.model import JobStatus  # noqa: PLC0415
    from scanner_tasks.core.progress import sums_line  # noqa: PLC0415
    from scanner_tasks.flow import read_results  # noqa: PLC0415

    last = None
    while True:
        view = read_results.get_job(job_id, real_time=True, using=bootstrap.api())
        state = (view.job.status, view.progress, view.job.finished_at)
        if state != last:
            last = state
            if as_json:
                print_json(job_shape(view))
            else:
                print(_line(view), flush=True)
        if view.job.finished_at:
            if not as_json:
                print(f"{_coverage(view)}: {sums_line(view.progress)}")
            _check_sums(view)
            if view.job.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
                raise typer.Exit(1)
            raise typer.Exit(INCOMPLETE if _is_incomplete(view) else 0)
        time.sleep(every_s)


def _line(view: JobView) -> str:
    counts = view.progress
    total = "" if view.job.listed_at else "+"
    eta = "" if view.eta_s is None else f", about {round(view.eta_s):,} s left"
    return (
        f"{shown(view.job.job_id)} {view.job.status}: {counts.done:,} of {counts.listed:,}{total} objects, "
        f"{counts.failed:,} failed, {counts.findings:,} findings{eta}"
    )


@app.command()
def pause(job_id: JobId, as_json: AsJson = False) -> None:
    """Pause a job: nothing more is sent, and what is in its lane becomes a no-op within seconds.

    Example: s3scan jobs pause 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import control  # noqa: PLC0415

    control.pause_job(uuid_of(job_id), using=bootstrap.api())
    _say_status(job_id, as_json=as_json)


@app.command()
@with_options(budget=BUDGET)
def resume(job_id: JobId, budget: dict[str, Any] | None = None, as_json: AsJson = False) -> None:
    """Let a paused job go on exactly where it was; one that its budget paused needs a larger one.

    Example: s3scan jobs resume 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --budget-dollars 20
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.budget import read_budget  # noqa: PLC0415
    from scanner_tasks.flow import control  # noqa: PLC0415

    given = read_budget(budget_of(budget)) if budget else None
    control.resume_job(uuid_of(job_id), budget=given, using=bootstrap.api())
    _say_status(job_id, as_json=as_json)


@app.command()
def cancel(
    job_id: JobId,
    reason: Annotated[str, typer.Option(help="Kept with the job.")] = "Cancelled by an operator.",
    as_json: AsJson = False,
) -> None:
    """End a job for good; objects that were not scanned are skipped(cancelled), findings stay.

    Example: s3scan jobs cancel 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --reason "wrong bucket"
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import control  # noqa: PLC0415

    control.cancel_job(uuid_of(job_id), reason=reason, using=bootstrap.api())
    _say_status(job_id, as_json=as_json)


@app.command(name="retry-failed")
def retry_failed(job_id: JobId, as_json: AsJson = False) -> None:
    """Scan the failed objects of a job again, and no others; it scans again if it had ended.

    Example: s3scan jobs retry-failed 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import control  # noqa: PLC0415

    opened = control.retry_failed(uuid_of(job_id), using=bootstrap.api())
    if as_json:
        print_json({"job_id": job_id, "batches": opened.batches, "objects": opened.objects})
    elif opened.objects:
        print(f"{opened.objects:,} objects in {opened.batches:,} batches are scanned again.")
    else:
        print("No object of the job failed.")


def _say_status(job_id: str, *, as_json: bool) -> None:
    from scanner_tasks import job  # noqa: PLC0415

    found = job(job_id)
    if as_json:
        print_json({"job_id": found.job_id, "status": found.status, "status_reason": found.status_reason})
    else:
        print(f"Job {found.job_id} is {found.status}.")


def _say_if_paused() -> None:
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import control  # noqa: PLC0415

    if control.fleet_is_paused(using=bootstrap.api()):
        print("The whole fleet is paused: `s3scan ops resume-all` lets it go on.")


@app.command()
def delete(
    job_id: JobId,
    wait: Annotated[bool, typer.Option("--wait", help="Return when its last row is gone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an ended job with all it found; the marks on its findings stay. There is no way back.

    It is gone for its readers at once. Settle removes its rows in bounded steps, and whole partitions where no
    other job needs them; with --wait this command does so too.

    Example: s3scan jobs delete 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import retention  # noqa: PLC0415

    using = bootstrap.api()
    retention.delete_job(uuid_of(job_id), using=using)
    rows = partitions = 0
    while wait:
        gone = retention.retire(using=using)
        rows, partitions = rows + gone.rows, partitions + gone.partitions
        if gone == retention.Gone(jobs=0, rows=0, partitions=0):
            break
    if as_json:
        print_json({"job_id": job_id, "rows": rows, "partitions": partitions})
    elif wait:
        print(f"Job {shown(job_id)} is deleted: {rows:,} rows, {partitions} partitions.")
    else:
        print(f"Job {shown(job_id)} is deleted; its rows are removed in steps.")
