"""How an answer of FakeS3 goes wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """Close the connection after so many bytes of the body."""

    after: int


@dataclass(frozen=True)
class Stall:
    """Say nothing more after so many bytes of the body, until the server stops."""

    after: int


@dataclass(frozen=True)
class Drip:
    """After so many bytes of the body a single byte each so many seconds, until the client gives up."""

    after: int
    every_s: float


@dataclass(frozen=True)
class Late:
    """Answer well, but only after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Refuse:
    """An error answer."""

    status: int
    code: str
    message: str = "no"
    #: Further elements of the error's XML, and headers of the answer.
    elements: str = ""
    headers: tuple[tuple[str, str], ...] = ()


Fault = Cut | Stall | Drip | Late | Refuse
