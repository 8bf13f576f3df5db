r"""Files of this machine as objects: the same contract as S3's (``core.ports.Objects``), held to it by its tests.

A file's key is its path as one would open it from where the scan began: ``data/a.csv`` for a folder ``data``. Bytes of
a name that are no UTF-8 stand in the key as ``\xe9``. Its ETag is made of inode, size and time of change, so that a
file that is replaced while it is read is noticed like an overwritten object.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Self

from scanner_tasks.core.errors import InvalidInput, ObjectChanged, ObjectDenied, ObjectError, ObjectGone
from scanner_tasks.core.model import ObjectRef, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from scanner_tasks.core.access import Access
    from scanner_tasks.core.listing.markers import Marker
    from scanner_tasks.core.ports import Page, VersionPage

_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")
_KINDS = (
    (stat.S_ISFIFO, "A named pipe: not read."),
    (stat.S_ISSOCK, "A socket: not read."),
    (stat.S_ISCHR, "A device: not read."),
    (stat.S_ISBLK, "A device: not read."),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """An object as listed: PENDING is to be scanned, anything else is what became of it already, and why."""

    ref: ObjectRef
    outcome: Outcome = Outcome.PENDING
    detail: str | None = None


def key_of(path: bytes) -> str:
    r"""The key of a path.

    Examples:
        >>> key_of(b"caf\xe9.txt")
        'caf\\xe9.txt'
    """
    return path.decode("utf-8", "backslashreplace")


def path_of(key: str) -> bytes:
    """The path of a key that ``key_of`` made."""
    path = key.encode("utf-8", "surrogateescape")
    if b"\\x" in path and not os.path.lexists(path):
        return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), path)
    return path


def order_of(key: str) -> tuple[bytes, ...]:
    """What the walk is in the order of: folder by folder, names by their bytes."""
    return tuple(path_of(key).split(b"/"))


def walk(folder: str, *, own: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Listed]:
    """Every file below a folder in ``order_of``, and whatever else is there with the reason why it is not read.

    Args:
        folder: its path.
        own: device and inode of files that this scan itself writes.
    """
    root = os.fsencode(folder)
    begin = b"" if root in {b".", b"./"} else root.rstrip(b"/") + b"/"
    waiting = [_entries(root, begin)]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif isinstance(entry, bytes):
            waiting.append(_entries(entry, entry + b"/"))
        elif _is_own(entry, own):
            yield Listed(ref=entry.ref, outcome=Outcome.SKIPPED_EXCLUDED, detail="This scan writes it.")
        else:
            yield entry


def _is_own(entry: Listed, own: frozenset[tuple[int, int]]) -> bool:
    if not own or entry.outcome is not Outcome.PENDING:
        return False
    try:
        found = os.stat(path_of(entry.ref.key))  # noqa: PTH116 (bytes)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) in own


def _entries(path: bytes, begin: bytes) -> Iterator[Listed | bytes]:
    """The folder's entries; a folder in it is its path."""
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield _unread(key_of(begin), error, "The folder")
        return
    for entry in entries:
        at = begin + entry.name
        try:
            if entry.is_dir(follow_symlinks=False):
                yield at
            else:
                yield listed(key_of(at), entry.stat(follow_symlinks=False))
        except OSError as error:
            yield _unread(key_of(at), error, "It")


def listed(key: str, found: os.stat_result) -> Listed:
    """A file as its status says."""
    ref = ObjectRef(bucket="", key=key, size_bytes=found.st_size, etag=_etag(found))
    if stat.S_ISREG(found.st_mode):
        return Listed(ref=ref)
    if stat.S_ISLNK(found.st_mode):
        return Listed(ref=ref, outcome=Outcome.SKIPPED_EXCLUDED, detail="A symbolic link: not followed.")
    told = next((told for is_kind, told in _KINDS if is_kind(found.st_mode)), "No regular file: not read.")
    return Listed(ref=ref, outcome=Outcome.SKIPPED_UNSUPPORTED, detail=told)


def _unread(key: str, error: OSError, what: str) -> Listed:
    told = _object_error(error, what)
    ref = ObjectRef(bucket="", key=key, size_bytes=0, etag="")
    return Listed(ref=ref, outcome=told.outcome, detail=str(told))


def _object_error(error: OSError, what: str = "It") -> ObjectError:
    why = error.strerror or type(error).__name__
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ObjectGone(f"{what} was deleted after it was listed.")
    if isinstance(error, PermissionError):
        return ObjectDenied(f"{what} cannot be read: {why}.")
    return ObjectError(f"{what} cannot be read: {why}.")


def _etag(found: os.stat_result) -> str:
    return f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"


class LocalFiles:
    """Files as objects; the bucket is "" throughout.

    Args:
        followed: the key of a file that may be a link, because the user named it.
        streams: descriptors of files without a name, by their key.
    """

    def __init__(self, *, followed: str = "", streams: Mapping[str, int] | None = None) -> None:
        self._followed = followed
        self._streams = dict(streams or {})

    def through(self, access: Access) -> Self:  # noqa: ARG002 (same call as S3's)
        """Itself: files are reached in one way."""
        return self

    def account(self) -> NoReturn:
        """Files have none."""
        raise InvalidInput("Files of this machine are in no account: name a folder.")

    def check_bucket(self, bucket: str) -> None:
        """Nothing can be wrong."""

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int = 1000) -> Page:  # noqa: ARG002
        """Refused: folders are walked."""
        raise InvalidInput("Files are not listed in pages.")

    def list_versions(self, bucket: str, *, prefix: str, after: Marker | None, max_keys: int = 1000) -> VersionPage:  # noqa: ARG002
        """Refused: files have none."""
        raise InvalidInput("Files have no versions.")

    def head(self, bucket: str, key: str, version_id: str | None = None) -> ObjectRef:  # noqa: ARG002 (same call as S3's)
        """The file as it is now; raises ObjectGone, ObjectDenied or ObjectError."""
        descriptor = self._open(key)
        try:
            return listed(key, os.fstat(descriptor)).ref
        finally:
            os.close(descriptor)

    def tags(self, ref: ObjectRef) -> dict[str, str]:  # noqa: ARG002 (same call as S3's)
        """Files have none."""
        return {}

    def open(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> FileBody:
        """The bytes of exactly the listed file; what is wrong with it is said by the first ``read``."""
        return FileBody(self, ref, first_byte, last_byte)

    def _open(self, key: str) -> int:
        try:
            if key in self._streams:
                return os.dup(self._streams[key])
            # O_NONBLOCK: a pipe that took the file's place must not be waited for.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            return os.open(path_of(key), flags if key == self._followed else flags | os.O_NOFOLLOW)
        except OSError as error:
            raise _object_error(error) from error


class FileBody:
    """A file being read; the file's own place is not moved, so that its descriptor may be shared."""

    def __init__(self, files: LocalFiles, ref: ObjectRef, first_byte: int, last_byte: int | None) -> None:
        self._files = files
        self._ref = ref
        self._first = first_byte
        self._end = ref.size_bytes if last_byte is None else min(ref.size_bytes, last_byte + 1)
        self._descriptor: int | None = None
        self.bytes_read = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes: exactly ``size`` of them except at the end; b"" after it. Raises an ObjectError."""
        descriptor = self._descriptor if self._descriptor is not None else self._begin()
        wanted = min(size, self._end - self._first - self.bytes_read)
        parts = []
        while wanted > 0:
            try:
                part = os.pread(descriptor, wanted, self._first + self.bytes_read)
            except OSError as error:
                raise _object_error(error) from error
            if not part:
                raise ObjectChanged("The file is shorter than it was listed.")
            parts.append(part)
            self.bytes_read += len(part)
            wanted -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _begin(self) -> int:
        self._descriptor = descriptor = self._files._open(self._ref.key)  # noqa: SLF001 (they are one)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or (self._ref.etag and _etag(found) != self._ref.etag):
            raise ObjectChanged("The file was changed after it was listed.")
        return descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
