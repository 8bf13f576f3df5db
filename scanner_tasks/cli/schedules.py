"""``s3scan schedules …``: jobs that begin again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.options import ACCESS, BUDGET, SELECTION, budget_of, with_options
from scanner_tasks.cli.screen import INCOMPLETE, AsJson, print_json, print_table, shown
from scanner_tasks.cli.start_many import read_tags

if TYPE_CHECKING:
    from scanner_tasks.store.schedules import Run, Schedule

app = typer.Typer(help="Let jobs begin again and again.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="Name of the schedule.", show_default=False)]


@app.command()
@with_options(access=ACCESS, selection=SELECTION, budget=BUDGET)
def add(
    name: Name,
    cron: Annotated[
        str,
        typer.Argument(help="Minute, hour, day, month, day of the week: '0 3 * * MON'.", show_default=False),
    ],
    buckets: Annotated[list[str], typer.Argument(help="Names, or patterns such as 'prod-*'.", show_default=False)],
    time_zone: Annotated[str, typer.Option(help="IANA name of the time zone.")] = "UTC",
    prefix: Annotated[str, typer.Option(help="Only keys that begin with it, as it stands.")] = "",
    bucket_tags: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Only buckets with this tag; VALUE * is any.")
    ] = None,
    base_job: Annotated[
        str | None, typer.Option(help="last: objects that are as the last job left them are not read again.")
    ] = None,
    access: dict[str, Any] | None = None,
    selection: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
    as_json: AsJson = False,
) -> None:
    """Begin a job on each bucket whenever the cron expression says.

    All is checked now, buckets too. Ages such as 30d count from each run.

    Example: s3scan schedules add weekly '0 3 * * MON' my-bucket --base-job last --time-zone Europe/Berlin
    """
    from scanner_tasks import add_schedule  # noqa: PLC0415

    made = add_schedule(
        name,
        cron,
        buckets,
        time_zone=time_zone,
        prefix=prefix,
        bucket_tags=read_tags(bucket_tags, "--bucket-tags"),
        base_job=base_job,
        selection=selection,
        budget=budget_of(budget),
        **(access or {}),
    )
    _tell(made, as_json=as_json)


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List the schedules with their next due time and their last run.

    With --json, one schedule a line, as in GET /schedules.

    Example: s3scan schedules list
    """
    from scanner_tasks import schedules  # noqa: PLC0415
    from scanner_tasks.flow.schedules import schedule_to_json  # noqa: PLC0415

    told = schedules()
    if as_json:
        for one in told:
            print_json(schedule_to_json(one))
        return
    print_table(
        ["name", "cron", "time zone", "buckets", "next", "last run", "state", "reason"],
        [
            (
                *(one.name, one.cron.expression, one.cron.time_zone, " ".join(one.request["buckets"])),
                "paused" if one.paused else one.next_at,
                *((one.last_run.due_at, one.last_run.state, one.last_run.reason) if one.last_run else (None,) * 3),
            )
            for one in told
        ],
        empty="There are no schedules: add one with `s3scan schedules add`.",
    )


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a schedule: what it begins, its next due times (UTC), what became of its last ones.

    Example: s3scan schedules show weekly
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import schedules as flow  # noqa: PLC0415

    told = flow.schedule_to_json(flow.find_schedule(name, using=bootstrap.api()))
    runs = flow.list_runs(name, using=bootstrap.api())
    if as_json:
        print_json({**told, "runs": [flow.run_to_json(run) for run in runs]})
        return
    lines = [(part, value) for part, value in told.items() if value and part not in {"access", "next_runs", "last_run"}]
    lines += [(part, value) for part, value in told["access"].items() if value]
    lines += [("next run", moment) for moment in told["next_runs"]]
    print_table(["", ""], [(part, _told(value)) for part, value in lines], empty="")
    print_table(
        ["due", "state", "jobs", "reason"],
        [
            (run.due_at, run.state, " ".join(map(str, run.job_ids)), " ".join(filter(None, [run.reason, _left(run)])))
            for run in runs
        ],
        empty="It has not run yet.",
    )


def _told(value: Any) -> Any:
    return ", ".join(shown(one) for one in value) if isinstance(value, list) else value


def _left(run: Run) -> str:
    return " ".join(f"{one['bucket']}: {one['reason']}" for one in run.not_started)


@app.command()
def pause(name: Name, as_json: AsJson = False) -> None:
    """Begin nothing until it is resumed; jobs that go on are not touched.

    Example: s3scan schedules pause weekly
    """
    _steer("pause_schedule", name, as_json=as_json)


@app.command()
def resume(name: Name, as_json: AsJson = False) -> None:
    """Go on with the next due time from now on; those meanwhile are not made up for.

    Example: s3scan schedules resume weekly
    """
    _steer("resume_schedule", name, as_json=as_json)


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove it; jobs that it began go on and stay.

    Example: s3scan schedules remove weekly
    """
    _steer("remove_schedule", name, as_json=as_json)


@app.command()
def run_now(name: Name, as_json: AsJson = False) -> None:
    """Begin its jobs now, besides its due times; prints their ids. The exit status is 3 when some bucket has none.

    Example: s3scan schedules run-now weekly
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import schedules as flow  # noqa: PLC0415

    run = flow.run_now(name, using=bootstrap.api())
    if as_json:
        print_json(flow.run_to_json(run))
    else:
        for job_id in run.job_ids:
            print(job_id)
        if run.state != "started" or run.not_started:
            print(" ".join(filter(None, [run.state, run.reason, _left(run)])))
    if run.state != "started" or run.not_started:
        raise typer.Exit(INCOMPLETE)


def _steer(what: str, name: str, *, as_json: bool) -> None:
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import schedules as flow  # noqa: PLC0415

    _tell(getattr(flow, what)(name, using=bootstrap.api()), as_json=as_json, is_there=what != "remove_schedule")


def _tell(schedule: Schedule, *, as_json: bool, is_there: bool = True) -> None:
    from scanner_tasks.flow.schedules import schedule_to_json  # noqa: PLC0415

    if as_json:
        print_json(schedule_to_json(schedule))
    elif not is_there:
        print(f"{schedule.name} is removed.")
    elif schedule.paused:
        print(f"{schedule.name} is paused.")
    else:
        print(f"{schedule.name} is due next at {shown(schedule.next_at)} UTC.")
