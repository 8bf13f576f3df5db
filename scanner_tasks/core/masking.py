"""Values taken out of a text without breaking its form: what CSV and JSON are made of stays."""

from __future__ import annotations

import csv
import io
import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Form: TypeAlias = Literal["text", "csv", "json"]

MASK: Final = "*"
_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_JSON_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
#: Numbers and words outside strings: what is masked in one makes it null.
_JSON_BARE: Final = re.compile(r"[^\s,:\[\]{}\"]+")
_DELIMITERS: Final = ",;\t|"


def form_of(name: str, text: str) -> Form:
    """How a text is read, by its name, or as JSON when it is JSON as a whole.

    Examples:
        >>> form_of("a.csv", "x"), form_of("a.log", '{"a": 1}'), form_of("a.log", "x")
        ('csv', 'json', 'text')
    """
    ending = name.lower().rpartition(".")[2]
    if ending in {"csv", "tsv", "psv"}:
        return "csv"
    if ending in {"json", "jsonl", "ndjson"} or text.lstrip()[:1] in {"{", "["}:
        return "json" if _values(text) is not None else "text"
    return "text"


def masked(text: str, spans: Iterable[tuple[int, int]], form: Form) -> str:
    r"""The text with every character in the spans (code points, the end exclusive) masked.

    Line ends stay, and in CSV delimiters and quotes, in JSON the quotes of strings; a number in JSON becomes null.

    Examples:
        >>> masked("ssn: 536-22-8726", [(5, 16)], "text")
        'ssn: ***********'
        >>> masked('{"ssn": 536228726, "t": "é\\u0031"}', [(8, 17), (26, 30)], "json")
        '{"ssn": null, "t": "é******"}'
        >>> masked('a,"1,2"', [(2, 7)], "csv")
        'a,"*,*"'
    """
    joined = _joined(spans)
    if form == "json":
        return _masked_json(text, joined)
    kept = "\r\n" if form == "text" else "\r\n" + '"' + delimiter_of(text)
    parts, at = [], 0
    for start, end in joined:
        parts += [text[at:start], "".join(c if c in kept else MASK for c in text[start:end])]
        at = end
    return "".join([*parts, text[at:]])


def same_form(before: str, after: str, form: Form) -> bool:
    r"""True when the masked text is still what it was: as many rows and cells, or values of the same kinds in place.

    Examples:
        >>> same_form("a,b\n1,2\n", "a,b\n*,*\n", "csv"), same_form("a,b\n", "a*b\n", "csv")
        (True, False)
        >>> same_form('{"a": 1}', '{"a": null}', "json"), same_form('{"a": 1}', '{"a": ***}', "json")
        (True, False)
    """
    if form == "csv":
        delimiter = delimiter_of(before)
        return _cells(before, delimiter) == _cells(after, delimiter)
    if form == "json":
        first, second = _values(before), _values(after)
        return first is not None and second is not None and _alike(first, second)
    return before.count("\n") == after.count("\n")


def delimiter_of(text: str) -> str:
    """What stands between the cells: of the usual ones, that which is most often in the first line."""
    head = text.partition("\n")[0]
    return max(_DELIMITERS, key=head.count)


def _masked_json(text: str, spans: list[tuple[int, int]]) -> str:
    strings = [found.span() for found in _JSON_STRING.finditer(text)]
    begins = [begin for begin, _ in strings]
    parts: list[str] = []
    at = 0

    def put(start: int, end: int, by: str) -> None:
        nonlocal at
        parts.extend((text[at:start], by))
        at = end

    for start, end in spans:
        position = max(start, at)
        while position < end:
            number = bisect_right(begins, position) - 1
            if number >= 0 and position < strings[number][1]:
                begin, close = strings[number][0] + 1, strings[number][1] - 1
                first, last = _whole_escapes(text, max(position, begin), min(end, close), begin)
                first = max(first, at)
                if first < last:
                    put(first, last, MASK * (last - first))
                position = strings[number][1]
                continue
            following = begins[number + 1] if number + 1 < len(begins) else len(text)
            for bare in _JSON_BARE.finditer(text, strings[number][1] if number >= 0 else 0, following):
                if bare.start() < end and bare.end() > position and bare.start() >= at:
                    put(*bare.span(), "null")
            position = following
    return "".join([*parts, text[at:]])


def _whole_escapes(text: str, first: int, last: int, begin: int) -> tuple[int, int]:
    """The span made larger so that it cuts no escape of the string that begins at ``begin``."""
    for escape in _JSON_ESCAPE.finditer(text, begin, min(last + 12, len(text))):
        if escape.start() < first < escape.end():
            first = escape.start()
        if escape.start() < last < escape.end():
            last = escape.end()
    return first, last


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if told and start <= told[-1][1]:
            told[-1] = (told[-1][0], max(end, told[-1][1]))
        else:
            told.append((start, end))
    return told


def _cells(text: str, delimiter: str) -> list[int] | None:
    try:
        return [len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error:
        return None


def _values(text: str) -> Sequence[Any] | None:
    """The JSON of a text, one value or one a line; None when it is neither. Of an object, its pairs in order."""
    text = text.removeprefix("\ufeff")
    try:
        return [json.loads(text, object_pairs_hook=_Pairs)]
    except (ValueError, RecursionError):
        pass
    try:
        lines = [json.loads(line, object_pairs_hook=_Pairs) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None
    return lines or None


class _Pairs(list[tuple[str, Any]]):
    pass


def _alike(before: Any, after: Any) -> bool:
    if after is None:
        return not isinstance(before, (str, list))
    if isinstance(before, _Pairs):
        return (
            isinstance(after, _Pairs)
            and len(before) == len(after) == len({name for name, _ in after})
            and all(_alike(one[1], other[1]) for one, other in zip(before, after, strict=True))
        )
    if isinstance(before, list):
        return (
            isinstance(after, list)
            and not isinstance(after, _Pairs)
            and len(before) == len(after)
            and all(_alike(one, other) for one, other in zip(before, after, strict=True))
        )
    return type(before) is type(after)
