"""The state file of a local scan: what is done, so that ``--resume`` goes on; lines of JSON, appended meanwhile.

    {"s3scan_state": 1, "scan": …, "began": …, "digest": …}   which scan; the digest is of all that decides its result
    {"key": "a/b.csv", "outcome": 10, "findings": […], …}      an object with findings, or not scanned to its end
    {"mark": "c/d.txt", "objects": 812, "bytes": 90211}        all up to this key are done, so many without a line
    {"ended": true}                                            every object is

    Objects 0-5 and 7 done, 6 not: the mark is 5, and 7 has a line of its own. Resumed: 6 is scanned, 7 is not.

It holds what a report holds: names, places, masked values. An object that is added behind the mark's back is not seen.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.model import ObjectRef, ObjectResult, Outcome
from scanner_tasks.flow.isolation import findings_from
from scanner_tasks.flow.scan_local.crew import Done
from scanner_tasks.flow.scan_local.files import Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION: Final = 1
#: Objects between two marks; a scan that is killed does so many again, at most.
_EACH: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """What the first line says."""

    scan: str
    #: Seconds since 1970.
    began: float
    digest: str


@dataclass(kw_only=True)
class Former:
    """What an earlier run had done."""

    begun: Begun
    #: Objects with a line of their own, by key, in the order of their lines.
    done: dict[str, Done] = field(default_factory=dict)
    mark: str | None = None
    #: Of those up to the mark that have no line.
    objects: int = 0
    size_bytes: int = 0
    has_ended: bool = False


def read_journal(path: str) -> Former:
    """The state as it stands in the file, a line that was cut short left out; InvalidInput when it is no state file."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 (the path is a text, as the user gave it)
            lines = _lines(file)
            first = next(lines, {})
            if first.get("s3scan_state") != VERSION:
                raise InvalidInput(f"--state: {path}: no state file of this version; name another file.")
            former = Former(begun=Begun(scan=first["scan"], began=first["began"], digest=first["digest"]))
            for line in lines:
                _take(line, former)
    except (KeyError, ValueError, TypeError, UnicodeDecodeError):
        raise InvalidInput(f"--state: {path}: it is damaged; begin again with another file.") from None
    except OSError as error:
        raise InvalidInput(f"--state: {path}: {error.strerror}.") from None
    return former


def _lines(file: IO[str]) -> Iterator[dict[str, Any]]:
    for line in file:
        if line.endswith("\n"):
            yield json.loads(line)


def _take(line: dict[str, Any], former: Former) -> None:
    if "mark" in line:
        former.mark, former.objects, former.size_bytes = line["mark"], line["objects"], line["bytes"]
    elif "ended" in line:
        former.has_ended = True
    else:
        ref = ObjectRef(bucket=line["bucket"], key=line["key"], size_bytes=line["size_bytes"], etag="")
        result = ObjectResult(
            position=0,
            outcome=Outcome(line["outcome"]),
            findings=findings_from(line["findings"]),
            bytes_read=line["bytes_read"],
            detail=line["detail"],
            allowed=line["allowed"],
        )
        former.done[ref.key] = Done(-1, Listed(ref=ref), result)


class Journal:
    """Writes a state file; only its owner may read it.

    Args:
        path: where; what stood there is written anew.
        begun: the first line.
        former: what an earlier run had done.
        order: of the listing, by key.
    """

    def __init__(
        self, path: str, begun: Begun, former: Former | None, *, order: Callable[[str], tuple[bytes, ...]]
    ) -> None:
        self._path = path
        self._waiting: dict[int, Done] = {}
        self._next = 0
        self._mark = former.mark if former else None
        self._objects = former.objects if former else 0
        self._bytes = former.size_bytes if former else 0
        self._since = 0
        self._order = order
        self._begin = None if self._mark is None else order(self._mark)
        #: Of those done before, the keys behind the mark: they are listed again, and passed over.
        self._passed = set(former.done) if former else set()
        draft = f"{path}.new"
        try:
            self._file = open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")  # noqa: PTH123, SIM115 (closed by close)
            self._line({"s3scan_state": VERSION, **asdict(begun)})
            for done in former.done.values() if former else ():
                self._object(done)
            self._write_mark()
            os.replace(draft, path)  # noqa: PTH105
        except OSError as error:
            raise InvalidInput(f"--state: {path}: {error.strerror}.") from None

    def was_done(self, key: str) -> bool:
        """True for an object that an earlier run had done; safe while objects are added."""
        return key in self._passed or (self._begin is not None and self._order(key) <= self._begin)

    def add(self, done: Done) -> None:
        """Remember an object; in the order of the listing it is written."""
        self._waiting[done.number] = done
        while ready := self._waiting.get(self._next):
            # The line before the mark: interrupted between the two, it is there twice, and read once.
            if _has_line(ready):
                self._object(ready)
            else:
                self._objects += 1
                self._bytes += ready.listed.ref.size_bytes
            self._mark = ready.listed.ref.key
            del self._waiting[self._next]
            self._next += 1
            self._since += 1
        if self._since >= _EACH:
            self._write_mark()

    def close(self, *, has_ended: bool) -> None:
        """Write what is left: objects that were done before others that stand before them, and the mark."""
        self._write_mark()
        for number in sorted(self._waiting):
            self._object(self._waiting[number])
        if has_ended:
            self._line({"ended": True})
        self._file.close()

    def _write_mark(self) -> None:
        if self._mark is not None:
            self._line({"mark": self._mark, "objects": self._objects, "bytes": self._bytes})
        self._since = 0
        self._file.flush()

    def _object(self, done: Done) -> None:
        ref, told = done.listed.ref, asdict(done.result)
        kept = {name: told[name] for name in ("outcome", "findings", "bytes_read", "detail", "allowed")}
        self._line({"bucket": ref.bucket, "key": ref.key, "size_bytes": ref.size_bytes, **kept})

    def _line(self, told: dict[str, Any]) -> None:
        self._file.write(json.dumps(told, separators=(",", ":")) + "\n")


def _has_line(done: Done) -> bool:
    result = done.result
    return result.outcome is not Outcome.SCANNED or bool(result.findings) or bool(result.allowed)
