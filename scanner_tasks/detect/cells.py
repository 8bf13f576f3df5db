r"""Cells of tables that hold one value and nothing else, settled many at a time.

In dense tables the judgement of each value by itself is what costs. But ``,536-22-8726,`` or ``\n"jane@example.com"``
leaves nothing to judge once the value itself is sound: no neighbour, no label and no longer number can speak against
it. The filter reports where such cells end, and a few operations on all of them at once tell which are sound. Whatever
is not settled here is judged alone, with the same result: a shape may only name values that its rule surely accepts,
whole, without a keyword.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress
from typing import Final, NamedTuple, TypeAlias

from scanner_tasks.detect.test_values import TEST_CARDS, TEST_SSNS
from scanner_tasks.detect.validators import VALIDATORS

#: Where the byte before a value stands, and the byte behind the one after it: what a match of its rule covers.
Cell: TypeAlias = tuple[int, int]


class Shape(NamedTuple):
    """One shape of a cell."""

    #: For Hyperscan: from the delimiter before the value to the one after it, where an event is reported.
    pattern: str
    #: Of a text and the ends reported in it, those whose values are sound, each with the byte before its value.
    sound: Callable[[bytes, list[int]], list[Cell]]


def _cell(value: str) -> str:
    return rf"(?:[\n,;|](?:{value})[\r\n,;|]|[\n,;|]\x22(?:{value})\x22)"


_SSN = (
    r"(?:00[1-9]|0[1-9]\d|[1-57-8]\d\d|6(?:[0-57-9]\d|6[0-57-9]))-(?:0[1-9]|[1-9]\d)"
    r"-(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})"
)
_NOT_SSNS: Final = frozenset(
    b"-".join((number[:3], number[3:5], number[5:])) for number in {*TEST_SSNS, *(b"%d" % n * 9 for n in range(10))}
)


def _ssns(text: bytes, ends: list[int]) -> list[Cell]:
    return [(end - 13, end) for end in ends if text[end - 12 : end - 1] not in _NOT_SSNS]


_ISSUED_16 = (
    r"(?:4\d{3}|5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720|6011|64[4-9]\d|65\d\d|62\d\d"
    r"|35(?:2[89]|[3-8]\d)|220[0-4])"
)
_PLAIN: Final = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_TENS: Final = bytes(byte % 10 == 0 for byte in range(256))
_NOT_CARDS: Final = frozenset(TEST_CARDS | {b"%d" % n * length for n in range(10) for length in (15, 16)})


def _cards(groups: tuple[int, ...], separator: str) -> Callable[[bytes, list[int]], list[Cell]]:
    """Sound cards of one grouping: the Luhn sums of all of them in one addition for each digit."""
    length = sum(groups) + len(separator) * (len(groups) - 1)
    layout = separator.join("0" * size for size in groups)
    digits = [at for at, c in enumerate(layout) if c == "0"]
    wrong = frozenset(_laid_out(number, groups, separator) for number in _NOT_CARDS if len(number) == sum(groups))

    def sound(text: bytes, ends: list[int]) -> list[Cell]:
        values = [text[end - 1 - length : end - 1] for end in ends]
        rows = b"".join(values)
        # One byte for each card: 16 digits of at most 9 never overflow it.
        total = sum(
            int.from_bytes(rows[at::length].translate(_DOUBLED if place % 2 else _PLAIN), "little")
            for place, at in enumerate(reversed(digits))
        )
        passed = total.to_bytes(len(ends), "little").translate(_TENS)
        return [
            (end - length - 2, end)
            for end, value in compress(zip(ends, values, strict=True), passed)
            if value not in wrong
        ]

    return sound


def _laid_out(number: bytes, groups: tuple[int, ...], separator: str) -> bytes:
    parts, at = [], 0
    for size in groups:
        parts.append(number[at : at + size])
        at += size
    return separator.encode().join(parts)


_AREA = r"[2-9](?:[02-9]\d|1[02-9])"
_NANP = (
    rf"(?:(?:\+1[ \-]|1\-)?(?:\({_AREA}\) |{_AREA}[\-.]){_AREA}[\-.]\d{{4}}"
    rf"|\+1(?:{_AREA}{_AREA}| {_AREA} {_AREA} )\d{{4}})"
)
#: Last four digits of fewer kinds than three: whether the number has three must be looked at.
_FEW: Final = frozenset(b"%04d" % n for n in range(10_000) if len(set(b"%04d" % n)) < 3)  # noqa: PLR2004


_NANP_BYTES: Final = b"0123456789+-. ()"
_LONGEST_NANP: Final = 17


def _phones(text: bytes, ends: list[int]) -> list[Cell]:
    sound = []
    for end in ends:
        if text[end - 5 : end - 1] not in _FEW:
            before = max(0, end - 2 - _LONGEST_NANP)
            sound.append((before + len(text[before : end - 1].rstrip(_NANP_BYTES)) - 1, end))
    return sound


_ADDRESS = (
    r"[0-9A-Za-z_](?:[0-9A-Za-z_%+\-]|\.[0-9A-Za-z_%+\-])*"
    r"@(?:[A-Za-z](?:[0-9A-Za-z\-]*[0-9A-Za-z])?\.){1,4}[A-Za-z]{2,24}"
)
_LOCAL: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_%+-."
_LONGEST_LOCAL: Final = 64
_LONGEST_LABEL: Final = 63
_LONGEST_DOMAIN: Final = 253


def _addresses(text: bytes, ends: list[int]) -> list[Cell]:
    domains: dict[bytes, bool] = {}
    sound = []
    for end in ends:
        at = text.rfind(b"@", 0, end)
        domain = text[at + 1 : end - 1]
        good = domains.get(domain)
        if good is None:
            good = domains[domain] = _good_domain(domain)
        if good:
            before = max(0, at - _LONGEST_LOCAL - 1)
            # Something else than the local part stands within its greatest length.
            if start := len(text[before:at].rstrip(_LOCAL)):
                sound.append((before + start - 1, end))
    return sound


def _good_domain(domain: bytes) -> bool:
    if len(domain) > _LONGEST_DOMAIN or max(map(len, domain.split(b"."))) > _LONGEST_LABEL:
        return False
    return VALIDATORS["email"](b"a@" + domain, b"", b"") is not None


_SIXTEEN = (4, 4, 4, 4)
#: Name in a rule's field ``cells`` → shapes.
CELLS: Final[dict[str, tuple[Shape, ...]]] = {
    "us_ssn": (Shape(_cell(_SSN), _ssns),),
    "payment_card": (
        Shape(_cell(rf"{_ISSUED_16}\d{{12}}"), _cards((16,), "")),
        Shape(_cell(rf"{_ISSUED_16}(?: \d{{4}}){{3}}"), _cards(_SIXTEEN, " ")),
        Shape(_cell(rf"{_ISSUED_16}(?:\-\d{{4}}){{3}}"), _cards(_SIXTEEN, "-")),
        Shape(_cell(r"3[47]\d{13}"), _cards((15,), "")),
    ),
    "phone": (Shape(_cell(_NANP), _phones),),
    "email": (Shape(_cell(_ADDRESS), _addresses),),
}
