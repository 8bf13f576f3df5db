"""The first line of a table: the names of its columns are context for every row below."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.table import DELIMITERS, LINE_BYTES, column_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.keywords import Keywords, Labels

_NAME = re.compile(r"[^\W\d_][\w .#/()*?:-]{0,48}|_\w{1,40}|\w{1,3}#?")
_MOST_WORDS: Final = 5


class Header:
    """Names of columns, and the delimiter between them."""

    __slots__ = ("_delimiter", "names")

    def __init__(self, delimiter: bytes, names: tuple[bytes, ...]) -> None:
        self._delimiter = delimiter
        self.names = names

    def column(self, text: bytes, position: int) -> int:
        """The column, from 0, in which a byte of a row stands; -1 when the row begins too far away."""
        return column_at(text, position, self._delimiter)

    def votes(self, keywords: Keywords | None, labels: Labels | None) -> dict[int, str]:
        """For a rule, each column that speaks for it (the keyword) or against it (an empty text)."""
        found = {}
        for column, name in enumerate(self.names):
            if keywords is not None and (word := keywords.first_word(name)):
                found[column] = word
            elif labels is not None and labels.end_with(name):
                found[column] = ""
        return found


def read_header(line: bytes) -> Header | None:
    """The header that a text's first line is; None where it reads like anything else.

    Examples:
        >>> read_header(b'id,"Full name",ssn').names
        (b'id', b'Full name', b'ssn')
        >>> read_header(b"Dear Jane, your number is 536228726, as you asked") is None
        True
    """
    line = line.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n")
    delimiter = max(DELIMITERS, key=line.count)
    if not line.count(delimiter) or len(line) > LINE_BYTES:
        return None
    names = tuple(part.strip(b" \"'") for part in line.split(delimiter))
    inner: Sequence[bytes] = names[1:-1] if delimiter == b"|" and not names[0] and not names[-1] else names
    if inner and all(_is_name(name) for name in inner):
        return Header(delimiter, names)
    return None


def _is_name(name: bytes) -> bool:
    text = name.decode("utf-8", "replace")
    return bool(_NAME.fullmatch(text)) and len(text.split()) <= _MOST_WORDS
