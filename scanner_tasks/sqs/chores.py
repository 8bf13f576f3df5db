"""DeleteMessage and ChangeMessageVisibility away from the event loop, in batches.

kombu 5.7.0 deletes each message with a blocking call on the event loop, with boto3's 60 s timeouts (``basic_ack``): one
dead socket stops every poll of the worker, and an error that is no connection error ends it. Here one thread for each
channel sends up to ten deletes in a request and tries again with backoff; the loop goes on.

A delete that fails in the end costs a second delivery after the visibility timeout, which at-least-once delivery
allows anyway. It is never lost silently: one line in the log.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from kombu.log import get_logger

from scanner_tasks.sqs.backoff import pause_s

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

log = get_logger(__name__)

BATCH = 10
#: With their pauses they outlast a minute without SQS.
ATTEMPTS = 14
#: Once the channel closes there is little time left.
ATTEMPTS_AT_CLOSE = 2


@dataclass(frozen=True, kw_only=True)
class Chore:
    """One message to settle."""

    client: Any
    url: str
    receipt: str
    #: None deletes it; 0 makes it visible at once.
    visibility_s: int | None = None


class Chores:
    """A thread, started at the first chore, that settles messages in the order they come."""

    def __init__(self) -> None:
        self._todo: SimpleQueue[Chore | None] = SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._count = threading.Lock()
        #: Chores not yet settled: their messages are in flight still.
        self.pending = 0

    def add(self, chore: Chore) -> None:
        """Settle this message soon; never blocks, never raises."""
        with self._count:
            self.pending += 1
        self._todo.put(chore)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sqs-chores", daemon=True)
            self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """Finish what is waiting; True when all is done within the time."""
        self._closing.set()
        if self._thread is None:
            return True
        self._todo.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        late: list[_Try] = []
        is_open = True
        while is_open or late:
            fresh: list[_Try] = []
            if is_open:
                fresh, is_open = self._arrivals(until=min((one.due for one in late), default=None))
            now = monotonic()
            due = [one for one in late if one.due <= now or self._closing.is_set()]
            late = [one for one in late if one not in due]
            for batch in _batches(fresh + due):
                failed = self._settle(batch)
                late += failed
                with self._count:
                    self.pending -= len(batch) - len(failed)

    def _arrivals(self, *, until: float | None) -> tuple[list[_Try], bool]:
        """What has come until then, at once if something has; and whether more may come."""
        chores: list[Chore | None] = []
        with contextlib.suppress(Empty):
            chores.append(self._todo.get(timeout=None if until is None else max(0.0, until - monotonic())))
            while True:
                chores.append(self._todo.get_nowait())
        return [_Try(chore) for chore in chores if chore], None not in chores

    def _settle(self, batch: list[_Try]) -> list[_Try]:
        """One request; those to be tried again, without holding up others meanwhile."""
        first = batch[0].chore
        what = "ChangeMessageVisibility" if first.visibility_s is not None else "DeleteMessage"
        try:
            failed = _send([one.chore for one in batch])
            why = "; ".join(sorted({str(entry.get("Code")) for entry in failed.values()}))
            refused = [index for index, entry in failed.items() if entry.get("SenderFault")]
            if refused:  # an expired receipt: the message has been, or will be, delivered again
                log.warning("SQS %s refused for %d message(s) of %s: %s", what, len(refused), first.url, why)
            again = [batch[index] for index in failed if index not in refused]
        except Exception as error:  # noqa: BLE001 (HTTP errors, dead sockets, bodies that cannot be read)
            why, again = repr(error), batch
        attempts = ATTEMPTS_AT_CLOSE if self._closing.is_set() else ATTEMPTS
        lost = [one for one in again if one.attempt >= attempts]
        if lost:
            log.error("SQS %s given up for %d message(s) of %s: %s", what, len(lost), first.url, why)
        kept = [_Try(one.chore, one.attempt + 1, _due(one.attempt)) for one in again if one.attempt < attempts]
        if kept:
            log.warning("SQS %s of %s failed, will try again: %s", what, first.url, why)
        return kept


@dataclass(frozen=True)
class _Try:
    """One chore, the number of its next attempt, and when that is due."""

    chore: Chore
    attempt: int = 1
    due: float = 0.0


def _due(attempt: int) -> float:
    return monotonic() + pause_s(attempt, longest_s=10)


def _batches(tries: Iterable[_Try]) -> Iterator[list[_Try]]:
    """Those that may share a request, ten at most."""
    alike: dict[tuple[int, str, bool], list[_Try]] = defaultdict(list)
    for one in tries:
        alike[id(one.chore.client), one.chore.url, one.chore.visibility_s is None].append(one)
    for group in alike.values():
        for start in range(0, len(group), BATCH):
            yield group[start : start + BATCH]


def _send(batch: list[Chore]) -> dict[int, dict[str, Any]]:
    """Send one request; the failed entries by their place in ``batch``."""
    first = batch[0]
    entries: list[dict[str, Any]] = [{"Id": str(n), "ReceiptHandle": chore.receipt} for n, chore in enumerate(batch)]
    if first.visibility_s is None:
        answer = first.client.delete_message_batch(QueueUrl=first.url, Entries=entries)
    else:
        for entry, chore in zip(entries, batch, strict=True):
            entry["VisibilityTimeout"] = chore.visibility_s
        answer = first.client.change_message_visibility_batch(QueueUrl=first.url, Entries=entries)
    # Only what SQS names as done is done: botocore reads a body cut short as an answer without entries.
    done = {entry["Id"] for entry in answer.get("Successful", [])}
    failed = {entry["Id"]: entry for entry in answer.get("Failed", [])}
    return {n: failed.get(str(n), {"Code": "NoAnswer"}) for n in range(len(batch)) if str(n) not in done}
