"""Text whose encoding changes on the way: UTF-16 that was appended to a file of bytes, bytes appended to one of UTF-16.

Read in one encoding, the other part is nonsense that no rule matches: NULs between the letters, or two letters in what
looks like one Chinese character. Both are told by what no text of one encoding holds for long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Units of two bytes of which one is NUL: so many in a row are UTF-16. Fewer are what pads a text.
_WIDE = re.compile(rb"(?:[\t\n\r\x20-\x7e\xa0-\xff]\0){4,}|(?:\0[\t\n\r\x20-\x7e\xa0-\xff]){4,}")
#: Bytes that wait for the next window where a text ends in UTF-16, so that what is cut is long enough to be known.
_KEPT = 64
_ASCII = (*b"\t\n\r", *range(0x20, 0x7F))
_NOT_CHINESE = (*b"\t\n\r", *range(ord(" "), ord("0")), *range(ord("1"), ord("N")))


def _pairs(highs: Iterable[int]) -> str:
    """For a regular expression: the characters of one of these bytes and one of printable ASCII."""
    return "".join(
        f"{chr(high << 8 | 0x20)}-{chr(high << 8 | 0x7E)}" + "".join(chr(high << 8 | low) for low in b"\t\n\r")
        for high in highs
    )


#: Characters of which both bytes are printable ASCII, so many in a row, and one that is no Chinese or Japanese one: of
#: the common ones a third have such bytes, but none has a space, a digit from 1 on, or an A as its first byte.
_GLUED = re.compile(f"(?=[{_pairs(_ASCII)}]{{0,40}}[{_pairs(_NOT_CHINESE)}])[{_pairs(_ASCII)}]{{12,}}")
#: Characters whose bytes stand in the wrong order, behind an odd number of bytes.
_SWAPPED = re.compile("[" + "".join(chr(low << 8) for low in _ASCII) + "]{8,}")


def narrowed(data: bytes) -> bytes:
    r"""A text of bytes, with what of it is UTF-16 in UTF-8.

    Examples:
        >>> narrowed(b"ssn: " + "512-44-1234".encode("utf-16-le"))
        b'ssn: 512-44-1234'
        >>> narrowed(b"a\0\0\0b")
        b'a\x00\x00\x00b'
    """
    return _WIDE.sub(_narrow, data) if b"\0" in data else data


def end_of_narrow(data: bytes) -> int:
    """Where to cut a window: before what may be the beginning of UTF-16."""
    return len(data) - _KEPT if b"\0" in data[-4:] and len(data) > _KEPT else len(data)


def may_hold_bytes(data: bytes) -> bool:
    """False for UTF-16 of which each unit has a NUL, as in Latin letters: no two letters are glued there."""
    return 2 * data.count(0) < len(data) - 1


def unglued(text: str, encoding: str) -> str:
    """A text in UTF-16, with what of it is bytes read as bytes; other encodings as they are.

    Examples:
        >>> unglued("id: " + b"and now appended: 512-44-1234 and so on to its end".decode("utf-16-le"), "utf-16-le")
        'id: and now appended: 512-44-1234 and so on to its end'
    """
    if not encoding.startswith("utf-16"):
        return text
    text = _GLUED.sub(lambda found: found[0].encode(encoding).decode("latin-1"), text)
    return _SWAPPED.sub(lambda found: "".join(chr(ord(c) >> 8) for c in found[0]), text)


def _narrow(found: re.Match[bytes]) -> bytes:
    encoding = "utf-16-be" if found[0][0] == 0 else "utf-16-le"
    return found[0].decode(encoding).encode()
