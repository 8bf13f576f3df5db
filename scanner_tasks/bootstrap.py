"""The only place that builds real clients: one set for each kind of process, made once.

Rules and engine are imported where they are needed: the API starts without them.
"""

from __future__ import annotations

import getpass
import os
import sys
import threading
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner_tasks import log, settings, tracing
from scanner_tasks.aws.acting import ObjectActions
from scanner_tasks.aws.clients import make_client, make_signing_client
from scanner_tasks.aws.executions import Executions
from scanner_tasks.aws.faults import Backoff
from scanner_tasks.aws.metrics import Metrics
from scanner_tasks.aws.objects import ObjectReader
from scanner_tasks.aws.protection import TaskProtection
from scanner_tasks.aws.queues import Queues
from scanner_tasks.aws.sources import Sources
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.rights import everything
from scanner_tasks.core.rights_rules import read_rights
from scanner_tasks.core.version import own_version
from scanner_tasks.database import database_engine
from scanner_tasks.flow.heart import Heart
from scanner_tasks.flow.isolation import GRACE_S as CHILD_GRACE_S
from scanner_tasks.flow.leases import LeaseKeeper
from scanner_tasks.flow.nursery import give_back_memory, keep_little_memory
from scanner_tasks.flow.pace import FleetPace
from scanner_tasks.flow.parts import Actor, Api, Feeder, Worker
from scanner_tasks.flow.protection import Guard

if TYPE_CHECKING:
    from scanner_tasks.core.model import Confidence
    from scanner_tasks.core.redact import Fingerprinter
    from scanner_tasks.core.rights_rules import Rights
    from scanner_tasks.core.rule_changes import RulesetParts
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.detect.ruleset import Ruleset
    from scanner_tasks.rules.load import Loaded
    from scanner_tasks.settings import Settings


@cache
def trace() -> None:
    """Begin to trace, where the settings ask for it; the children of workers do not."""
    ours = settings.load()
    is_worker = worker.cache_info().currsize
    tracing.configure(ours.trace_share, service="s3scan-worker" if is_worker else "s3scan")


@cache
def api() -> Api:
    """For the API's Lambda, the CLI and Python callers."""
    return Api(**_common(settings.load()))


@cache
def rights() -> Rights | None:
    """Who may do what, as the settings say; None where they say nothing. Raises InvalidInput."""
    told = settings.load().rights.strip()
    if not told:
        return None
    if not told.startswith("{"):
        try:
            told = Path(told).read_text()
        except (OSError, ValueError) as error:
            raise InvalidInput("S3SCAN_RIGHTS: neither a JSON object nor a file that can be read.") from error
    return read_rights(told)


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
    keep_little_memory()
    ours, agent = settings.load(), os.environ.get("ECS_AGENT_URI")  # set by ECS, not by us
    common = _common(ours)
    loaded, detector = _detection(ours)
    # What runs is what was read at the start, whatever the packs hold by now.
    own_hash = ruleset_hash(ours, loaded.ruleset)
    # While the worker still connects; whoever comes first waits for it.
    threading.Thread(target=_make_ready, args=(detector,), name="filter", daemon=True).start()
    return Worker(
        **{**common, "ruleset_hash": lambda: own_hash, "ruleset": lambda: loaded.ruleset},
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


@cache
def actor() -> Actor:
    """For a worker of the actions' queue; the only process whose role may change anything in S3."""
    ours = settings.load()
    common = _common(ours)
    loaded, detector = _detection(ours)
    client = make_signing_client(
        "s3",
        region=ours.aws_region,
        endpoint_url=ours.s3_endpoint_url or ours.aws_endpoint_url,
        credentials=None,
        pool_size=ours.max_workers + 5,
        attempts=ours.s3_attempts,
    )
    return Actor(**{**common, "ruleset": lambda: loaded.ruleset}, detector=detector, actions=ObjectActions(client))


def _detection(ours: Settings) -> tuple[Loaded, Detector]:
    """The rules, and what finds by them."""
    from scanner_tasks.detect.engine import Detector  # noqa: PLC0415 (see the module's docstring)

    loaded = load_rules(ours)
    for note in loaded.notes:
        log.get_logger().warning("rule_pack_note", source=note.source, rule_id=note.rule_id, note=note.message)
    present, *former = fingerprinters(ours)
    detector = Detector(
        loaded.ruleset,
        present,
        occurrences_kept=ours.occurrences_kept,
        window_bytes=ours.read_window_bytes,
        former=former,
    )
    return loaded, detector


@cache
def text_detector(threshold: Confidence, *, test_values: bool) -> Detector:
    """For a text at hand: the rules as the settings name them; without a fingerprint key, one that nobody keeps."""
    import secrets  # noqa: PLC0415

    from scanner_tasks.core.redact import Fingerprinter  # noqa: PLC0415
    from scanner_tasks.detect.engine import Detector  # noqa: PLC0415

    ours = settings.load()
    is_set = bool(ours.fingerprint_key.get_secret_value())
    keys = fingerprinters(ours) if is_set else (Fingerprinter(secrets.token_bytes(32), "none"),)
    ruleset = load_rules(ours).ruleset
    return Detector(ruleset, keys[0], threshold=threshold, test_values=test_values, former=keys[1:])


def _make_ready(detector: Detector) -> None:
    """The filter's making leaves much memory free that the system would not get back by itself."""
    from scanner_tasks.rules.prepared import prepare  # noqa: PLC0415

    prepare(detector)
    give_back_memory()


def stop_worker() -> None:
    """Ask the worker's threads to give back what they have not begun; call it when the process is told to stop."""
    if worker.cache_info().currsize:
        worker().stopping.set()


@cache
def heart() -> Heart:
    """What tells the ledger that this Celery worker lives; not for its children."""
    parts = worker()
    return Heart(parts.engine, version=own_version(), slots=parts.settings.max_workers, busy=parts.leases.held)


def stop_heart() -> None:
    """Tell the ledger that this worker ends, if it was told of it."""
    if heart.cache_info().currsize:
        heart().stop()


def _common(ours: Settings) -> dict[str, Any]:
    log.configure(ours.log_level)
    engine = database_engine(ours)
    return {
        "settings": ours,
        "engine": engine,
        "objects": _objects(ours, FleetPace(engine)),
        "executions": Executions(_client("stepfunctions", ours), ours.state_machine_arn),
        "ruleset_hash": partial(ruleset_hash, ours),
        "ruleset": lambda: load_rules(ours).ruleset,
        "ruleset_parts": partial(ruleset_parts, ours),
        "caller": everything(f"os:{_user()}", via="cli"),
    }


def _user() -> str:
    """The system's user, whose CLI or Python this is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as containers have them
        return str(os.getuid())


def _client(service: str, ours: Settings) -> Any:
    return make_client(service, region=ours.aws_region, endpoint_url=ours.aws_endpoint_url)


def _objects(ours: Settings, pace: FleetPace | None = None) -> ObjectReader:
    return Sources(
        backend=ours.s3_backend,
        region=ours.aws_region,
        aws_endpoint_url=ours.aws_endpoint_url,
        s3_endpoint_url=ours.s3_endpoint_url,
        profiles=ours.allowed_endpoints,
        roles=ours.allowed_roles,
        pool_size=max(ours.max_workers + 5, ours.list_connections),
        connect_timeout_s=ours.s3_connect_timeout_s,
        read_timeout_s=ours.s3_read_timeout_s,
        min_bytes_per_s=ours.s3_min_bytes_per_s,
        backoff=Backoff(attempts=ours.s3_attempts),
        pace=pace,
    ).own()


def load_rules(ours: Settings) -> Loaded:
    """The rules as the settings name them, read now."""
    from scanner_tasks.flow import load_rules as loading  # noqa: PLC0415 (see the module's docstring)

    return loading.load_rules(ours.rules, partial(_objects, ours))


def ruleset_hash(ours: Settings, ruleset: Ruleset | None = None) -> str:
    """Hash of all that decides what a scan finds; of the rules as they are now where none are given."""
    from scanner_tasks.flow import load_rules as loading  # noqa: PLC0415

    return loading.ruleset_hash(ruleset or load_rules(ours).ruleset, ours)


def ruleset_parts(ours: Settings) -> RulesetParts:
    """The rules as they are now, in parts, with their hash."""
    from scanner_tasks.flow import load_rules as loading  # noqa: PLC0415

    return loading.ruleset_parts(load_rules(ours).ruleset, ours)


def fingerprinters(ours: Settings) -> tuple[Fingerprinter, ...]:
    """The present key's, and then those of former keys."""
    from scanner_tasks.core.redact import Fingerprinter  # noqa: PLC0415

    keys = {ours.fingerprint_key_id: ours.fingerprint_key, **ours.former_fingerprint_keys}
    return tuple(Fingerprinter(key.get_secret_value().encode(), key_id) for key_id, key in keys.items())


if __name__ == "__main__":  # the child of flow/isolation.py
    from scanner_tasks.flow.object_child import serve

    _make_ready(worker().detector)
    serve(worker())
