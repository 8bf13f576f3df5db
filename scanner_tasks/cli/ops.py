"""``s3scan ops …``: the whole fleet."""

from __future__ import annotations

import typer

from scanner_tasks.cli import fill_secrets, watch
from scanner_tasks.cli.screen import AsJson, print_json, print_table

app = typer.Typer(
    help="Stop the whole fleet, let it go on, settle now, watch it.", no_args_is_help=True, rich_markup_mode=None
)
app.command(name="watch-queues")(watch.watch_queues)
app.command(name="watch-scaling")(watch.watch_scaling)
app.command()(watch.throughput)
app.command(name="fill-secrets")(fill_secrets.fill_secrets)


@app.command(name="pause-all")
def pause_all(as_json: AsJson = False) -> None:
    """Stop the fleet: nothing is sent, no batch is claimed, what workers hold is planned again. Jobs may still begin.

    Example: s3scan ops pause-all
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import control  # noqa: PLC0415

    changed = control.pause_all(using=bootstrap.api())
    _say("The fleet is paused." if changed else "The fleet was paused already.", paused=True, as_json=as_json)


@app.command(name="resume-all")
def resume_all(as_json: AsJson = False) -> None:
    """Let the fleet go on exactly where it stopped. Jobs that were paused by themselves stay paused.

    Example: s3scan ops resume-all
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import control  # noqa: PLC0415

    changed = control.resume_all(using=bootstrap.api())
    _say("The fleet goes on." if changed else "The fleet was not paused.", paused=False, as_json=as_json)


def _say(line: str, *, paused: bool, as_json: bool) -> None:
    if as_json:
        print_json({"paused": paused})
    else:
        print(line)


@app.command()
def settle(as_json: AsJson = False) -> None:
    """Do now what EventBridge does each minute: sweep, take dead letters, end jobs, refresh the progress.

    Safe at any time, also while another one runs.

    Example: s3scan ops settle
    """
    from dataclasses import asdict  # noqa: PLC0415

    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import settle as settling  # noqa: PLC0415

    report = asdict(settling.settle(using=bootstrap.feeder()))
    if as_json:
        print_json(report)
    else:
        print_table(["", "#"], [(name.replace("_", " "), n) for name, n in report.items()], empty="")
