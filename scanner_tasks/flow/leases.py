"""The leases of the batches that this process holds, renewed by one thread."""

from __future__ import annotations

import threading
from contextlib import contextmanager
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


class LeaseKeeper:
    """Renews what is held, all in one statement; tells a holder when its claim was taken away."""

    def __init__(self, engine: Engine, *, lease_s: float) -> None:
        self.lease_s = lease_s
        self._engine = engine
        self._held: dict[tuple[int, int, int], threading.Event] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, batch: ClaimedBatch) -> Iterator[threading.Event]:
        """Renew the batch's lease until the block ends; the event is set when the claim is no longer ours."""
        claim, lost = (batch.job_no, batch.batch_no, batch.attempt), threading.Event()
        with self._lock:
            self._held[claim] = lost
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
        try:
            yield lost
        finally:
            with self._lock:
                self._held.pop(claim, None)

    def stop(self) -> None:
        """End the thread; leases run out by themselves then."""
        self._ended.set()

    def renew(self) -> None:
        """Renew all that is held, once."""
        with self._lock:
            held = dict(self._held)
        if not held:
            return
        with transaction(self._engine) as connection:
            kept = renew_leases(connection, list(held), lease_s=self.lease_s)
        for claim, lost in held.items():
            if claim not in kept:
                lost.set()

    def _run(self) -> None:
        while not self._ended.wait(self.lease_s / _RENEWALS):
            try:
                self.renew()
            except Unavailable:
                log.warning("leases_not_renewed", exc_info=True)  # the next round tries again
            except Exception:
                log.exception("leases_not_renewed")
