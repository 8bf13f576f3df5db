"""An object's bytes as text: what detection eats.

Every layer's kind is found by its content (``extract.kind``); compressions and archives are opened as deep as the
budget allows (``extract.walk``), each by the file named after it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import IO

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract import readers
from scanner_tasks.extract.budget import Budget, Read
from scanner_tasks.extract.walk import RiskyContentError, Walk

__all__ = ["RiskyContentError", "extract"]

#: What an object is of which nothing at all could be read.
_OF_NOTHING = {
    Outcome.PARTIAL_CORRUPT: Outcome.FAILED_CORRUPT,
    Outcome.PARTIAL_ENCRYPTED: Outcome.FAILED_ENCRYPTED,
    Outcome.PARTIAL_UNSUPPORTED: Outcome.SKIPPED_UNSUPPORTED,
}


def extract(
    read: Read,
    *,
    key: str,
    budget: Budget,
    clock: Callable[[], float],
    spool: Callable[[], IO[bytes]] = io.BytesIO,
    is_isolated: bool = True,
) -> Iterator[Segment]:
    """The object's text in order, in segments that do not depend on how ``read`` cuts the bytes.

    A segment of plain text is one window of the source, cut at a code point; its ``start.offset`` counts bytes of the
    source text as decompressed, in its own encoding, byte order mark included. Where that text is UTF-8, offsets inside
    the segment follow from it byte by byte. Of other formats, lines and offsets count the text as it was rendered, and
    ``path`` tells the place.

    Args:
        read: gives the object's next bytes, at most as many as asked; b"" at the end. What it raises is passed on.
        key: the object's key: its ending settles doubt about the kind.
        budget: what the object may cost.
        clock: seconds, as ``budget.deadline`` counts them.
        spool: makes an empty file for what cannot be read from front to back; it is closed when done.
        is_isolated: this process may be killed or hang without harm to others; otherwise what needs a risky parser
            raises RiskyContentError, and the object is to be read again where it may.

    Raises:
        ExtractError: behind the segments that could be had: partial(…) as a budget or fault ended it; failed(corrupt
            | encrypted) or skipped(unsupported) when there were none.
        RiskyContentError: see ``is_isolated``; possibly behind segments.

    Examples:
        >>> import gzip, io
        >>> budget = Budget(max_bytes=1000, deadline=60.0)
        >>> source = io.BytesIO(gzip.compress("naïve".encode()))
        >>> [s.data.decode() for s in extract(source.read, key="a.gz", budget=budget, clock=lambda: 0.0)]
        ['naïve']
    """
    walk = Walk(budget, clock, spool=spool, is_isolated=is_isolated, readers=readers.READERS)
    root = key.rpartition("/")[2]
    yielded = False
    try:
        for segment in walk.text_of(read, name=key, path="", root=root, depth=0):
            yielded = True
            yield segment
        if error := walk.summary():
            raise error
    except ExtractError as error:
        outcome = error.outcome if yielded else _OF_NOTHING.get(error.outcome, error.outcome)
        if outcome is not error.outcome:
            raise ExtractError(str(error), outcome) from error
        raise
