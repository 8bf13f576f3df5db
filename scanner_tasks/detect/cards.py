"""Payment card numbers: issuer ranges, lengths, groupings and the Luhn digit (ISO/IEC 7812-1)."""

from __future__ import annotations

import re
from typing import Final

_GROUPS = re.compile(rb"[0-9]+")
_NOT_DIGITS = re.compile(rb"[^0-9]+")
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
    ("35", "35", frozenset({16})),
    ("50", "50", frozenset(range(12, 20))),
    ("56", "58", frozenset(range(12, 20))),
    ("63", "63", frozenset(range(12, 20))),
    ("67", "67", frozenset(range(12, 20))),
    ("0604", "0604", frozenset({12})),
)
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


def issuer_certainty(digits: bytes) -> bool | None:
    """True for an issuer's range and length, False for a rare one, None where nobody issues such a number.

    Examples:
        >>> issuer_certainty(b"4111111111111111"), issuer_certainty(b"9111111111111111")
        (True, None)
    """
    text, length = digits.decode(), len(digits)
    for table, certain in ((_ISSUERS, True), (_RARE, False)):
        for first, last, lengths in table:
            if length in lengths and first <= text[: len(first)] <= last:
                return certain
    return None


def card_prefix(value: bytes) -> tuple[int, bool] | None:
    """Length of the start of the value that is a card number, and whether its issuer is certain; None without one.

    Examples:
        >>> card_prefix(b"4111-1111-1111-1111"), card_prefix(b"4111-1111 1111 1111")
        ((19, True), None)
    """
    groups = [(found.end(), found.end() - found.start()) for found in _GROUPS.finditer(value)]
    sizes = tuple(size for _, size in groups)
    separators = _NOT_DIGITS.findall(value)
    digits = _NOT_DIGITS.sub(b"", value)
    for grouping in (*_GROUPINGS, (sizes[0],)):
        count = len(grouping)
        if sizes[:count] != grouping or len(set(separators[: count - 1])) > 1:
            continue
        number = digits[: sum(grouping)]
        if luhn(number) and number.strip(number[:1]):
            certain = issuer_certainty(number)
            if certain is not None:
                return groups[count - 1][0], certain
    return None


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
    strays = 0
    for part in reversed(left.split(separator)[:-1]):
        if not part.isdigit():
            strays += part[-1:].isdigit()
            break
        strays += 1
    for part in right.split(separator)[1:]:
        if not part.isdigit():
            strays += part[:1].isdigit()
            break
        strays += 1
    return strays > _STRAY_GROUPS
