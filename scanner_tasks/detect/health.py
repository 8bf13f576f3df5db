"""Numbers of health care in the United States."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.cards import luhn

if TYPE_CHECKING:
    from collections.abc import Callable


def us_npi(digits: bytes) -> bool:
    """National Provider Identifier: begins with 1 or 2; the Luhn digit counts the prefix 80840 (ISO 7812).

    Examples:
        >>> us_npi(b"1234567893"), us_npi(b"1234567894")
        (True, False)
    """
    return luhn(b"80840" + digits)


def us_dea(text: bytes) -> bool:
    """DEA registration number: the last digit of d1 + d3 + d5 + 2 (d2 + d4 + d6).

    Examples:
        >>> us_dea(b"AB1234563"), us_dea(b"AB1234564")
        (True, False)
    """
    d = [digit - 48 for digit in text[2:]]
    return (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6] and any(d)


def record_number(text: bytes) -> bool:
    """A record number: at least four digits, not all alike.

    Examples:
        >>> record_number(b"A0012345"), record_number(b"0000000"), record_number(b"ABCDEF12")
        (True, False, False)
    """
    digits = bytes(c for c in text if 48 <= c <= 57)  # noqa: PLR2004
    return len(digits) >= 4 and len(set(digits)) > 1  # noqa: PLR2004


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "record_number": record_number,
    "us_dea": us_dea,
    "us_npi": us_npi,
}
