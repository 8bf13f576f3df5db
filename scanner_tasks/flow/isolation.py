"""Objects scanned in a child process, one at a time, so that one that kills or hangs its process costs itself only.

Objects that need a risky parser (PDF, workbooks, databases) are scanned here at once, under limits of memory and time.
From a batch's second attempt on its objects are scanned here: some object of it may have killed the worker before.

    Object 7 of 100 makes the parser crash. Attempt 1: the worker dies with its 20 batches, 19 of them not at fault.
    Attempt 2 of each: in a child. The child of object 7 dies: 7 is failed(crashed), another child goes on with 8. The
    other 19 batches are scanned to their ends, and no object of theirs fails.

Parent and child speak JSON lines over a socket; nothing that the child says is executed. The child ends when the socket
closes, which the death of its parent brings about. What the child does: flow/object_child.py.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import weakref
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Self

from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import (
    Column,
    Confidence,
    Location,
    ObjectRange,
    ObjectRef,
    ObjectResult,
    Occurrence,
    Outcome,
    RuleFindings,
    Severity,
)
from scanner_tasks.core.object_tags import ANY_TAGS, TagCondition
from scanner_tasks.flow.nursery import Ended, Nursery
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType


log = get_logger()

#: Seconds that a child may take beyond the object's own budget, its start included.
GRACE_S = 30.0
_READ_BYTES = 65536
#: Signals by which a process ends whose library got no more memory: it aborts, or goes on without.
_WITHOUT_MEMORY = frozenset({-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGTRAP, -signal.SIGILL})
#: Share of a child's memory that it had taken by then: a buffer that is to be doubled asks for the other half.
_LEAST_GROWN = 0.5
#: A result is far smaller: at most the kept occurrences of every rule.
_MAX_ANSWER_BYTES = 16 * 1024**2


class ObjectChild:
    """A child process that scans objects, one at a time; another takes its place when it has died of one.

    Args:
        nursery: forks it.
        object_max_s: budget of one object in seconds.
        memory_bytes: what a child may take beyond what it begins with.
    """

    def __init__(self, nursery: Nursery, *, object_max_s: float, memory_bytes: int) -> None:
        self._nursery = nursery
        self._memory_bytes = memory_bytes
        self._limit_s = object_max_s + GRACE_S
        self._forked: tuple[int, socket.socket] | None = None
        #: Its memory when it began with the object at hand; 0 where it cannot tell.
        self._began_bytes = 0
        self._is_interrupted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def scan(
        self,
        position: int,
        ref: ObjectRef,
        wanted: ObjectRange | None = None,
        *,
        access: Access = OWN,
        tags: TagCondition = ANY_TAGS,
    ) -> ObjectResult:
        """As ``scan_object``, or ``scan_range`` of the bytes that are wanted; the bucket is reached by ``access``.

        failed(crashed) when the child died over it, partial(bytes) when it died because it had no more memory,
        failed(timed_out) when it did not end. What stands before the place where it died is found: another child
        searches so many parts of the text, and no more.

            A PDF of 9 pages kills its process at page 7. The child had told "6 parts": another one searches 6.
        """
        wants = asdict(wanted) if wanted else None
        asked = {"position": position, "ref": asdict(ref), "range": wants, "access": access.to_json(), "parts": None}
        asked["tags"] = tags.to_json()
        began = time.monotonic()
        result, parts = self._ask(asked)
        if not parts:
            return result
        if 2 * (time.monotonic() - began) > self._limit_s:
            return result  # there is no time to do it again
        before, _ = self._ask({**asked, "parts": parts})
        if before.outcome in {Outcome.FAILED_CRASHED, Outcome.FAILED_TIMED_OUT}:
            return result
        detail = f"{result.detail} What was found stands in the first {parts} parts of its text."
        if result.outcome.kind == "partial":
            detail += f" Read: {before.bytes_read} of {ref.size_bytes} bytes."
        return replace(before, outcome=result.outcome, detail=detail)

    def _ask(self, asked: dict[str, Any]) -> tuple[ObjectResult, int]:
        """The child's result; if it died instead, how many parts of the text it said that it had searched."""
        self._forked, position = self._forked or self._fork(), asked["position"]
        if self._is_interrupted:
            raise Unavailable("It was interrupted.")
        parts = 0
        try:
            answer, parts = self._answer(self._forked[1], json.dumps(asked).encode() + b"\n")
        except TimeoutError:
            self.end()
            log.warning("object_timed_out", position=position)
            timed_out = ObjectResult(
                position=position,
                outcome=Outcome.FAILED_TIMED_OUT,
                detail=f"It was not scanned within {self._limit_s:.0f} s, also on its own.",
            )
            return timed_out, 0
        except OSError:
            answer = b""
        if not answer:
            return self._died(position), parts
        told: dict[str, Any] = json.loads(answer)
        if told.pop("is_tired", False):
            self.end()
        if "unavailable" in told:
            raise Unavailable(told["unavailable"])
        return _result(told), 0

    def _fork(self) -> tuple[int, socket.socket]:
        forked = self._nursery.fork()
        weakref.finalize(self, forked[1].close)  # a child that is forgotten ends
        return forked

    def interrupt(self) -> None:
        """From another thread, and for good: what is being scanned ends at once, and nothing is scanned any more."""
        self._is_interrupted = True
        if forked := self._forked:
            with suppress(OSError):
                forked[1].shutdown(socket.SHUT_RDWR)

    def end(self) -> Ended | None:
        """End the process, if there is one: how it ended, as far as it is known."""
        if self._forked is None:
            return None
        (pid, connection), self._forked = self._forked, None
        connection.close()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # it is not reaped before, so no other process has its number
        return self._nursery.reap(pid)

    def _died(self, position: int) -> ObjectResult:
        ended = self.end()
        status = ended.status if ended else None
        grown_bytes = ended.peak_bytes - self._began_bytes if ended and self._began_bytes else 0
        if not self._is_interrupted:
            log.warning("object_crashed_its_process", position=position, exit_status=status, grown_bytes=grown_bytes)
        if status in _WITHOUT_MEMORY and grown_bytes >= _LEAST_GROWN * self._memory_bytes:
            return ObjectResult(
                position=position,
                outcome=Outcome.PARTIAL_BYTES,
                detail=f"A part of it needs more memory than one object may have ({self._memory_bytes} bytes).",
            )
        if status == -signal.SIGXCPU:
            return ObjectResult(
                position=position,
                outcome=Outcome.FAILED_TIMED_OUT,
                detail=f"It was not scanned within {self._limit_s:.0f} s of processor time.",
            )
        return ObjectResult(
            position=position,
            outcome=Outcome.FAILED_CRASHED,
            detail=f"The process that scanned it alone ended with status {status}.",
        )

    def _answer(self, connection: socket.socket, asked: bytes) -> tuple[bytes, int]:
        """One line, b"" when the child ended before it was whole, and the last number of parts that came before it.

        First the child tells the memory that it begins with, then how many parts it has searched, then its answer.

        TimeoutError when it took too long.
        """
        deadline, lines, parts, self._began_bytes = time.monotonic() + self._limit_s, bytearray(), 0, 0
        connection.settimeout(self._limit_s)
        connection.sendall(asked)
        while True:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                piece = connection.recv(_READ_BYTES)
            except ConnectionError:
                piece = b""
            lines += piece
            if not piece or len(lines) > _MAX_ANSWER_BYTES:
                return b"", parts
            while b"\n" in lines:
                line, _, lines = lines.partition(b"\n")
                if line.startswith(b"+"):
                    self._began_bytes = int(line)
                elif line.isdigit():
                    parts = int(line)
                else:
                    return bytes(line), parts


class Children:
    """A worker's children: kept from batch to batch, since what a parser has loaded serves the next object too."""

    def __init__(self, command: Sequence[str], *, object_max_s: float, memory_bytes: int) -> None:
        self._nursery = Nursery(command)
        self._object_max_s = object_max_s
        self._memory_bytes = memory_bytes
        self._idle: list[ObjectChild] = []

    @contextmanager
    def one(self) -> Iterator[ObjectChild]:
        """A child for a while. How many there are is the caller's to bound."""
        try:
            child = self._idle.pop()
        except IndexError:
            child = ObjectChild(self._nursery, object_max_s=self._object_max_s, memory_bytes=self._memory_bytes)
        try:
            yield child
        except BaseException:
            child.end()
            raise
        self._idle.append(child)

    def close(self) -> None:
        """End all that are idle, and what forks them."""
        while self._idle:
            self._idle.pop().end()
        self._nursery.close()


def _result(told: dict[str, Any]) -> ObjectResult:
    return ObjectResult(
        position=told["position"],
        outcome=Outcome(told["outcome"]),
        findings=findings_from(told["findings"]),
        bytes_read=told["bytes_read"],
        detail=told["detail"],
        allowed=told["allowed"],
        ruleset_hash=told["ruleset_hash"],
    )


def findings_from(told: Sequence[dict[str, Any]]) -> tuple[RuleFindings, ...]:
    """What ``asdict`` made of findings, and JSON of that."""
    return tuple(_findings(found) for found in told)


def _findings(told: dict[str, Any]) -> RuleFindings:
    return RuleFindings(
        rule_id=told["rule_id"],
        severity=Severity(told["severity"]),
        confidence=Confidence(told["confidence"]),
        count=told["count"],
        occurrences=tuple(
            Occurrence(**{**place, "location": Location(**place["location"]), "evidence": tuple(place["evidence"])})
            for place in told["occurrences"]
        ),
        allowed=told["allowed"],
        columns=tuple(Column(**column) for column in told["columns"]),
    )
