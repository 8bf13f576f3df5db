"""``s3scan schedules …``: jobs that begin again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.options import ACCESS, BUDGET, SELECTION, budget_of, with_options
from scanner_tasks.cli.screen import INCOMPLETE, AsJson, moment, print_json, print_table, shown
from scanner_tasks.cli.start_many import read_tags

if TYPE_CHECKING:
    from scanner_tasks.cli.backend import Told

app = typer.Typer(help="Let jobs begin again and again.", no_args_is_help=True, rich_markup_mode=None)

#: What `schedules show` tells in lines of its own.
_APART = {"access", "next_runs", "last_run", "created_at", "runs"}
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
    made = backend().add_schedule(
        {
            "name": name,
            "cron": cron,
            "buckets": buckets,
            "time_zone": time_zone,
            "prefix": prefix,
            "bucket_tags": read_tags(bucket_tags, "--bucket-tags"),
            "base_job": base_job,
            "access": access or None,
            "selection": selection or None,
            "budget": budget_of(budget) or None,
        }
    )
    _tell(made, as_json=as_json)


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List the schedules with their next due time and their last run.

    With --json, one schedule a line, as in GET /schedules.

    Example: s3scan schedules list
    """
    told = backend().schedules()
    if as_json:
        for one in told:
            print_json(one)
        return
    print_table(
        ["name", "cron", "time zone", "buckets", "next", "last run", "state", "reason"],
        [
            (
                *(one["name"], one["cron"], one["time_zone"], " ".join(one["buckets"])),
                "paused" if one["paused"] else moment(one["next_runs"][0]),
                *_last(one["last_run"]),
            )
            for one in told
        ],
        empty="There are no schedules: add one with `s3scan schedules add`.",
    )


def _last(run: Told | None) -> tuple[object, ...]:
    return (moment(run["due_at"]), run["state"], run["reason"]) if run else (None,) * 3


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a schedule: what it begins, its next due times (UTC), what became of its last ones.

    Example: s3scan schedules show weekly
    """
    told = backend().schedule(name)
    if as_json:
        print_json(told)
        return
    lines = [(part, value) for part, value in told.items() if value and part not in _APART]
    lines += [(part, value) for part, value in told["access"].items() if value]
    lines += [("created_at", moment(told["created_at"])), *(("next run", moment(at)) for at in told["next_runs"])]
    print_table(["", ""], [(part, _told(value)) for part, value in lines], empty="")
    print_table(
        ["due", "state", "jobs", "reason"],
        [
            (moment(run["due_at"]), run["state"], " ".join(run["job_ids"]), _why(run, run["reason"]))
            for run in told["runs"]
        ],
        empty="It has not run yet.",
    )


def _told(value: Any) -> Any:
    return ", ".join(shown(one) for one in value) if isinstance(value, list) else value


def _why(run: Told, *others: str | None) -> str:
    left = " ".join(f"{one['bucket']}: {one['reason']}" for one in run["not_started"])
    return " ".join(filter(None, [*others, left]))


@app.command()
def pause(name: Name, as_json: AsJson = False) -> None:
    """Begin nothing until it is resumed; jobs that go on are not touched.

    Example: s3scan schedules pause weekly
    """
    _steer("pause", name, as_json=as_json)


@app.command()
def resume(name: Name, as_json: AsJson = False) -> None:
    """Go on with the next due time from now on; those meanwhile are not made up for.

    Example: s3scan schedules resume weekly
    """
    _steer("resume", name, as_json=as_json)


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove it; jobs that it began go on and stay.

    Example: s3scan schedules remove weekly
    """
    _steer("remove", name, as_json=as_json)


@app.command()
def run_now(name: Name, as_json: AsJson = False) -> None:
    """Begin its jobs now, besides its due times; prints their ids. The exit status is 3 when some bucket has none.

    Example: s3scan schedules run-now weekly
    """
    run = backend().run_schedule(name)
    is_short = run["state"] != "started" or bool(run["not_started"])
    if as_json:
        print_json(run)
    else:
        for job_id in run["job_ids"]:
            print(job_id)
        if is_short:
            print(_why(run, run["state"], run["reason"]))
    if is_short:
        raise typer.Exit(INCOMPLETE)


def _steer(action: str, name: str, *, as_json: bool) -> None:
    _tell(backend().steer_schedule(name, action), as_json=as_json, is_there=action != "remove")


def _tell(schedule: Told, *, as_json: bool, is_there: bool = True) -> None:
    if as_json:
        print_json(schedule)
    elif not is_there:
        print(f"{schedule['name']} is removed.")
    elif schedule["paused"]:
        print(f"{schedule['name']} is paused.")
    else:
        print(f"{schedule['name']} is due next at {shown(moment(schedule['next_runs'][0]))} UTC.")
