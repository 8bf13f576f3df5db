"""The first line of a table: the names of its columns are context for every row below."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.keywords import chars
from scanner_tasks.detect.table import DELIMITERS, LINE_BYTES, column_at, unquoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.keywords import Keywords, Labels

_NAME = re.compile(r"[^\W\d_][\w .#/()*?:-]{0,48}|_\w{1,40}|\w{1,3}#?")
_LONG_NUMBER = re.compile("[0-9]{5}")
_MOST_WORDS: Final = 5
_MOST_DIGITS: Final = 6
#: Lines among which a header is looked for.
_MOST_LINES: Final = 12
_NAME_IN_SPACES = re.compile(r"\S+(?: \S+)*")
_LEAST_FIXED: Final = 3
#: What a line under a header consists of.
_RULED: Final = b" \t\r-=+|:_"


class Header:
    """Names of columns, and the delimiter between them; without one, where in its line each name stands."""

    __slots__ = ("_spans", "delimiter", "names")

    def __init__(
        self, names: tuple[bytes, ...], delimiter: bytes = b"", spans: tuple[tuple[int, int], ...] = ()
    ) -> None:
        self.names = names
        self.delimiter = delimiter
        #: For columns of fixed width: code points of the line before and at the end of each name.
        self._spans = spans

    def column(self, text: bytes, position: int, end: int) -> int:
        """The column, from 0, in which a value of a row stands; -1 when the row begins too far away."""
        if self.delimiter:
            return column_at(text, position, self.delimiter)
        begin = max(0, position - LINE_BYTES)
        line = text.rfind(b"\n", begin, position) + 1
        if not line and begin:
            return -1
        first = chars(text[line or begin : position])
        last = first + chars(text[position:end])
        # Under its name, wherever in the column it is aligned; else behind the last name that begins before it.
        under = [n for n, (start, stop) in enumerate(self._spans) if first < stop and last > start]
        if len(under) == 1:
            return under[0]
        return sum(start <= first for start, _ in self._spans) - 1

    def votes(self, keywords: Keywords | None, labels: Labels | None) -> dict[int, str]:
        """For a rule, each column that speaks for it (the keyword) or against it (an empty text)."""
        found = {}
        for column, name in enumerate(self.names):
            if keywords is not None and (word := keywords.first_word(name)):
                found[column] = word
            elif labels is not None and labels.end_with(name):
                found[column] = ""
        return found


def find_header(head: bytes) -> tuple[Header, int] | None:
    r"""The header among a text's first lines, and where it ends; None without one.

    A title, a comment or an empty line may stand before it. The next line must be a row: as many cells, and
    a digit in one of them unless the header is the first line.

    Examples:
        >>> header, end = find_header(b"# made by a job\n\nid,ssn\n7,536228726\n")
        >>> header.names, end
        ((b'id', b'ssn'), 24)
        >>> find_header(b"Dear Jane, hello\nthank you\n") is None
        True
    """
    at = 0
    lines = head.split(b"\n")
    for number, line in enumerate(lines[:_MOST_LINES]):
        follower = next((other for other in lines[number + 1 : number + 3] if other.strip(_RULED)), b"")
        header = read_header(line) if number + 1 < len(lines) else None
        if header is not None and _is_row(follower, header, is_first=not number):
            return header, at + len(line) + 1
        header = _fixed_width(line, follower)
        if header is not None:
            return header, at + len(line) + 1
        at += len(line) + 1
    return None


def _is_row(line: bytes, header: Header, *, is_first: bool) -> bool:
    if is_first and not line:
        return True
    has_digit = is_first or any(c in b"0123456789" for c in line)
    return has_digit and unquoted(line, header.delimiter).count(header.delimiter) + 1 == len(header.names)


def _fixed_width(line: bytes, follower: bytes) -> Header | None:
    """Names with two spaces or more between them, over a row that has as well."""
    text = line.decode("utf-8", "replace").rstrip()
    names = list(_NAME_IN_SPACES.finditer(text))
    if len(names) < _LEAST_FIXED or not all(_is_name(name[0].encode()) for name in names):
        return None
    cells = len(_NAME_IN_SPACES.findall(follower.decode("utf-8", "replace").rstrip()))
    if cells < _LEAST_FIXED or not any(c in b"0123456789" for c in follower):
        return None
    return Header(tuple(name[0].encode() for name in names), spans=tuple(name.span() for name in names))


def read_header(line: bytes) -> Header | None:
    r"""The header that a line is; None where it reads like anything else.

    Examples:
        >>> read_header(b'id,"Full name",ssn').names
        (b'id', b'Full name', b'ssn')
        >>> read_header(rb"Name & SSN & Phone \\").names
        (b'Name', b'SSN', b'Phone')
        >>> read_header(b"Dear Jane, your number is 536228726, as you asked") is None
        True
        >>> read_header(b"ssn: 536-22-8726, phone: 415-555-2671") is None
        True
    """
    line = line.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n")
    delimiter = max(DELIMITERS, key=line.count)
    if not line.count(delimiter) or len(line) > LINE_BYTES:
        return None
    names = tuple(part.strip(b" \"'\\") for part in line.split(delimiter))
    inner: Sequence[bytes] = names[1:-1] if delimiter == b"|" and not names[0] and not names[-1] else names
    if inner and all(_is_name(name) for name in inner):
        return Header(names, delimiter)
    return None


def _is_name(name: bytes) -> bool:
    text = name.decode("utf-8", "replace")
    if not _NAME.fullmatch(text) or _LONG_NUMBER.search(text):
        return False
    # A line that holds values is a row, or a sentence with commas: it names nothing.
    return len(text.split()) <= _MOST_WORDS and sum(c.isdigit() for c in text) <= _MOST_DIGITS
