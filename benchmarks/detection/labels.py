"""Labelled texts: a text, and the place of everything in it that a detector may be asked about.

Offsets count Unicode code points; the end is exclusive. Templates hold fields between guillemets: ``SSN: «ssn»``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

FIELD = re.compile(r"«([a-z0-9_.]+)(?::([^»]*))?»")


class Status(StrEnum):
    """What is expected of the detector at a place."""

    VALUE = "value"  #: must be found
    DECOY = "decoy"  #: must not be found
    GRADED = "graded"  #: people would disagree: reported, not counted
    FILLER = "filler"  #: no place of interest


@dataclass(frozen=True, slots=True)
class Piece:
    """Something a field stands for.

    ``rule`` is the rule that should find it (of a decoy: the rule that it tempts, or ""), ``kind`` its notation or the
    kind of decoy. ``ways`` are other spans that are as right, relative to the piece: a telephone number without its
    extension. ``loose``: any overlapping finding of the rule is right, since nobody knows where such a value begins.
    """

    text: str
    rule: str = ""
    kind: str = ""
    status: Status = Status.FILLER
    ways: tuple[tuple[int, int], ...] = ()
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece's place in a text."""

    rule: str
    start: int
    end: int
    kind: str
    status: Status
    value: str = field(repr=False)
    ways: tuple[tuple[int, int], ...] = ()
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with its marks, in order; ``template`` names what it was made from."""

    template: str
    text: str
    marks: tuple[Mark, ...]


#: A field's maker: chance and the field's argument in, a piece out.
Maker = Callable[[Random, str], Piece]


class Writer:
    """Writes a text piece by piece and keeps the places."""

    def __init__(self, r: Random, fields: dict[str, Maker]) -> None:
        self.r = r
        self._fields = fields
        self._parts: list[str] = []
        self._length = 0
        self._marks: list[Mark] = []

    def put(self, text: str) -> Writer:
        """Plain text, in which nothing is to be found."""
        self._parts.append(text)
        self._length += len(text)
        return self

    def piece(self, piece: Piece) -> Writer:
        """A piece, marked unless it is a filler."""
        at = self._length
        if piece.status is not Status.FILLER:
            ways = tuple((at + start, at + end) for start, end in piece.ways)
            end = at + len(piece.text)
            self._marks.append(Mark(piece.rule, at, end, piece.kind, piece.status, piece.text, ways, loose=piece.loose))
        return self.put(piece.text)

    def make(self, name: str, argument: str = "") -> Piece:
        """A field's piece, not written yet."""
        return self._fields[name](self.r, argument)

    def fill(self, template: str) -> Writer:
        """A template, its fields filled in order."""
        at = 0
        for found in FIELD.finditer(template):
            self.put(template[at : found.start()])
            self.piece(self.make(found[1], found[2] or ""))
            at = found.end()
        return self.put(template[at:])

    def done(self, template: str) -> Labelled:
        """The text so far."""
        return Labelled(template, "".join(self._parts), tuple(self._marks))
