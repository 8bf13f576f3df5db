"""An object's bytes as text: what detection eats.

The kind is found by content (``extract.kind``), gzip is opened as deep as the budget allows, and the text inside is
decoded in windows. Text without a byte order mark is UTF-8; every byte run in it that is not UTF-8 is cp1252, byte by
byte (latin-1 for the five bytes that cp1252 lacks), so that a file of mixed encodings loses nothing and nothing has to
be known in advance.

Lines end at LF; CR is an ordinary character of its line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Location, Outcome, Segment
from scanner_tasks.extract.budget import Budget, Metered, Peeked, Read, read_window
from scanner_tasks.extract.gzip import GzipReader
from scanner_tasks.extract.kind import HEAD_BYTES, Kind, sniff


def extract(read: Read, *, key: str, budget: Budget, clock: Callable[[], float]) -> Iterator[Segment]:
    """The object's text in order, in segments that do not depend on how ``read`` cuts the bytes.

    A segment is one window of the source, cut at a code point; its ``start.offset`` counts bytes of the source text as
    decompressed, in its own encoding, byte order mark included. Where that text is UTF-8, offsets inside the segment
    follow from it byte by byte.

    Args:
        read: gives the object's next bytes, at most as many as asked; b"" at the end. What it raises is passed on.
        key: the object's key: its ending settles doubt about the kind.
        budget: what the object may cost.
        clock: seconds, as ``budget.deadline`` counts them.

    Raises:
        ExtractError: behind the segments that could be had: partial(bytes | time | depth | corrupt), failed(corrupt)
            when there were none, skipped(unsupported) for content that is neither text nor gzip.

    Examples:
        >>> import gzip, io
        >>> budget = Budget(max_bytes=1000, deadline=60.0)
        >>> source = io.BytesIO(gzip.compress("naïve".encode()))
        >>> [s.data.decode() for s in extract(source.read, key="a.gz", budget=budget, clock=lambda: 0.0)]
        ['naïve']
    """
    yielded = False
    try:
        source, kind = _open(read, key, budget, clock)
        for segment in _decode(source, kind, budget.window_bytes):
            yielded = True
            yield segment
    except ExtractError as error:
        if error.outcome is Outcome.PARTIAL_CORRUPT and not yielded:
            raise ExtractError(str(error), Outcome.FAILED_CORRUPT) from error
        raise


def _open(read: Read, key: str, budget: Budget, clock: Callable[[], float]) -> tuple[Read, Kind]:
    """The innermost layer, which is text."""
    for _ in range(budget.max_depth + 1):
        layer = Peeked(Metered(read, budget, clock).read, HEAD_BYTES)
        kind = sniff(layer.head, key)
        if kind.form == "text":
            return layer.read, kind
        if kind.form == "binary":
            raise ExtractError(f"The content is no text: {kind.name}.", Outcome.SKIPPED_UNSUPPORTED)
        read = GzipReader(layer.read).read
    raise ExtractError(f"The content is compressed more than {budget.max_depth} times over.", Outcome.PARTIAL_DEPTH)


def _decode(read: Read, kind: Kind, window_bytes: int) -> Iterator[Segment]:
    assert kind.encoding is not None
    decoder = codecs.getincrementaldecoder(kind.encoding)(_NOT_UTF8 if kind.encoding == "utf-8" else "replace")
    read_window(read, kind.mark_bytes)  # no text
    offset = kind.mark_bytes
    location, continues = Location(line=1, column=1, offset=offset), False
    is_last = False
    while not is_last:
        data, error = read_window(read, window_bytes)
        is_last = len(data) < window_bytes
        # Where the reading broke off, the beginning of a character is no character.
        text = decoder.decode(data, is_last and not error)
        if text:
            yield Segment(data=text.encode(), start=location, continues=continues)
        continues = continues or bool(text)
        offset += len(data)
        location = _after(location, text, offset - len(decoder.getstate()[0]))
        if error:
            raise error


def _after(location: Location, text: str, offset: int) -> Location:
    """Where the text behind ``text`` begins."""
    lines = text.count("\n")
    column = len(text) - text.rfind("\n") if lines else location.column + len(text)
    return Location(line=location.line + lines, column=column, offset=offset)


#: Each byte's character in cp1252, in latin-1 where cp1252 has none.
_CP1252 = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
#: Bytes that read the same whatever surrounds them: ASCII, and high bytes that begin no UTF-8 character where they
#: stand. A lead byte is one of them only when the byte behind it is at hand and no continuation, so the cut of the
#: windows never tells. Possessive: a run of a megabyte needs no stack.
_PLAIN_RUN = re.compile(rb"(?:[\x00-\xc1\xf5-\xff]++|[\xc2-\xf4](?=[\x00-\x7f\xc0-\xff]))*+")
_NOT_UTF8 = "scanner_tasks.cp1252"


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: the bytes that are not UTF-8 as cp1252, and with them the run that can be read in one go."""
    assert isinstance(error, UnicodeDecodeError)
    run = _PLAIN_RUN.match(error.object, error.end)
    end = run.end() if run else error.end
    text, _ = codecs.charmap_decode(error.object[error.start : end], "strict", _CP1252)
    return text, end


codecs.register_error(_NOT_UTF8, _as_cp1252)
