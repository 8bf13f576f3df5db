"""Payment card numbers: issuer ranges, lengths, groupings and the Luhn digit (ISO/IEC 7812-1)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_DIGITS = re.compile(rb"[^0-9]+")
_GROUP_AT_END = re.compile(rb"[0-9]{4}[ -]\Z")
_GROUP_AT_START = re.compile(rb"[ -][0-9]{4}")
_DIGITS_AT_START = re.compile(rb"^[0-9]+")
_DIGITS_AT_END = re.compile(rb"[0-9]+\Z")
# Groupings as printed on cards; a number without separators is one group.
_GROUPINGS: Final = (
    (4, 4, 4, 4),
    (4, 6, 5),
    (4, 6, 4),
    (4, 4, 4, 4, 3),
    (6, 13),
    (4, 4, 4, 1),
    (4, 3, 3, 3),
    (4, 4, 4, 2),
    (4, 4, 4, 3),
    (4, 4, 5),
    (4, 5, 6),
    (4, 4, 4, 4, 1),
    (4, 4, 4, 4, 2),
    (4, 4, 4),
)
_LONG: Final = frozenset(range(16, 20))
_MAESTRO: Final = frozenset(range(13, 20))
# Prefix from, to (same length), lengths.
_ISSUERS: Final = (
    ("4", "4", frozenset({13, 16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("6011", "6011", _LONG),  # Discover
    ("622126", "622925", _LONG),
    ("644", "649", _LONG),
    ("65", "65", _LONG),
    ("3528", "3589", _LONG),  # JCB
    ("35", "35", frozenset({16})),  # beyond its range: in data sets that are made up
    ("1800", "1800", frozenset({15})),
    ("2131", "2131", frozenset({15})),
    ("300", "305", frozenset({14, 16})),  # Diners Club
    ("3095", "3095", frozenset({14, 16})),
    ("36", "36", frozenset({14, 16})),
    ("38", "39", frozenset({14, 16})),
    ("62", "62", _LONG),  # UnionPay
    ("81", "81", _LONG),
    ("5018", "5018", _MAESTRO),  # Maestro
    ("5020", "5020", _MAESTRO),
    ("5038", "5038", _MAESTRO),
    ("5893", "5893", _MAESTRO),
    ("6304", "6304", _MAESTRO),
    ("6759", "6759", _MAESTRO),
    ("6761", "6763", _MAESTRO),
    ("2200", "2204", _LONG),  # Mir
)
# Issued rarely or no longer: only a keyword makes them findings.
_RARE: Final = (
    ("50", "50", frozenset(range(12, 20))),
    ("56", "58", frozenset(range(12, 20))),
    ("63", "63", frozenset(range(12, 20))),
    ("67", "67", frozenset(range(12, 20))),
    ("0604", "0604", frozenset({12})),
)
#: Cards of so many digits are rare, and other numbers (moments in milliseconds, 64 bits) common.
_RARE_LENGTHS: Final = frozenset((13, 17, 18, 19))
#: UnionPay's are that long as a rule.
_LONG_ISSUER: Final = b"62"
_BY_FIRST_DIGIT: Final = {
    digit: [(*row, table is _ISSUERS) for table in (_ISSUERS, _RARE) for row in table if row[0][0] == digit]
    for digit in "0123456789"
}
_BY_FIRST_GROUPS: Final[dict[tuple[int, ...], list[tuple[int, ...]]]] = {
    sizes: [grouping for grouping in _GROUPINGS if grouping[:2] == sizes] for sizes in {g[:2] for g in _GROUPINGS}
}
_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")
_ZERO: Final = 48
#: More digit groups than this beside a card, all joined by its own separator, make it a row of numbers.
_STRAY_GROUPS: Final = 2


def luhn(digits: bytes) -> bool:
    """True if the last digit is the Luhn check digit of those before it.

    Examples:
        >>> luhn(b"4111111111111111"), luhn(b"4111111111111112")
        (True, False)
    """
    return (sum(digits[-1::-2]) + sum(digits[-2::-2].translate(_DOUBLED)) - _ZERO * len(digits)) % 10 == 0


_PLAIN: Final = bytes.maketrans(b"0123456789", bytes(range(10)))
_PLAIN_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_TENS: Final = bytes(byte % 10 == 0 for byte in range(256))


def passes_luhn(rows: bytes, width: int, digits: Iterable[int]) -> bytes:
    r"""For each row of so many bytes, 1 if the digits at these places pass ``luhn``, else 0.

    The sums of all rows are made in one addition for each digit: one byte a row, that 19 digits never overflow.

    Examples:
        >>> passes_luhn(b"x4111111111111111x4111111111111112", 17, range(1, 17))
        b'\x01\x00'
    """
    total = sum(
        int.from_bytes(rows[at::width].translate(_PLAIN_DOUBLED if place % 2 else _PLAIN), "little")
        for place, at in enumerate(reversed(list(digits)))
    )
    return total.to_bytes(len(rows) // width, "little").translate(_TENS)


def issuer_certainty(digits: bytes) -> bool | None:
    """True for an issuer's range and length, False for a rare one, None where nobody issues such a number.

    Examples:
        >>> issuer_certainty(b"4111111111111111"), issuer_certainty(b"9111111111111111")
        (True, None)
    """
    text, length = digits.decode(), len(digits)
    for first, last, lengths, certain in _BY_FIRST_DIGIT[text[0]]:
        if length in lengths and first <= text[: len(first)] <= last:
            return certain
    return None


def card_prefix(value: bytes) -> tuple[int, bool] | None:
    """Length of the start of the value that is a card number, and whether its issuer is certain; None without one.

    Examples:
        >>> card_prefix(b"4111-1111-1111-1111"), card_prefix(b"4111-1111 1111 1111")
        ((19, True), None)
    """
    if value.isdigit():
        certain = _number_certainty(value)
        is_rare = len(value) in _RARE_LENGTHS and not value.startswith(_LONG_ISSUER)
        return None if certain is None else (len(value), certain and not is_rare)
    digits = _NOT_DIGITS.sub(b"", value)
    separators = _NOT_DIGITS.findall(value)
    sizes = tuple(map(len, _NOT_DIGITS.split(value)))
    groupings = _BY_FIRST_GROUPS.get(sizes[:2], [])
    if separators[0] == b"-":
        # What a hyphen joins is one number. Behind a space another one may begin: 4111 1111 1111 1111 123.
        groupings = sorted(groupings, key=len, reverse=True)
    for grouping in groupings:
        count = len(grouping)
        if sizes[:count] == grouping and separators[: count - 1].count(separators[0]) == count - 1:
            certain = _number_certainty(digits[: sum(grouping)])
            if certain is not None:
                return sum(grouping) + len(separators[0]) * (count - 1), certain
    return None


def loose_card(value: bytes) -> tuple[int, bool] | None:
    """The same for a card in other groups than cards print, of one separator: never certain.

    Examples:
        >>> [loose_card(v) for v in (b"411111 1111111111", b"4111 - 1111 - 1111 - 1111", b"4111-1111 11111111")]
        [(17, False), (25, False), None]
    """
    separators = _NOT_DIGITS.findall(value)
    if not separators or separators.count(separators[0]) < len(separators):
        return None
    return (len(value), False) if _number_certainty(_NOT_DIGITS.sub(b"", value)) else None


def is_tail(value: bytes, left: bytes, right: bytes) -> bool:
    """True for three groups of four with a fourth beside them: a longer number whose check digit fits no more.

    Examples:
        >>> is_tail(b"5018 1111 2222", b"4878 ", b""), is_tail(b"5018 1111 2222", b"no ", b"")
        (True, False)
    """
    if len(value) != 14 or not _NOT_DIGITS.search(value):  # noqa: PLR2004
        return False
    return bool(_GROUP_AT_END.search(left) or _GROUP_AT_START.match(right))


def _number_certainty(number: bytes) -> bool | None:
    if not luhn(number) or not number.strip(number[:1]):
        return None
    return issuer_certainty(number)


@cache
def issued_prefixes(length: int) -> frozenset[bytes]:
    """The first four digits that alone tell a certain issuer of a number of this length.

    Examples:
        >>> b"4111" in issued_prefixes(16), b"3411" in issued_prefixes(15), b"6221" in issued_prefixes(15)
        (True, True, False)
    """
    return frozenset(
        prefix
        for prefix in (b"%04d" % n for n in range(10_000))
        if any(
            length in lengths and len(first) <= len(prefix) and first <= prefix[: len(first)].decode() <= last
            for first, last, lengths in _ISSUERS
        )
    )


_PLAIN_LENGTHS: Final = {16: 16, 15: 15, 19: 16}


def misses_check_digit(value: bytes) -> bool:
    """True for a number that is a card but for its check digit: bare, or in four groups of four.

    How many of these stand beside how many cards tells cards from numbers that pass by chance: one in ten does.

    Examples:
        >>> [misses_check_digit(v) for v in (b"4111111111111112", b"4111 1111 1111 1112", b"9111111111111112")]
        [True, True, False]
        >>> misses_check_digit(b"4111111111111111"), misses_check_digit(b"371111111111110")
        (False, True)
    """
    count = _PLAIN_LENGTHS.get(len(value))
    if count is None:
        return False
    digits = value
    if count < len(value):
        separator = value[4:5]
        if separator not in {b" ", b"-"} or not value[9:10] == value[14:15] == separator:
            return False
        digits = value.replace(separator, b"")
    if len(digits) != count or not digits.isdigit():
        return False
    return digits[:4] in issued_prefixes(count) and not luhn(digits)


def in_row_of_numbers(value: bytes, left: bytes, right: bytes) -> bool:
    """True if many numbers joined by the value's own separator stand beside it, as in a table.

    Examples:
        >>> in_row_of_numbers(b"4111 1111 1111 1111", b"1234 ", b"")
        False
        >>> in_row_of_numbers(b"4111 1111 1111 1111", b"12 0987 1234 ", b" 77")
        True
    """
    found = _NOT_DIGITS.search(value)
    if not found:
        return False
    separator = found[0]
    before = _joined(reversed(left.split(separator)[:-1]), last=True) if left.endswith(separator) else []
    after = _joined(right.split(separator)[1:], last=False) if right.startswith(separator) else []
    if len(before) + len(after) <= _STRAY_GROUPS:
        return False
    # A list of cards on one line is no table: do not count the groups of a card beside this one.
    count = value.count(separator) + 1
    strays = len(before) + len(after)
    for beside in (separator.join(after[:count]), separator.join(reversed(before[:count]))):
        if beside and card_prefix(beside):
            strays -= count
    return strays > _STRAY_GROUPS


def _joined(parts: Iterable[bytes], *, last: bool) -> list[bytes]:
    """The digit groups at the beginning of the parts; of a part that is not all digits, those at its near end."""
    groups: list[bytes] = []
    for part in parts:
        if not part.isdigit():
            found = (_DIGITS_AT_END if last else _DIGITS_AT_START).search(part)
            return [*groups, found[0]] if found else groups
        groups.append(part)
    return groups
