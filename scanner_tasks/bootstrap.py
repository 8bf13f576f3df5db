"""The only place that builds real clients: one set for each kind of process, made once.

Rules and engine are imported where they are needed: the API starts without them.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from scanner_tasks import log, settings
from scanner_tasks.aws.clients import make_client, make_s3_client
from scanner_tasks.aws.executions import Executions
from scanner_tasks.aws.metrics import Metrics
from scanner_tasks.aws.objects import S3Objects
from scanner_tasks.aws.protection import TaskProtection
from scanner_tasks.aws.queues import Queues
from scanner_tasks.database import database_engine
from scanner_tasks.flow.isolation import GRACE_S as CHILD_GRACE_S
from scanner_tasks.flow.leases import LeaseKeeper
from scanner_tasks.flow.parts import Api, Feeder, Worker
from scanner_tasks.flow.protection import Guard

if TYPE_CHECKING:
    from scanner_tasks.settings import Settings


@cache
def api() -> Api:
    """For the API's Lambda, the CLI and Python callers."""
    return Api(**_common(settings.load()))


@cache
def feeder() -> Feeder:
    """For the Lambdas behind the state machine and for settle."""
    ours = settings.load()
    return Feeder(
        **_common(ours),
        queues=Queues(_client("sqs", ours), ours.queue_url_prefix),
        metrics=Metrics(_client("cloudwatch", ours), ours.metrics_namespace),
    )


@cache
def worker() -> Worker:
    """For a Celery worker: one set for all of its threads."""
    from scanner_tasks import rules  # noqa: PLC0415 (see the module's docstring)
    from scanner_tasks.core.redact import Fingerprinter  # noqa: PLC0415
    from scanner_tasks.detect.engine import Detector  # noqa: PLC0415

    ours, agent = settings.load(), os.environ.get("ECS_AGENT_URI")  # set by ECS, not by us
    common = _common(ours)
    fingerprinter = Fingerprinter(ours.fingerprint_key.get_secret_value().encode(), ours.fingerprint_key_id)
    detector = Detector(rules.load_builtin(), fingerprinter, occurrences_kept=ours.occurrences_kept)
    # While the worker still connects; whoever comes first waits for it.
    threading.Thread(target=detector.prepare, name="filter", daemon=True).start()
    return Worker(
        **common,
        detector=detector,
        leases=LeaseKeeper(common["engine"], lease_s=ours.lease_s, stuck_after_s=ours.object_max_s + CHILD_GRACE_S),
        guard=Guard(
            TaskProtection(agent) if agent else None,
            stop_timeout_s=ours.stop_timeout_s,
            bytes_per_s=ours.object_bytes_per_s,
            object_max_s=ours.object_max_s,
            longest_s=ours.protection_max_s,
        ),
        child_command=(sys.executable, "-m", "scanner_tasks.bootstrap"),
        child_slots=threading.BoundedSemaphore(ours.child_max),
        scan_slots=threading.BoundedSemaphore(ours.scan_threads or os.cpu_count() or 1),
    )


def stop_worker() -> None:
    """Ask the worker's threads to give back what they have not begun; call it when the process is told to stop."""
    if worker.cache_info().currsize:
        worker().stopping.set()


def _common(ours: Settings) -> dict[str, Any]:
    log.configure(ours.log_level)
    connections = ours.max_workers + 5
    return {
        "settings": ours,
        "engine": database_engine(ours),
        "objects": S3Objects(
            make_s3_client(region=ours.aws_region, endpoint_url=ours.aws_endpoint_url, pool_size=connections)
        ),
        "executions": Executions(_client("stepfunctions", ours), ours.state_machine_arn),
        "ruleset_hash": partial(ruleset_hash, ours),
    }


def _client(service: str, ours: Settings) -> Any:
    return make_client(service, region=ours.aws_region, endpoint_url=ours.aws_endpoint_url)


def ruleset_hash(ours: Settings) -> str:
    """Hash of all that decides what a scan finds: rules, and the budgets that end a read."""
    from scanner_tasks import rules  # noqa: PLC0415

    budgets = " ".join(
        str(budget)
        for budget in (
            ours.text_max_bytes,
            ours.object_max_s,
            ours.object_max_bytes,
            ours.occurrences_kept,
            ours.depth_max,
            ours.ratio_max,
            ours.ratio_free_bytes,
            ours.members_max,
            ours.rows_max,
            ours.pages_max,
            ours.spool_max_bytes,
            ours.whole_max_bytes,
            ours.child_memory_bytes,
        )
    )
    return hashlib.sha256(f"{rules.load_builtin().content_hash} {budgets}".encode()).hexdigest()[:16]


if __name__ == "__main__":  # the child of flow/isolation.py
    from scanner_tasks.flow.isolation import serve

    serve(worker())
