"""What each kind of process works with; ``bootstrap`` builds them from real clients, tests from fakes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from scanner_tasks.core.access import OWN
from scanner_tasks.core.rights import SYSTEM
from scanner_tasks.flow.isolation import Children

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Engine

    from scanner_tasks.aws.acting import ObjectActions
    from scanner_tasks.core.access import Access
    from scanner_tasks.core.ports import Executions, Metrics, Objects, Queues
    from scanner_tasks.core.rights import Caller
    from scanner_tasks.core.rule_changes import RulesetParts
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.detect.ruleset import Ruleset
    from scanner_tasks.flow.leases import LeaseKeeper
    from scanner_tasks.flow.protection import Guard
    from scanner_tasks.settings import Settings


def _builtin() -> Ruleset:
    # Imported here: the Lambdas, which rarely need rules, start without them.
    from scanner_tasks.rules import load_builtin  # noqa: PLC0415

    return load_builtin()


def _no_parts() -> RulesetParts | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Api:
    """Start jobs and read what they found."""

    settings: Settings
    engine: Engine
    objects: Objects
    executions: Executions
    #: Hash of the rules and budgets that a job begun now will use; asked when a job begins, since it reads the rules.
    ruleset_hash: Callable[[], str]
    #: The rules themselves, for explanations.
    ruleset: Callable[[], Ruleset] = _builtin
    #: The ruleset in parts, with its hash; None where only the hash is known, so that no change of it can be judged.
    ruleset_parts: Callable[[], RulesetParts | None] = _no_parts
    #: On whose behalf: every flow asks what he may do, and says in the audit log that it was he.
    caller: Caller = SYSTEM


@dataclass(frozen=True, kw_only=True)
class Feeder(Api):
    """List, dispatch, settle."""

    queues: Queues
    metrics: Metrics
    #: Seconds of a clock that only goes forward.
    clock: Callable[[], float] = time.monotonic


class Scanning(Protocol):
    """What one object is scanned with: a worker has it, and so has a local scan (flow/scan_local)."""

    @property
    def settings(self) -> Settings:
        """Budgets and what is planned."""

    @property
    def objects(self) -> Objects:
        """Where it is read from."""

    @property
    def detector(self) -> Detector:
        """Finds."""

    @property
    def scan_slots(self) -> threading.Semaphore:
        """Held while it is searched."""

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds that only go forward."""


@dataclass(frozen=True, kw_only=True)
class Worker(Api):
    """Scan batches."""

    detector: Detector
    leases: LeaseKeeper
    #: One slot for each thread that may detect at the same time: more are slower than one for each CPU.
    scan_slots: threading.Semaphore
    #: Starts a process that scans objects alone: flow/isolation.py.
    child_command: Sequence[str]
    #: Those that it has started.
    children: Children = field(init=False)
    #: One slot for each process that may run risky parsers at the same time.
    child_slots: threading.Semaphore = field(default_factory=lambda: threading.BoundedSemaphore(2))
    #: Asks ECS not to stop the process over an object that needs longer than a stop allows; None asks nothing.
    guard: Guard | None = None
    #: Set when the process shall end: batches are given back at the next object.
    stopping: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
    #: Seconds of CPU that this thread has taken.
    cpu_clock: Callable[[], float] = time.thread_time

    def __post_init__(self) -> None:
        """The children are the worker's own."""
        children = Children(
            self.child_command,
            object_max_s=self.settings.object_max_s,
            memory_bytes=self.settings.child_memory_bytes,
        )
        object.__setattr__(self, "children", children)


@dataclass(frozen=True, kw_only=True)
class Actor(Api):
    """Act on findings: a process of its own, with a role of its own."""

    actions: ObjectActions
    #: For redacted copies.
    detector: Detector
    clock: Callable[[], float] = time.monotonic


P = TypeVar("P", bound=Api)


def for_caller(parts: P, caller: Caller) -> P:
    """The parts on behalf of this caller; all else is shared."""
    return replace(parts, caller=caller)


def reaching(parts: P, access: Access) -> P:
    """The parts with their objects reached in this way; all else is shared, a worker's children too."""
    if access == OWN:
        return parts
    reached = replace(parts, objects=parts.objects.through(access))
    if isinstance(parts, Worker):
        object.__setattr__(reached, "children", parts.children)
    return reached
