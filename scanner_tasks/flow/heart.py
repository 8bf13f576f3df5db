"""A worker process tells the ledger every half minute that it lives, with its slots and how many are busy.

For people alone: nothing that scans depends on it. A beat that fails is not repeated, the next one comes anyway.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import uuid4

from scanner_tasks.core.errors import ScannerError
from scanner_tasks.log import get_logger
from scanner_tasks.store import workers
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

log = get_logger()

#: Seconds between two beats.
EVERY_S = 30.0
#: Seconds that the end of a process waits for the ledger; the row is forgotten by itself otherwise.
_LEAVE_S = 5.0


class Heart:
    """The beats of one process.

    Args:
        engine: the ledger's.
        version: of this program.
        slots: batches that the process scans at the same time.
        busy: tells how many it holds now.
        every_s: seconds between two beats.
    """

    def __init__(
        self, engine: Engine, *, version: str, slots: int, busy: Callable[[], int], every_s: float = EVERY_S
    ) -> None:
        self.worker_id = uuid4()
        self._engine = engine
        self._version = version
        self._slots = slots
        self._busy = busy
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self, *, slots: int | None = None) -> None:
        """Beat now, and from now on, with other slots if they are given; returns at once."""
        self._slots = slots or self._slots
        self._thread.start()

    def stop(self) -> None:
        """Beat no more, and take the row away; waits a few seconds for it at most."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_LEAVE_S)

    def beat(self) -> None:
        """Beat once. Raises ScannerError."""
        with transaction(self._engine) as connection:
            workers.beat(
                connection,
                self.worker_id,
                version=self._version,
                slots=self._slots,
                busy=min(self._busy(), self._slots),
            )

    def _run(self) -> None:
        self._try(self.beat)
        while not self._ended.wait(self._every_s):
            self._try(self.beat)
        self._try(self._leave)

    def _leave(self) -> None:
        with transaction(self._engine) as connection:
            workers.leave(connection, self.worker_id)

    def _try(self, what: Callable[[], None]) -> None:
        try:
            what()
        except ScannerError:
            log.warning("heartbeat_failed")
        except Exception:
            log.exception("heartbeat_failed")
