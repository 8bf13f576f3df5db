"""``s3scan ops watch-queues``, ``watch-scaling``, ``throughput``, ``workers``: the running fleet, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from scanner_tasks.cli.screen import AsJson, moment, print_json, print_table

Every = Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")]
Times = Annotated[int, typer.Option(min=0, help="Looks in all; 0 goes on until Ctrl-C.")]


def _looks(every: float, times: int) -> Iterator[None]:
    """Once now, then at even distances; ``times`` of them, or for ever."""
    began, done = time.monotonic(), 0
    while True:
        yield
        done += 1
        if done == times:
            return
        time.sleep(max(0.0, began + done * every - time.monotonic()))


def _now() -> str:
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def watch_queues(every: Every = 10.0, times: Times = 0, as_json: AsJson = False) -> None:
    """Show how many messages each queue holds: waiting, in flight, delayed.

    Example: s3scan ops watch-queues --every 5
    """
    from dataclasses import asdict  # noqa: PLC0415

    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core import lanes  # noqa: PLC0415

    parts = bootstrap.feeder()
    names = (*parts.settings.task_queue_names, lanes.DLQ, lanes.OBJECT_EVENTS, lanes.EVENTS)
    for _ in _looks(every, times):
        depths = {name: asdict(parts.queues.depth(name)) for name in names}
        if as_json:
            print_json({"at": _now(), "queues": depths})
            continue
        print(_now())
        rows = [(name, depth["visible"], depth["in_flight"], depth["delayed"]) for name, depth in depths.items()]
        print_table(["queue", "waiting#", "in flight#", "delayed#"], rows, empty="")


def watch_scaling(
    cluster: Annotated[str, typer.Option(help="ECS cluster.")] = "s3scan",
    service: Annotated[str, typer.Option(help="The workers' service in it.")] = "worker",
    every: Every = 30.0,
    times: Times = 0,
    as_json: AsJson = False,
) -> None:
    """Show how many workers are wanted, start and run, and the backlog that they follow.

    The backlog is what settle published last (BacklogBatches, of the last five minutes).

    Example: s3scan ops watch-scaling
    """
    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.aws.clients import make_client  # noqa: PLC0415
    from scanner_tasks.aws.fleet import Fleet  # noqa: PLC0415

    ours = settings.load()
    make: Callable[[str], Any] = lambda name: make_client(  # noqa: E731
        name, region=ours.aws_region, endpoint_url=ours.aws_endpoint_url
    )
    fleet = Fleet(make("ecs"), make("cloudwatch"), namespace=ours.metrics_namespace)
    for _ in _looks(every, times):
        tasks, backlog = fleet.tasks(cluster, service), fleet.backlog()
        per_task = None if backlog is None or not tasks.running else round(backlog / tasks.running, 1)
        told: dict[str, float | None] = {"wanted": tasks.wanted, "starting": tasks.starting, "running": tasks.running}
        told |= {"backlog_batches": backlog, "batches_per_task": per_task}
        if as_json:
            print_json({"at": _now(), **told})
        else:
            shown = ", ".join(f"{name.replace('_', ' ')} {'-' if n is None else n}" for name, n in told.items())
            print(f"{_now()}  {shown}")


def throughput(every: Every = 10.0, times: Times = 0, as_json: AsJson = False) -> None:
    """Show how fast objects and bytes get done, over all jobs, counted live.

    Example: s3scan ops throughput --every 30
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.store import throughput as sums  # noqa: PLC0415
    from scanner_tasks.store.engine import transaction  # noqa: PLC0415

    parts, before = bootstrap.api(), None
    for _ in _looks(every, times):
        with transaction(parts.engine) as connection:
            done = sums.done_so_far(connection)
        at = time.monotonic()
        if before is not None:
            then, former = before
            seconds = at - then
            rates = {
                "objects_per_s": round(max(0, done.objects - former.objects) / seconds, 1),
                "mb_per_s": round(max(0, done.bytes - former.bytes) / seconds / 1e6, 2),
            }
            if as_json:
                print_json({"at": _now(), "objects": done.objects, "bytes": done.bytes, **rates})
            else:
                print(
                    f"{_now()}  {rates['objects_per_s']:,} objects/s  {rates['mb_per_s']:,} MB/s  {done.objects:,} done"
                )
        before = at, done


def workers(as_json: AsJson = False) -> None:
    """Show how many worker processes are alive, by version: their slots, and how many are busy.

    Each tells every 30 seconds that it lives; those count that told within the last 90. With --json, one line in the
    form of GET /fleet.

    Example: s3scan ops workers
    """
    from scanner_tasks.cli.backend import backend  # noqa: PLC0415
    from scanner_tasks.cli.watch_job import workers_text  # noqa: PLC0415
    from scanner_tasks.core.errors import NotFound  # noqa: PLC0415

    fleet = backend().fleet()
    if fleet is None:
        raise NotFound("The API is of a release that does not tell its workers.")
    if as_json:
        print_json(fleet)
        return
    print(workers_text(fleet))
    if fleet["versions"]:
        print_table(
            ["version", "workers#", "slots#", "busy#", "last seen"],
            [
                (one["version"], one["workers"], one["slots"], one["busy"], moment(one["seen_at"]))
                for one in fleet["versions"]
            ],
            empty="",
        )
