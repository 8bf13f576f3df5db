"""The way through one object: layer by layer, member by member, within one budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TypeAlias

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract.budget import Budget, Meter, Peeked, Read
from scanner_tasks.extract.kind import HEAD_BYTES, Kind, sniff
from scanner_tasks.extract.magics import Form
from scanner_tasks.extract.streams import Elsewhere

_COPY_BYTES = 128 * 1024
#: More is held in memory as a whole only where the memory that this takes harms no other object.
LARGE = 4 * 1024 * 1024
#: What costs one member of an archive, not the archive.
_OF_A_MEMBER = frozenset(
    {Outcome.PARTIAL_CORRUPT, Outcome.PARTIAL_ENCRYPTED, Outcome.PARTIAL_UNSUPPORTED, Outcome.PARTIAL_DEPTH}
)


class RiskyContentError(Exception):
    """The object needs a parser that may crash or hang: read it again, from its start, in a process of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One layer's bytes, and what is known of them."""

    read: Read
    #: Its first bytes, which ``read`` gives all the same.
    head: bytes
    kind: Kind
    #: The object's key or the member's name: its ending settles doubt.
    name: str
    #: Path of what stands in it: "" in the object itself.
    path: str
    #: What stands before the ``!`` of its members.
    root: str
    #: Layers around it.
    depth: int

    def inside(self, place: str) -> str:
        """Path of a place in it: a page, a cell."""
        return f"{self.path}!{place}" if self.path else place

    def member(self, name: str) -> str:
        """Path of a member of it."""
        return f"{self.root}!{name}".encode("utf-8", "replace").decode()


Reader: TypeAlias = "Callable[[Walk, Layer], Iterator[Segment]]"


class Walk:
    """One object's extraction: its budget, and what of it could not be read."""

    def __init__(
        self,
        budget: Budget,
        clock: Callable[[], float],
        *,
        spool: Callable[[], IO[bytes]],
        is_isolated: bool,
        readers: Mapping[str, Reader],
    ) -> None:
        self.budget = budget
        self.meter = Meter(budget, clock)
        self._spool = spool
        self._is_isolated = is_isolated
        self._readers = readers
        self._spooled = 0
        self._unread = 0
        self._first: ExtractError | None = None

    def text_of(
        self, read: Read, *, name: str, path: str, root: str, depth: int, form: Form | None = None
    ) -> Iterator[Segment]:
        """The text of one layer and of all in it; ``form`` is what reads it if it is text."""
        if depth > self.budget.max_depth:
            raise self.too_deep()
        peeked = Peeked(self.meter.layer(read, depth).read, HEAD_BYTES)
        kind = sniff(peeked.head, name)
        layer = Layer(read=peeked.read, head=peeked.head, kind=kind, name=name, path=path, root=root, depth=depth)
        return self._readers[form if form and kind.form == "text" else kind.form](self, layer)

    def too_deep(self) -> ExtractError:
        """What a layer beyond the budget ends as."""
        return ExtractError(
            f"The content is packed more than {self.budget.max_depth} times over.", Outcome.PARTIAL_DEPTH
        )

    def unpacked(self, layer: Layer, read: Read) -> Iterator[Segment]:
        """The text of what a compressed layer holds."""
        return self.text_of(read, name=layer.name, path=layer.path, root=layer.root, depth=layer.depth + 1)

    def member(self, layer: Layer, name: str, read: Read, *, form: Form | None = None) -> Iterator[Segment]:
        """The text of one member of an archive; a fault that is the member's own is noted, and the next may come."""
        self.meter.member()
        path = layer.member(name)
        try:
            yield from self.text_of(read, name=name, path=path, root=path, depth=layer.depth + 1, form=form)
        except ExtractError as error:
            self.note(error)

    def note_once(self, error: ExtractError) -> None:
        """A part of one member could not be read, and the rest can; told at the end, whatever the reason."""
        if self._first is None:
            self._unread, self._first = 1, error

    def note(self, error: ExtractError) -> None:
        """A part could not be read: raised at once when a budget is spent, otherwise told at the end."""
        if error.outcome not in _OF_A_MEMBER:
            raise error
        self._unread += 1
        self._first = self._first or error

    @property
    def unread(self) -> int:
        """How many parts could not be read so far."""
        return self._unread

    def summary(self) -> ExtractError | None:
        """What of the object could not be read; None when all of it was."""
        if self._first is None or self._unread == 1:
            return self._first
        return ExtractError(f"{self._unread} parts could not be read. The first: {self._first}", self._first.outcome)

    def isolate(self) -> None:
        """Call it before a parser that may crash or hang."""
        if not self._is_isolated:
            raise RiskyContentError

    @property
    def elsewhere(self) -> Elsewhere:
        """For decoders that may need much memory."""
        return None if self._is_isolated else self.isolate

    @contextmanager
    def spooled(self, read: Read, most: int | None = None) -> Iterator[tuple[IO[bytes], ExtractError | None]]:
        """A seekable copy of what ``read`` gives, as far as it goes, and what ended it before its end."""
        limit = self.budget.spool_bytes - self._spooled
        limit = limit if most is None else min(limit, most)
        size, error = 0, None
        with self._spool() as file:
            try:
                while data := read(_COPY_BYTES):
                    if size + len(data) > limit:
                        error = ExtractError(
                            f"Only its first {limit} bytes could be put aside to be read.", Outcome.PARTIAL_BYTES
                        )
                        data = data[: limit - size]
                    size += file.write(data)
                    if error:
                        break
            except ExtractError as cut:
                error = cut
            self._spooled += size
            try:
                file.seek(0)
                yield file, error
            finally:
                self._spooled -= size

    def whole(self, read: Read) -> bytes:
        """All of it in memory; ExtractError when it is larger than the budget for that, or broken off."""
        pieces: list[bytes] = []
        size = 0
        while data := read(_COPY_BYTES):
            pieces.append(data)
            size += len(data)
            if size > LARGE:
                self.isolate()
            if size > self.budget.memory_bytes:
                raise ExtractError(
                    f"It is larger than the {self.budget.memory_bytes} bytes that are held in memory.",
                    Outcome.PARTIAL_BYTES,
                )
        return b"".join(pieces)
