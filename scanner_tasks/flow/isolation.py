"""Objects scanned in a child process, one at a time, so that one that kills or hangs its process costs itself only.

Objects that need a risky parser (PDF, workbooks, databases) are scanned here at once, under limits of memory and time.
From a batch's second attempt on its objects are scanned here: some object of it may have killed the worker before.

    Object 7 of 100 makes the parser crash. Attempt 1: the worker dies with its 20 batches, 19 of them not at fault.
    Attempt 2 of each: in a child. The child of object 7 dies: 7 is failed(crashed), another child goes on with 8. The
    other 19 batches are scanned to their ends, and no object of theirs fails.

Parent and child speak JSON lines over the child's stdin and stdout; nothing that the child says is executed. The child
ends when its stdin closes, which the death of its parent brings about.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Self

from scanner_tasks.core.access import OWN, Access, from_json
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import (
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
from scanner_tasks.flow.parts import reaching
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import TextIO

    from scanner_tasks.flow.parts import Worker

log = get_logger()

#: Seconds that a child may take beyond the object's own budget, its start included.
GRACE_S = 30.0
_READ_BYTES = 65536
#: A result is far smaller: at most the kept occurrences of every rule.
_MAX_ANSWER_BYTES = 16 * 1024**2


class ObjectChild:
    """A child process that scans objects; a context manager that ends it.

    Args:
        command: starts a process that calls ``serve``.
        object_max_s: budget of one object in seconds.
        access: how the objects' bucket is reached.
    """

    def __init__(self, command: Sequence[str], *, object_max_s: float, access: Access = OWN) -> None:
        self._access = access.to_json()
        self._command = command
        self._limit_s = object_max_s + GRACE_S
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def scan(self, position: int, ref: ObjectRef, wanted: ObjectRange | None = None) -> ObjectResult:
        """As ``scan_object``, or ``scan_range`` of the bytes that are wanted.

        failed(crashed) when the child died over it, failed(timed_out) when it did not end.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        asked = {
            "position": position,
            "ref": asdict(ref),
            "range": asdict(wanted) if wanted else None,
            "access": self._access,
        }
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
            answer = self._answer(process)
        except BrokenPipeError:
            answer = b""
        except TimeoutError:
            self._end()
            log.warning("object_timed_out", position=position)
            return ObjectResult(
                position=position,
                outcome=Outcome.FAILED_TIMED_OUT,
                detail=f"It was not scanned within {self._limit_s:.0f} s, also on its own.",
            )
        if not answer:
            status = self._end()
            log.warning("object_crashed_its_process", position=position, exit_status=status)
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
        told: dict[str, Any] = json.loads(answer)
        if "unavailable" in told:
            raise Unavailable(told["unavailable"])
        return _result(told)

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        return self._process

    def _answer(self, process: subprocess.Popen[bytes]) -> bytes:
        """One line; b"" when the child ended before it was whole. TimeoutError when it took too long."""
        assert process.stdout is not None
        descriptor, line = process.stdout.fileno(), bytearray()
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], self._limit_s)
            if not ready:
                raise TimeoutError
            piece = os.read(descriptor, _READ_BYTES)
            line += piece
            if not piece or len(line) > _MAX_ANSWER_BYTES:
                return b""
        return bytes(line)

    def _end(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        status = process.poll()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        return process.returncode if status is None else status


def serve(worker: Worker, *, requests: TextIO = sys.stdin, answers: TextIO = sys.stdout) -> None:
    """In the child: scan what each line of ``requests`` names, answer with a line, until there are no more."""
    # Imported here: the Lambdas, which never scan, start without it.
    from scanner_tasks.flow.scan_object import scan_object  # noqa: PLC0415
    from scanner_tasks.flow.scan_range import scan_range  # noqa: PLC0415

    _limit(resource.RLIMIT_AS, worker.settings.child_memory_bytes)
    for line in requests:
        asked = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + worker.settings.object_max_s + GRACE_S))
        try:
            reached = reaching(worker, from_json(asked["access"]))
            place = asked["position"], ObjectRef(**asked["ref"])
            if wanted := asked["range"]:
                result = scan_range(*place, ObjectRange(**wanted), using=reached)
            else:
                result = scan_object(*place, using=reached, is_isolated=True)
            # It read the packs of rules when it started, which may be long after the worker did.
            told: dict[str, Any] = asdict(replace(result, ruleset_hash=worker.ruleset_hash()))
        except Unavailable as error:
            told = {"unavailable": str(error)}
        answers.write(json.dumps(told) + "\n")
        answers.flush()


def _limit(kind: int, most: int) -> None:
    """Lower this process's limit, where the system lets it."""
    hard = resource.getrlimit(kind)[1]
    try:
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    except (OSError, ValueError):
        log.warning("limit_not_set", kind=kind)


def _result(told: dict[str, Any]) -> ObjectResult:
    return ObjectResult(
        position=told["position"],
        outcome=Outcome(told["outcome"]),
        findings=tuple(_findings(found) for found in told["findings"]),
        bytes_read=told["bytes_read"],
        detail=told["detail"],
        allowed=told["allowed"],
        ruleset_hash=told["ruleset_hash"],
    )


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
    )
