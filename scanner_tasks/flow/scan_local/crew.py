"""Objects scanned on all cores: a thread for each child process, one that lists ahead, and results as they come.

Every object is scanned in a child (flow/isolation.py): one that crashes or hangs its parser costs itself only.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import ObjectResult, Outcome
from scanner_tasks.flow.isolation import ObjectChild

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from scanner_tasks.flow.nursery import Nursery
    from scanner_tasks.flow.scan_local.files import Listed

#: Objects that the listing may be ahead of the oldest one that is not done: they wait in memory.
_AHEAD = 20_000
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Done:
    """An object with what became of it; ``number`` is its place in the listing, from 0."""

    number: int
    listed: Listed
    result: ObjectResult


class Crew:
    """Scans what a listing gives.

    Args:
        nursery: forks the children.
        size: children at a time.
        object_max_s: budget of one object in seconds.
        memory_bytes: what a child may take beyond what it begins with.
    """

    def __init__(self, nursery: Nursery, *, size: int, object_max_s: float, memory_bytes: int) -> None:
        self._nursery = nursery
        self._children = [
            ObjectChild(nursery, object_max_s=object_max_s, memory_bytes=memory_bytes) for _ in range(size)
        ]
        self._work: queue.SimpleQueue[tuple[int, Listed] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Done | Exception | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(_AHEAD)
        self._stopping = threading.Event()
        self._is_stopped = False

    def stop(self) -> None:
        """End ``run`` early, as if all was done; a signal's handler may call it."""
        self._is_stopped = True
        self._results.put(None)

    def run(self, listing: Callable[[], Iterable[Listed]], told: Callable[[Listed | None], None]) -> Generator[Done]:
        """Every object of the listing, in the order in which they are done.

        Args:
            listing: what to scan; it runs in a thread of its own.
            told: called there with each object as it is listed, and with None when there are no more.

        Raises:
            Whatever the listing raises, and Unavailable when no child can be had, behind what was done until then.
            Leaving the iterator early ends the children at once, whatever they are doing.
        """
        threads = [threading.Thread(target=self._list, args=(listing, told), name="listing", daemon=True)]
        threads += [
            threading.Thread(target=self._scan, args=(child,), name=f"child-{n}", daemon=True)
            for n, child in enumerate(self._children)
        ]
        for thread in threads:
            thread.start()
        left, failed = len(threads), None
        try:
            while left and not self._is_stopped:
                done = self._results.get()
                if done is None:
                    left -= 1
                elif isinstance(done, Exception):
                    failed = failed or done
                    self._stopping.set()
                else:
                    self._room.release()
                    yield done
        finally:
            self._stop()
            for thread in threads[1:]:  # the one that lists may wait for S3, or for somebody who types
                thread.join()
        if failed:
            raise failed

    def _stop(self) -> None:
        self._stopping.set()
        for child in self._children:
            child.interrupt()
        for _ in self._children:
            self._work.put(None)

    def _list(self, listing: Callable[[], Iterable[Listed]], told: Callable[[Listed | None], None]) -> None:
        try:
            for number, listed in enumerate(listing()):
                while not self._room.acquire(timeout=_LOOK_S):
                    if self._stopping.is_set():
                        return
                if self._stopping.is_set():
                    return
                told(listed)
                if listed.outcome is Outcome.PENDING:
                    self._work.put((number, listed))
                else:
                    result = ObjectResult(position=number, outcome=listed.outcome, detail=listed.detail)
                    self._results.put(Done(number, listed, result))
            told(None)
        except Exception as error:  # noqa: BLE001 (the main thread raises it)
            self._results.put(error)
        finally:
            for _ in self._children:
                self._work.put(None)
            self._results.put(None)

    def _scan(self, child: ObjectChild) -> None:
        try:
            while (asked := self._work.get()) and not self._stopping.is_set():
                number, listed = asked
                result = child.scan(number, listed.ref)
                if self._stopping.is_set():
                    return  # it may have been interrupted
                self._results.put(Done(number, listed, result))
        except Unavailable as error:
            if not self._stopping.is_set():
                self._results.put(error)
        finally:
            with contextlib.suppress(OSError):
                child.end()
            self._results.put(None)
