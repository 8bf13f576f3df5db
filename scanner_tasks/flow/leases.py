"""The leases of the batches that this process holds, renewed by one thread."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.log import get_logger
from scanner_tasks.store.batches import renew_leases
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from scanner_tasks.core.model import ClaimedBatch

log = get_logger()

#: Renewals in one lease: three may fail before it runs out.
_RENEWALS = 4


@dataclass(slots=True)
class Hold:
    """One batch in our hands."""

    #: Set when the claim is no longer ours.
    lost: threading.Event = field(default_factory=threading.Event)
    _moved_at: float = field(default_factory=time.monotonic)

    def touch(self) -> None:
        """Say that the scan goes on: call it before each object."""
        self._moved_at = time.monotonic()

    def age_s(self) -> float:
        """Seconds since the last touch."""
        return time.monotonic() - self._moved_at


class LeaseKeeper:
    """Renews what is held, all in one statement; tells a holder when its claim was taken away.

    A batch whose scan has not moved for ``stuck_after_s`` is renewed no more: its thread hangs, and another worker
    shall try it, in a child process.
    """

    def __init__(self, engine: Engine, *, lease_s: float, stuck_after_s: float) -> None:
        self.lease_s = lease_s
        self.stuck_after_s = stuck_after_s
        self._engine = engine
        self._held: dict[tuple[int, int, int], Hold] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, batch: ClaimedBatch) -> Iterator[Hold]:
        """Renew the batch's lease until the block ends."""
        claim, hold = (batch.job_no, batch.batch_no, batch.attempt), Hold()
        with self._lock:
            self._held[claim] = hold
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
        try:
            yield hold
        finally:
            with self._lock:
                self._held.pop(claim, None)

    def held(self) -> int:
        """Batches held now."""
        with self._lock:
            return len(self._held)

    def stop(self) -> None:
        """End the thread; leases run out by themselves then."""
        self._ended.set()

    def renew(self) -> None:
        """Renew all that is held, once."""
        with self._lock:
            held = {claim: hold for claim, hold in self._held.items() if hold.age_s() < self.stuck_after_s}
            stuck = len(self._held) - len(held)
        if stuck:
            log.warning("batches_stuck", count=stuck)
        if not held:
            return
        with transaction(self._engine) as connection:
            kept = renew_leases(connection, list(held), lease_s=self.lease_s)
        for claim, hold in held.items():
            if claim not in kept:
                hold.lost.set()

    def _run(self) -> None:
        while not self._ended.wait(self.lease_s / _RENEWALS):
            try:
                self.renew()
            except Unavailable:
                log.warning("leases_not_renewed", exc_info=True)  # the next round tries again
            except Exception:
                log.exception("leases_not_renewed")
