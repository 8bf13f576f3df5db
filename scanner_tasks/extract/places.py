"""Paths inside plain text, worked out only where something was found: column of a table, JSON path, element.

What detection reads stays the plain text; a path is asked for after a finding, from the segment that holds it and a
little state kept from the segments before. Where the state does not suffice (a cell of several lines, a document of
many megabytes) no path is told rather than a wrong one; line and column are always right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Protocol, Self, TypeAlias

PathAt: TypeAlias = Callable[[int], str]

#: Bytes kept of a line that the next segment goes on with.
MOST_LINE = 256 * 1024
#: Characters that a path tells of a name.
NAME_CHARS = 60
#: Bytes of a document of many lines in which paths are told.
_MOST_DOCUMENT = 4 * 1024 * 1024
_CHECK_EVERY = 64 * 1024


class Places:
    """The same path all through: what text without structure has."""

    #: A segment ends behind one of these where it can, so that ``shown`` sees whole words; b"" = anywhere.
    ends = b""

    def __init__(self, root: str = "", inside: Callable[[str], str] = str) -> None:
        self.root = root
        self._inside = inside

    def of(self, data: bytes, line: int) -> PathAt | None:
        """What tells the paths in the text's next segment, which begins in that line; None where all are ``root``."""
        del data, line
        return None

    def shown(self, data: bytes) -> bytes:
        """What detection sees of the segment: as long, its lines where they were."""
        return data


class Position(Protocol):
    """Where in a document one stands."""

    def copy(self) -> Self:
        """The same, to go on from another time."""

    def walk(self, data: bytes, at: int) -> int | None:
        """Go on over ``data`` as far as ``at``: how far that was in whole tokens; None where no path can be told."""

    def path(self, rest: bytes) -> str:
        """Where that is, ``rest`` being what stands between the last whole token and the place asked for."""


class Document(Places):
    """One document over many lines: kept as far as paths are told, and read only when one is asked for."""

    def __init__(self, root: str, inside: Callable[[str], str], begin: Position) -> None:
        super().__init__(root, inside)
        self._data = bytearray()
        #: Byte and position, now and then on the way: the next question begins at the last before it.
        self._checks: list[tuple[int, Position]] = [(0, begin)]

    def of(self, data: bytes, line: int) -> PathAt | None:  # noqa: D102
        del line
        first = len(self._data)
        if first + len(data) > _MOST_DOCUMENT:
            return None
        self._data += data
        return lambda at: self._path(first + at)

    def _path(self, at: int) -> str:
        begin, known = self._checks[bisect_right(self._checks, at, key=lambda check: check[0]) - 1]
        position = known.copy()
        while True:
            # A token that the piece's end cuts is read again with the next piece.
            piece = bytes(self._data[begin : begin + _CHECK_EVERY])
            done = position.walk(piece, min(at - begin, len(piece)))
            if done is None:
                return self.root
            if begin + len(piece) >= at:
                return self._inside(position.path(piece[done : at - begin]))
            if not done:  # a token longer than the piece: what is in it cannot be told from what is not
                return self.root
            begin += done
            if begin > self._checks[-1][0]:
                self._checks.append((begin, position.copy()))
