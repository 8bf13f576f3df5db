"""The Celery application: ``celery -A scanner_tasks.app worker``.

celery -A scanner_tasks.app worker --without-gossip --without-mingle --heartbeat-interval 15 -n w-$ID
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import threading
from typing import TYPE_CHECKING, Any

from celery import Celery, signals

from scanner_tasks import log, settings, sqs, tracing
from scanner_tasks.sqs import intake

if TYPE_CHECKING:
    from collections.abc import Sequence


class Application(Celery):  # type: ignore[misc]
    """Celery, except that the keys and the prefix which a request names are shown to nobody."""

    def send_task(self, name: str, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        """As Celery's. Flower and logs see the bucket and the number of keys; only the message's body has the keys."""
        if name == SCAN_OBJECTS:
            given = {**dict(zip(("bucket", "keys"), args or (), strict=False)), **(kwargs or {})}
            options["argsrepr"] = f"({given.get('bucket')!r}, <{len(given.get('keys') or ())} keys>)"
            options["kwargsrepr"] = "{}"
        elif name == SCAN_PREFIX:
            given = {**dict(zip(("bucket", "prefix"), args or (), strict=False)), **(kwargs or {})}
            options["argsrepr"] = f"({given.get('bucket')!r}{', <prefix>' if given.get('prefix') else ''})"
            options["kwargsrepr"] = "{}"
        return super().send_task(name, args, kwargs, *rest, **options)


SCAN_BATCH = "scanner_tasks.scan_batch"
SCAN_PREFIX = "scanner_tasks.scan_prefix"
SCAN_OBJECTS = "scanner_tasks.scan_objects"
ACT = "scanner_tasks.act"

app = Application("scanner_tasks", include=["scanner_tasks.tasks"])
app.config_from_object("celeryconfig")
sqs.install_steps(app)


def lane_of(bucket: str, lanes: Sequence[str], dedicated: dict[str, str]) -> str:
    """The lane of a message that no job has chosen one for: the bucket's own, else by rendezvous hash.

    Every process finds the same lane without asking; a lane more moves one bucket in n only.

    Examples:
        >>> lane_of("b", ["scan-0", "scan-1"], {"b": "scan-1"})
        'scan-1'
        >>> lane_of("b", ["scan-0", "scan-1"], {}) == lane_of("b", ["scan-1", "scan-0"], {})
        True
    """
    if bucket in dedicated:
        return dedicated[bucket]
    shared = [lane for lane in lanes if lane not in dedicated.values()] or list(lanes)
    return max(shared, key=lambda lane: hashlib.sha256(f"{lane}/{bucket}".encode()).digest())


def route(
    name: str,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    options: dict[str, Any],  # noqa: ARG001 (Celery's signature)
    task: Any = None,  # noqa: ARG001
    **_: Any,
) -> dict[str, Any] | None:
    """Celery router: a request to scan goes to its bucket's lane, in its bucket's message group."""
    if name not in (SCAN_PREFIX, SCAN_OBJECTS):
        return None  # scan_batch goes where it is told
    bucket = str(kwargs["bucket"] if "bucket" in kwargs else args[0])
    values = settings.load()
    return {"queue": lane_of(bucket, values.lane_names, values.dedicated_lanes), "MessageGroupId": bucket}


@signals.celeryd_init.connect
def _log_json(instance: Any = None, **_: Any) -> None:
    """In our workers Celery's own lines are JSON, as ours are; not in another application's, which only sends to us."""
    if getattr(instance, "app", None) is app:
        signals.after_setup_logger.connect(_write_json)
        signals.after_setup_task_logger.connect(_write_json)


def _write_json(logger: Any = None, **_: Any) -> None:
    for handler in logger.handlers:
        handler.setFormatter(log.JsonLines())


@signals.worker_init.connect
def _warm_up(**_: Any) -> None:
    """Before the first message: open the pools, load the rules, so that the first batch does not wait for them."""
    if importlib.util.find_spec("scanner_tasks.bootstrap") is not None:
        bootstrap: Any = importlib.import_module("scanner_tasks.bootstrap")
        if settings.load().worker_role == "act":
            bootstrap.actor()
            return
        guard = bootstrap.worker().guard
        bootstrap.trace()
        if guard is not None:  # a task that ECS protects takes nothing new meanwhile
            guard.while_protected = intake.closed


@signals.worker_ready.connect
def _beat(sender: Any = None, **_: Any) -> None:
    """Tell the ledger that this worker lives, once it would also tell that it ends: before, a signal just kills it."""
    bootstrap: Any = sys.modules.get("scanner_tasks.bootstrap")
    if bootstrap is None or settings.load().worker_role == "act":
        return
    slots = getattr(getattr(sender, "controller", None), "concurrency", None)  # the command line's, which may be "auto"
    bootstrap.heart().start(slots=slots if isinstance(slots, int) else None)


@signals.task_revoked.connect
def _skip_revoked(sender: Any = None, request: Any = None, expired: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002
    """A revoked batch is acknowledged without having run: the ledger is told, away from the event loop."""
    if expired or getattr(sender, "name", None) != SCAN_BATCH:
        return
    bootstrap: Any = importlib.import_module("scanner_tasks.bootstrap")
    revoke: Any = importlib.import_module("scanner_tasks.flow.revoke")
    batch = revoke.arguments_of(request.argsrepr or "")
    if batch is not None:
        threading.Thread(
            target=revoke.skip_revoked, args=batch, kwargs={"using": bootstrap.worker()}, name="revoke"
        ).start()


@signals.worker_shutting_down.connect
def _stop(**_: Any) -> None:
    """At the signal that ends the worker, while its tasks run: they stop at their next object and give back the rest.

    (``worker_shutdown`` would be too late: Celery sends it when all tasks have ended.)
    """
    bootstrap: Any = sys.modules.get("scanner_tasks.bootstrap")
    if bootstrap is not None:
        bootstrap.stop_worker()


@signals.worker_shutdown.connect
def _end(**_: Any) -> None:
    """At the worker's end, when all of its tasks have ended."""
    bootstrap: Any = sys.modules.get("scanner_tasks.bootstrap")
    if bootstrap is not None:
        bootstrap.stop_heart()
    tracing.flush()
