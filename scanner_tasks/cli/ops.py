"""``s3scan ops …``: the whole fleet."""

from __future__ import annotations

from typing import Annotated

import typer

from scanner_tasks.cli import fill_secrets, watch
from scanner_tasks.cli.screen import AsJson, print_json, print_table

app = typer.Typer(
    help="Stop the whole fleet, let it go on, settle now, watch it.", no_args_is_help=True, rich_markup_mode=None
)
app.command(name="watch-queues")(watch.watch_queues)
app.command(name="watch-scaling")(watch.watch_scaling)
app.command()(watch.throughput)
app.command()(watch.workers)
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


@app.command(name="limit-requests")
def limit_requests(
    bucket: Annotated[str | None, typer.Argument(help="Name of the bucket; without it the limits are shown.")] = None,
    per_s: Annotated[
        float | None, typer.Argument(min=1, help="Requests a second of the whole fleet; without it the limit goes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cap what the whole fleet asks of a bucket each second, so that its owner's traffic comes first.

    GET, HEAD and LIST count, of all workers and functions together; in force within seconds. Buckets that S3 has asked
    to slow down are shown too.

    Example: s3scan ops limit-requests production-data 200
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.names import check_bucket  # noqa: PLC0415
    from scanner_tasks.store import bucket_rates  # noqa: PLC0415
    from scanner_tasks.store.engine import transaction  # noqa: PLC0415

    with transaction(bootstrap.api().engine) as connection:
        if bucket is not None:
            bucket_rates.set_cap(connection, check_bucket(bucket), per_s)
        rates = [one for one in bucket_rates.list_rates(connection) if bucket in {None, one.bucket}]
    if as_json:
        for one in rates:
            print_json({"bucket": one.bucket, "max_per_s": one.max_per_s, "now_per_s": one.now_per_s})
    else:
        print_table(
            ["bucket", "limit a second#", "now#"],
            ((one.bucket, one.max_per_s, None if one.now_per_s is None else round(one.now_per_s, 1)) for one in rates),
            empty="No bucket has a limit." if bucket is None else f"{bucket} has no limit.",
        )


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
