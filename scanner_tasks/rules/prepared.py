"""A detector made ready in milliseconds: what its filter was compiled to is kept in a directory of this user's own.

Compiling hundreds of patterns takes seconds, and every process needs them: workers, the child that reads an object
apart, the command line. The library trusts what it loads, so the directory must belong to this user and be closed to
all others; else nothing is read from it, and nothing written.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner_tasks.detect.engine import Detector


def prepare(detector: Detector, directory: Path | None = None) -> None:
    """Makes the detector's filter, from the directory where it was kept there; a fault of the directory is no matter.

    Args:
        detector: The detector.
        directory: Where it is kept; by default ``s3scan-<user id>`` among the temporary files.
    """
    directory = directory or Path(tempfile.gettempdir()) / f"s3scan-{os.getuid()}"
    file = directory / f"filter-{detector.ruleset.content_hash[:32]}"
    is_private = _is_private(directory)
    saved = _read(file) if is_private else b""
    dumped = detector.prepare(saved)
    if is_private and dumped and dumped != saved:
        _write(file, dumped)


def _is_private(directory: Path) -> bool:
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _write(file: Path, content: bytes) -> None:
    # Under a name of its own first: another process may read or write at the same time.
    try:
        handle, name = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        Path(name).replace(file)
    except OSError:
        return
