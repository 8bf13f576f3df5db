"""The text of one byte range of a large plain text, with what stands on both sides of it.

A range is decoded as the whole text would be. It begins and ends between two code points: a cut that falls into one
moves to its end, by a rule that looks at a few bytes only, so that two neighbours agree on it without a word::

    bytes   … c3 a9 | 35 31 32 …     between é and 5: nothing moves
    bytes   … c3 | a9 35 31 32 …     inside é: both move it behind a9, é is the left one's

Text without a byte order mark is UTF-8, with cp1252 where it is not (``extract.plain``). At most three bytes behind a
place can continue a character that began before it, and what follows them begins one, in either encoding. Wide
encodings need cuts at multiples of four bytes; only the second half of a surrogate pair moves one.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Location, ObjectRange, Segment
from scanner_tasks.core.ranges import Side
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.kind import Kind
from scanner_tasks.extract.places import Places
from scanner_tasks.extract.plain import NOT_UTF8, behind_last

#: Bytes behind a cut that tell where it moves to.
_PEEK_BYTES = 4
_LONGEST_TAIL = 3
#: Bytes decoded at a time to find the source of a place in text of mixed encodings.
_STEP_BYTES = 4096
_SURROGATE_BYTES = 2


def source_bytes(text_bytes: int, encoding: str) -> int:
    """So many bytes of a text in this encoding make at least so many of UTF-8; a multiple of four.

    Examples:
        >>> source_bytes(10, "utf-8"), source_bytes(10, "utf-16-le"), source_bytes(10, "utf-32-be")
        (12, 20, 40)
    """
    unit = int(encoding[4:6]) // 8 if encoding != "utf-8" else 1
    return -(-text_bytes * unit // 4) * 4


def range_text(
    read: Read,
    kind: Kind,
    wanted: ObjectRange,
    *,
    before_bytes: int,
    is_last: bool,
    window_bytes: int,
    places: Places | None = None,
) -> Iterator[tuple[Side, Segment]]:
    """The text of the range in segments, with the side that each stands on; one text, its offsets counted from 0.

    The path of an own segment's byte is its place in the object, as a number.

    Args:
        read: gives the object's bytes from ``before_bytes`` before the range on, to the end of what may be read behind.
        kind: of the object: a text.
        wanted: the range.
        before_bytes: bytes read before it; 0 where the object begins.
        is_last: nothing stands behind what ``read`` gives.
        window_bytes: of a segment.
        places: of the text; how it is shown counts here, not which paths it has.

    Raises:
        ExtractError: as ``read`` does, behind the segments that could be had.
    """
    assert kind.encoding is not None
    source, places = _Source(read), places or Places()
    offset = 0
    mark = len(source.take(kind.mark_bytes)) if wanted.first_byte == before_bytes else 0  # it is no text
    left = max(0, before_bytes - mark)
    shift = _shift(source.peek(left + _PEEK_BYTES)[left:], kind.encoding) if before_bytes else 0
    before = _decoder(kind).decode(source.take(left + shift), True).encode()  # noqa: FBT003 (codecs' own)
    if before:
        yield "before", _segment(places.shown(before), offset)
        offset = len(before)
    at, end = wanted.first_byte - before_bytes + mark + left + shift, wanted.last_byte + 1
    decoder = _decoder(kind)
    carried = b""
    while at < end:
        size = min(window_bytes, end - at)
        if size < end - at and kind.encoding == "utf-8":
            size = behind_last(source.peek(size), places.ends) or size
        data = source.take(size)
        if at + len(data) == end:
            data += source.take(_shift(source.peek(_PEEK_BYTES), kind.encoding))
        ends = not data or at + len(data) >= end
        text = decoder.decode(data, ends and not source.error).encode()
        carry = decoder.getstate()[0]
        read_now = carried + data
        used = read_now[: len(read_now) - len(carry)]
        if text:
            yield "own", _segment(text, offset, used, at - len(carried), kind.encoding, places)
            offset += len(text)
        carried = carry
        at += len(data)
        if not data:
            break
    rest = source.take(-1)
    behind = _decoder(kind).decode(rest, is_last).encode()
    if behind:
        yield "behind", _segment(places.shown(behind), offset)
    source.check()


def _segment(  # noqa: PLR0917
    text: bytes, offset: int, source: bytes = b"", at: int = 0, encoding: str = "", places: Places | None = None
) -> Segment:
    def path_at(position: int) -> str:
        return str(at + _source_at(text, source, encoding, position))

    start = Location(line=1, column=1, offset=offset)
    shown = places.shown(text) if places else text
    return Segment(data=shown, start=start, continues=offset > 0, path_at=path_at if source else None)


def _decoder(kind: Kind) -> codecs.IncrementalDecoder:
    assert kind.encoding is not None
    return codecs.getincrementaldecoder(kind.encoding)(NOT_UTF8 if kind.encoding == "utf-8" else "replace")


def _shift(behind: bytes, encoding: str) -> int:
    """Bytes that the cut before these moves on."""
    if encoding == "utf-8":
        tail = behind[:_LONGEST_TAIL]
        return len(tail) - len(tail.lstrip(_CONTINUATIONS))
    if encoding.startswith("utf-16") and len(behind) >= _SURROGATE_BYTES:
        unit = int.from_bytes(behind[:_SURROGATE_BYTES], "little" if encoding.endswith("le") else "big")
        return _SURROGATE_BYTES if 0xDC00 <= unit <= 0xDFFF else 0  # noqa: PLR2004 (second halves of pairs)
    return 0


_CONTINUATIONS = bytes(range(0x80, 0xC0))


def _source_at(text: bytes, source: bytes, encoding: str, position: int) -> int:
    """Where in ``source`` the character stands that begins at ``position`` of its ``text``."""
    if text == source:
        return position
    if encoding != "utf-8":
        return len(text[:position].decode().encode(encoding))
    at = passed = 0
    while at < len(source):
        end = at + _STEP_BYTES
        end += _shift(source[end : end + _PEEK_BYTES], encoding)
        piece = source[at:end].decode("utf-8", NOT_UTF8)
        size = len(piece.encode())
        if passed + size > position:
            for character in piece:
                if passed >= position:
                    break
                encoded = character.encode()
                at += len(encoded) if source.startswith(encoded, at) else 1
                passed += len(encoded)
            return at
        passed += size
        at = end
    return len(source)


class _Source:
    """Bytes that can be looked at before they are taken; an ExtractError waits behind what came before it."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._waiting = b""
        self.error: ExtractError | None = None

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        missing = size - len(self._waiting)
        if missing > 0 and self.error is None:
            data, self.error = read_window(self._read, missing)
            self._waiting += data
        return self._waiting[:size]

    def take(self, size: int) -> bytes:
        """The next bytes, fewer at the end; all of them for -1."""
        if size < 0:
            pieces = [self._waiting]
            self._waiting = b""
            while self.error is None:
                data, self.error = read_window(self._read, _STEP_BYTES)
                pieces.append(data)
                if not data:
                    break
            return b"".join(pieces)
        data = self.peek(size)
        self._waiting = self._waiting[size:]
        return data

    def check(self) -> None:
        """Raise what ended the reading, once all before it is taken."""
        if self.error and not self._waiting:
            raise self.error
