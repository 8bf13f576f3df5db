"""How much of one object is read, and the reader that holds to it.

Every layer of an object (the bytes as stored, and what each decompression makes of them) is read through a ``Metered``
reader, so that no layer can grow without end: a bomb ends as partial(bytes) or partial(time), in bounded memory.
"""

from __future__ import annotations

from collections import Counter
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

    #: Bytes of any layer, its members together: what lies behind is left unread, as partial(bytes).
    max_bytes: int
    #: Reading of the clock at which the object ends as partial(time).
    deadline: float
    #: Compressions and archives inside one another.
    max_depth: int = 10
    #: Bytes of text, in its own encoding, that make a segment.
    window_bytes: int = 1024 * 1024
    #: Bytes out for each byte stored; more is partial(ratio), once a layer is larger than ``ratio_free_bytes``.
    max_ratio: float = 1000.0
    ratio_free_bytes: int = 256 * 1024 * 1024
    #: Members of all archives, and parts of all messages, in the object: more is partial(members).
    max_members: int = 100_000
    #: Rows of all tables: more is partial(rows).
    max_rows: int = 50_000_000
    #: Pages of all documents: more is partial(pages).
    max_pages: int = 20_000
    #: Bytes put aside for formats that cannot be read from front to back.
    spool_bytes: int = 1024 * 1024 * 1024
    #: Bytes of what must be held in memory as a whole: a message, a document. A workbook's cells may take three times
    #: as much.
    memory_bytes: int = 32 * 1024 * 1024


class Meter:
    """What the layers of one object have cost so far. The object as stored is at depth 0."""

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self.budget = budget
        self.clock = clock
        self._spent: Counter[int] = Counter()
        self._counted: Counter[Outcome] = Counter()

    def layer(self, read: Read, depth: int) -> Metered:
        """A layer's bytes within the budget."""
        return Metered(read, self, depth)

    def look_at_the_clock(self) -> None:
        """ExtractError(partial(time)) once the deadline has come."""
        if self.clock() >= self.budget.deadline:
            raise ExtractError("The object took longer than its time budget.", Outcome.PARTIAL_TIME)

    def left(self, depth: int) -> int:
        """Bytes that may still be read at this depth."""
        return self.budget.max_bytes - self._spent[depth]

    def spend(self, size: int, depth: int) -> None:
        """Count bytes that were read at this depth."""
        self._spent[depth] += size
        spent, budget = self._spent[depth], self.budget
        if spent > budget.ratio_free_bytes and depth and spent > budget.max_ratio * self._spent[0]:
            raise ExtractError(
                f"The object expands more than {budget.max_ratio:g} times its size.", Outcome.PARTIAL_RATIO
            )

    def charge(self, size: int, depth: int) -> None:
        """Count text that was made of this depth's content by a parser; ExtractError when it is too much."""
        self.look_at_the_clock()
        self.spend(size, depth)
        if self.left(depth) < 0:
            raise ExtractError(
                f"The object holds more than its budget of {self.budget.max_bytes} bytes.", Outcome.PARTIAL_BYTES
            )

    def count(self, outcome: Outcome, most: int, what: str, size: int = 1) -> None:
        """Count members, rows or pages; ExtractError(outcome) when there are more than ``most``."""
        self._counted[outcome] += size
        if self._counted[outcome] > most:
            raise ExtractError(f"The object holds more than its budget of {most} {what}.", outcome)

    def member(self) -> None:
        """One more member of an archive."""
        self.count(Outcome.PARTIAL_MEMBERS, self.budget.max_members, "members")

    def rows(self, size: int = 1) -> None:
        """So many more rows of a table."""
        self.count(Outcome.PARTIAL_ROWS, self.budget.max_rows, "rows", size)

    def page(self) -> None:
        """One more page of a document."""
        self.count(Outcome.PARTIAL_PAGES, self.budget.max_pages, "pages")


class Metered:
    """One layer's bytes within the budget; an ExtractError that ended it is raised again at every later read.

    Exactly ``max_bytes`` are handed out before ``ExtractError(partial(bytes))``; a layer of that very length ends as
    any other.
    """

    def __init__(self, read: Read, meter: Meter, depth: int) -> None:
        self._read = read
        self._meter = meter
        self._depth = depth
        self._error: ExtractError | None = None

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        if self._error:
            raise self._error
        try:
            return self._some(size)
        except ExtractError as error:
            self._error = error
            raise

    def _some(self, size: int) -> bytes:
        self._meter.look_at_the_clock()
        left = self._meter.left(self._depth)
        if left <= 0:
            if not self._read(1):
                return b""
            most = self._meter.budget.max_bytes
            raise ExtractError(f"The object holds more than its budget of {most} bytes.", Outcome.PARTIAL_BYTES)
        data = self._read(min(size, left, _PIECE))
        self._meter.spend(len(data), self._depth)
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
