"""How much of one object is read, and the reader that holds to it.

Every layer of an object (the bytes as stored, and what each decompression makes of them) is read through a ``Metered``
reader, so that no layer can grow without end: a bomb ends as partial(bytes) or partial(time), in bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome

#: Takes a size, gives the next bytes, at most that many; b"" at the end.
Read = Callable[[int], bytes]

#: Longest read between two looks at the clock.
_PIECE = 128 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What one object may cost."""

    #: Bytes of any layer: what lies behind is left unread, as partial(bytes).
    max_bytes: int
    #: Reading of the clock at which the object ends as partial(time).
    deadline: float
    #: Compressions inside one another.
    max_depth: int = 10
    #: Bytes of text, in its own encoding, that make a segment.
    window_bytes: int = 1024 * 1024


class Metered:
    """One layer's bytes within the budget.

    Exactly ``max_bytes`` are handed out before ``ExtractError(partial(bytes))``; a layer of that very length ends as
    any other.
    """

    def __init__(self, read: Read, budget: Budget, clock: Callable[[], float]) -> None:
        self._read = read
        self._budget = budget
        self._clock = clock
        self._left = budget.max_bytes

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        if self._clock() >= self._budget.deadline:
            raise ExtractError("The object took longer than its time budget.", Outcome.PARTIAL_TIME)
        if not self._left:
            if not self._read(1):
                return b""
            raise ExtractError(
                f"The object holds more than its budget of {self._budget.max_bytes} bytes.", Outcome.PARTIAL_BYTES
            )
        data = self._read(min(size, self._left, _PIECE))
        self._left -= len(data)
        return data


class Peeked:
    """A layer whose first bytes have been looked at and are read again.

    An ExtractError that stopped the look is raised in its place, behind the bytes that came before it.
    """

    def __init__(self, read: Read, head_bytes: int) -> None:
        self._read = read
        self.head, self._error = read_window(read, head_bytes)
        self._pushed_back = self.head

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        if self._pushed_back:
            data, self._pushed_back = self._pushed_back[:size], self._pushed_back[size:]
            return data
        if self._error:
            raise self._error
        return self._read(size)


def read_window(read: Read, size: int) -> tuple[bytes, ExtractError | None]:
    """Exactly ``size`` bytes however ``read`` cuts them, fewer at the end, or at an ExtractError, which comes along.

    Examples:
        >>> import io
        >>> read_window(io.BytesIO(b"abcdef").read, 4)
        (b'abcd', None)
    """
    pieces: list[bytes] = []
    missing = size
    while missing:
        try:
            piece = read(missing)
        except ExtractError as error:
            return b"".join(pieces), error
        if not piece:
            break
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces), None
