"""Plain text of any encoding, decoded in windows.

Text without a byte order mark is UTF-8; every byte run in it that is not UTF-8 is cp1252, byte by byte (latin-1 for the
five bytes that cp1252 lacks), so that a file of mixed encodings loses nothing and nothing has to be known in advance.

Where programs of different habits write one file (a log that PowerShell appends to), its encoding changes on the way:
see ``extract.mixed``.

Lines end at LF; CR is an ordinary character of its line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import AnyStr

from scanner_tasks.core.model import Location, Segment
from scanner_tasks.extract import mixed
from scanner_tasks.extract.budget import Read, read_window
from scanner_tasks.extract.places import Places

#: Bytes that wait for the next window at most, so that what is written with escapes is whole.
_MOST_KEPT = 4096


def decode(read: Read, encoding: str, *, mark_bytes: int, window_bytes: int, places: Places) -> Iterator[Segment]:
    """The text in segments of one window each; ``places`` tells the path of what stands in them, and how it is shown.

    ``encoding`` utf-8 stands for "UTF-8, or cp1252 where it is not"; what another one cannot read is U+FFFD.
    """
    decoder = codecs.getincrementaldecoder(encoding)(NOT_UTF8 if encoding == "utf-8" else "replace")
    read_window(read, mark_bytes)  # no text
    offset = mark_bytes
    location, continues = Location(line=1, column=1, offset=offset, path=places.root), False
    is_last, kept, waiting, is_mixed = False, b"", "", False
    while not is_last:
        data, error = read_window(read, window_bytes)
        is_last = len(data) < window_bytes
        data = kept + data
        if encoding == "utf-8":
            cut = len(data) if is_last else min(behind_last(data, places.ends), mixed.end_of_narrow(data))
            data, kept = data[:cut], data[cut:]
            # Where the reading broke off, the beginning of a character is no character.
            text = decoder.decode(mixed.narrowed(data), is_last and not error)
        else:
            is_mixed = is_mixed or mixed.may_hold_bytes(data)
            text = waiting + decoder.decode(data, is_last and not error)
            cut = len(text) if is_last else behind_last(text, places.ends.decode())
            text, waiting = text[:cut], text[cut:]
            text = mixed.unglued(text, encoding) if is_mixed else text
        if text:
            utf8 = text.encode()
            path_at = places.of(utf8, location.line)
            yield Segment(data=places.shown(utf8), start=location, continues=continues, path_at=path_at)
        continues = continues or bool(text)
        offset += len(data)
        read_ahead = len(decoder.getstate()[0]) + len(waiting.encode(encoding, "replace"))
        location = _after(location, text, offset - read_ahead)
        if error:
            raise error


def behind_last(data: AnyStr, ends: AnyStr) -> int:
    """Where to cut: behind the last of ``ends`` that is not far from the end, else at the end."""
    tail = data[-_MOST_KEPT:]
    at = max((tail.rfind(ends[n : n + 1]) for n in range(len(ends))), default=-1)
    return len(data) - len(tail) + at + 1 if at >= 0 else len(data)


def _after(location: Location, text: str, offset: int) -> Location:
    """Where the text behind ``text`` begins."""
    lines = text.count("\n")
    column = len(text) - text.rfind("\n") if lines else location.column + len(text)
    return replace(location, line=location.line + lines, column=column, offset=offset)


#: Each byte's character in cp1252, in latin-1 where cp1252 has none.
_CP1252 = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
#: Bytes that read the same whatever surrounds them: ASCII, and high bytes that begin no UTF-8 character where they
#: stand. A lead byte is one of them only when the byte behind it is at hand and no continuation, so the cut of the
#: windows never tells. Possessive: a run of a megabyte needs no stack.
_PLAIN_RUN = re.compile(rb"(?:[\x00-\xc1\xf5-\xff]++|[\xc2-\xf4](?=[\x00-\x7f\xc0-\xff]))*+")
#: Name of the codec error handler that reads what is not UTF-8 as cp1252.
NOT_UTF8 = "scanner_tasks.cp1252"


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: the bytes that are not UTF-8 as cp1252, and with them the run that can be read in one go."""
    assert isinstance(error, UnicodeDecodeError)
    run = _PLAIN_RUN.match(error.object, error.end)
    end = run.end() if run else error.end
    text, _ = codecs.charmap_decode(error.object[error.start : end], "strict", _CP1252)
    return text, end


codecs.register_error(NOT_UTF8, _as_cp1252)
