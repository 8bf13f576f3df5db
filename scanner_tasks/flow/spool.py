"""The spool: files for what cannot be read from front to back (archives, documents), within a bound for the process.

What does not fit any more is not waited for, since those that wait could hold what the others wait for: the object is
read as far as it was put aside, and ends as partial(bytes).
"""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import contextmanager
from functools import cache
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scanner_tasks.settings import Settings


class SpoolVolume:
    """Temporary files in one directory that together hold at most ``most`` bytes; safe for threads.

    Args:
        directory: where they are, nameless; None is the system's directory for such files.
        most: bytes of all of them.
        memory_bytes: a file no larger than this stays in memory, and counts all the same.
    """

    def __init__(self, directory: str | None, *, most: int, memory_bytes: int) -> None:
        self._directory = directory
        self._most = most
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._used = 0

    def file(self) -> IO[bytes]:
        """An empty file; what it held is given back when it is closed."""
        return _File(self, max_size=self._memory_bytes, dir=self._directory)

    def take(self, size: int) -> None:
        """Count bytes that are about to be written; ExtractError(partial(bytes)) when there is no room for them."""
        with self._lock:
            if self._used + size > self._most:
                raise ExtractError(
                    f"The worker's spool is full ({self._most} bytes): it is read as far as it was put aside.",
                    Outcome.PARTIAL_BYTES,
                )
            self._used += size

    def give_back(self, size: int) -> None:
        """Count bytes that are gone."""
        with self._lock:
            self._used -= size


class _File(SpooledTemporaryFile[bytes]):
    def __init__(self, volume: SpoolVolume, **options: Any) -> None:
        super().__init__(**options)
        self._volume = volume
        self._directory = options["dir"] or tempfile.gettempdir()
        self._taken = 0

    def rollover(self) -> None:
        """To the disk: nameless, but so that it can be given a name (Linux)."""
        if self._rolled:  # type: ignore[has-type]
            return
        try:
            descriptor = os.open(self._directory, os.O_RDWR | os.O_TMPFILE, 0o600)
        except (OSError, AttributeError):  # the file system or the system does not know it
            super().rollover()
            return
        on_disk, held = os.fdopen(descriptor, "w+b"), self._file
        on_disk.write(held.getvalue())  # type: ignore[attr-defined]  # a BytesIO so far
        on_disk.seek(held.tell())
        self._file, self._rolled = on_disk, True

    @contextmanager
    def named(self) -> Iterator[str | None]:
        """A name of the file for a moment, for a library that opens only what has one; None where none can be had."""
        self.rollover()
        self.flush()
        name = f"{self._directory}/s3scan-{uuid4().hex}"
        try:
            # The directory is of no use to a path that is whole; with one, links are followed.
            os.link(f"/proc/self/fd/{self.fileno()}", name, src_dir_fd=self.fileno())
        except OSError:
            yield None
            return
        try:
            yield name
        finally:
            os.unlink(name)  # noqa: PTH108

    def write(self, data: Any) -> int:
        self._volume.take(len(data))
        self._taken += len(data)
        return super().write(data)

    def close(self) -> None:
        super().close()
        taken, self._taken = self._taken, 0
        self._volume.give_back(taken)

    def __exit__(self, *_: object) -> None:
        self.close()


def spool_of(settings: Settings, *, is_isolated: bool) -> Callable[[], IO[bytes]]:
    """Makes the files of this process: of all its threads, or, in a child, of its one object."""
    most = settings.spool_max_bytes if is_isolated else settings.spool_volume_bytes
    return _volume(settings.spool_directory or None, most, settings.spool_memory_bytes).file


@cache
def _volume(directory: str | None, most: int, memory_bytes: int) -> SpoolVolume:
    return SpoolVolume(directory, most=most, memory_bytes=memory_bytes)
