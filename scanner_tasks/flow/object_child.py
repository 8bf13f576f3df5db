"""What the child processes of flow/isolation.py do: scan the objects that their worker names, one after the other.

A child's limit of memory is on what it can write to (RLIMIT_DATA), beyond what it began with: the address space, which
RLIMIT_AS counts, says little of a process whose libraries reserve hundreds of megabytes and use none of them.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import resource
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.access import from_json
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import ObjectRange, ObjectRef
from scanner_tasks.core.object_tags import from_json as tags_from_json
from scanner_tasks.flow.isolation import GRACE_S
from scanner_tasks.flow.nursery import give_back_memory, nurse
from scanner_tasks.flow.parts import reaching
from scanner_tasks.flow.scan_object import scan_object
from scanner_tasks.log import get_logger

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import TextIO

    from scanner_tasks.flow.parts import Scanning, Worker
    from scanner_tasks.settings import Settings

    #: Takes what is asked and what notes the parts searched, gives the result as JSON has it.
    Scan = Callable[[dict[str, Any], Callable[[int], None]], dict[str, Any]]

log = get_logger()

#: What every child shares. Not pyarrow, which starts threads: a process that has some must not be forked.
_LIBRARIES = ("fastavro", "pypdfium2", "python_calamine", "sqlite3")
#: A child is replaced after so many objects, and when it keeps more than this share of its memory to itself.
_MOST_OBJECTS, _MOST_GROWN = 1000, 0.5
#: What RLIMIT_DATA counts of the stacks of the nursery's threads and of libraries' buffers, though nobody uses it.
_STACKS_BYTES = 32 * 1024**2
#: Parts of a text that are told of one by one; after these, at most one in so many seconds.
_FIRST_PARTS, _NOTED_EACH_S = 1000, 0.01


def serve(worker: Worker) -> None:
    """In the nursery: make everything ready, then fork children that scan until their worker asks for no more."""
    from scanner_tasks.flow.scan_range import scan_range  # noqa: PLC0415 (a local scan does without, and without SQL)

    def scan(asked: dict[str, Any], note: Callable[[int], None]) -> dict[str, Any]:
        reached = reaching(worker, from_json(asked["access"]))
        place = asked["position"], ObjectRef(**asked["ref"])
        if wanted := asked["range"]:
            result = scan_range(*place, ObjectRange(**wanted), using=reached)
        else:
            tags = tags_from_json(asked["tags"])
            result = scan_object(
                *place, tags=tags, using=reached, is_isolated=True, note=note, stop_after=asked["parts"]
            )
        # It read the packs of rules when it started, which may be long after the worker did.
        return asdict(replace(result, ruleset_hash=worker.ruleset_hash()))

    serve_with(worker, scan)


def serve_with(worker: Scanning, scan: Scan) -> None:
    """As ``serve``, with another scan of what a line asks for."""
    worker.detector.prepare()
    for library in _LIBRARIES:
        importlib.import_module(library)
    nurse(lambda connection: _scan_what_is_asked(worker.settings, connection, scan))


def _scan_what_is_asked(settings: Settings, connection: socket.socket, scan: Scan) -> None:
    """In a child: scan what each line names, answer with a line, until there are no more."""
    begun = _data_bytes()
    if written := _written_bytes():
        # What the limit counts already though nobody has written to it may be more than stacks: what was freed before
        # the fork. The object has its memory beyond that.
        _limit(resource.RLIMIT_DATA, max(begun, written + _STACKS_BYTES) + settings.child_memory_bytes)
    with connection.makefile("r") as requests, connection.makefile("w") as answers:
        for number, line in enumerate(requests, 1):
            asked = json.loads(line)
            used = resource.getrusage(resource.RUSAGE_SELF)
            _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + settings.object_max_s + GRACE_S))
            answers.write(f"+{_resident_bytes()}\n")
            answers.flush()
            _end_with(connection, is_on=True)
            try:
                told = scan(asked, _Noting(answers))
            except Unavailable as error:
                told = {"unavailable": str(error)}
            _end_with(connection, is_on=False)
            give_back_memory()
            grown = _data_bytes() - begun
            told["is_tired"] = number >= _MOST_OBJECTS or grown > _MOST_GROWN * settings.child_memory_bytes
            answers.write(json.dumps(told) + "\n")
            answers.flush()


def _end_with(connection: socket.socket, *, is_on: bool) -> None:
    """While it is on, the end of the connection ends this process at once (SIGIO), whatever it is doing."""
    descriptor = connection.fileno()
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC if is_on else flags & ~os.O_ASYNC)


class _Noting:
    """Tells the worker how many parts of a text were searched: each of the first ones, then once in a while."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self._noted_at = 0.0

    def __call__(self, parts: int) -> None:
        now = time.monotonic()
        if parts <= _FIRST_PARTS or now - self._noted_at > _NOTED_EACH_S:
            self._noted_at = now
            self._answers.write(f"{parts}\n")
            self._answers.flush()


def _resident_bytes() -> int:
    """Memory that this process has now; from now on its peak is counted anew (Linux)."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write("5")
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def _data_bytes() -> int:
    """Bytes that this process may write to, as RLIMIT_DATA counts them: heap, stacks, anonymous memory (Linux)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[5]) * resource.getpagesize()
    except OSError:
        return 0


def _written_bytes() -> int:
    """Bytes of memory that this process has written to and not given back, what it shares included (Linux)."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))
    except (OSError, StopIteration):
        return 0


def _limit(kind: int, most: int) -> None:
    """Lower this process's limit, where the system lets it."""
    hard = resource.getrlimit(kind)[1]
    try:
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    except (OSError, ValueError):
        log.warning("limit_not_set", kind=kind)
