"""Characters that JSON, XML and HTML write by their numbers, read in place, so that no value hides behind them.

Lines keep their numbers and bytes their places: a reference is longer than its character, and the run of characters it
stands in is filled up with spaces at its end.

    <card>&#52;111 1111</card>      as it is stored
    <card>4111     1111</card>      as detection sees it

Nothing else is replaced: entities that a document defines are never expanded, and what would change the structure (a
quote, a backslash, a sign below the space) stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.entities import html5

#: What ends a run of characters in either language; a text that is cut behind one of them is cut nowhere else.
ENDS = b"\t\n\r \"'<>"

_END = re.compile(rb"[\t\n\r \"'<>]")
#: Line breaks and tabs stay as JSON writes them: rules know them so.
_JSON = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(/)|.)", re.DOTALL)
_MARKUP = re.compile(rb"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));")
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_DELETE, _LAST_CONTROL = 0x7F, 0x9F
#: Quote and backslash.
_OF_JSON = frozenset({0x22, 0x5C})
_SPACES = frozenset({0xA0, 0x2007, 0x202F})


def json_unescaped(data: bytes) -> bytes:
    r"""UTF-8 JSON with its ``\u0035`` and ``\/`` read.

    Examples:
        >>> json_unescaped(rb'{"ssn": "\u0035\u00312-44-1234", "n": "\n\\u0035"}')
        b'{"ssn": "512-44-1234          ", "n": "\\n\\\\u0035"}'
    """
    return _replaced(data, _JSON, _of_json) if b"\\u" in data or b"\\/" in data else data


def markup_unescaped(data: bytes) -> bytes:
    """UTF-8 XML or HTML with its character references read, those of HTML by name too.

    Examples:
        >>> markup_unescaped(b"<b>jane&#64;example.com &laugh;</b>")
        b'<b>jane@example.com     &laugh;</b>'
    """
    return _replaced(data, _MARKUP, _of_markup) if b"&" in data else data


def _replaced(data: bytes, reference: re.Pattern[bytes], value: Callable[[re.Match[bytes]], bytes]) -> bytes:
    """``data`` with each reference as ``value`` gives it, which is never longer."""
    pieces: list[bytes] = []
    taken, missing = 0, 0
    for found in reference.finditer(data):
        if found.lastindex is None:
            continue
        read = value(found)
        if read == found[0]:
            continue
        if missing and (end := _END.search(data, taken, found.start())):
            pieces += (data[taken : end.start()], b" " * missing)
            taken, missing = end.start(), 0
        pieces += (data[taken : found.start()], read)
        taken = found.end()
        missing += len(found[0]) - len(read)
    if missing:
        end = _END.search(data, taken)
        stop = end.start() if end else len(data)
        pieces += (data[taken:stop], b" " * missing)
        taken = stop
    pieces.append(data[taken:])
    return b"".join(pieces)


def _of_json(found: re.Match[bytes]) -> bytes:
    digits = found[1]
    if digits is None:
        return b"/"
    code = int(digits, 16)
    return found[0] if code in _SURROGATES or code in _OF_JSON or code < ord(" ") else _utf8(code)


def _of_markup(found: re.Match[bytes]) -> bytes:
    decimal, hexadecimal, name = found.groups()
    if name:
        text = html5.get(name.decode() + ";", "")
        read = b" " if text == "\xa0" else text.encode()
        return read if read and len(read) <= len(found[0]) else found[0]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if not code or code > _LAST or code in _SURROGATES:
        return found[0]
    return _utf8(code)


def _utf8(code: int) -> bytes:
    """The character; a space for the unseen and for spaces that do not break, which rules take for neither."""
    if code < ord(" ") or _DELETE <= code <= _LAST_CONTROL or code in _SPACES:
        return b" "
    return chr(code).encode()
