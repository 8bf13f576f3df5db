"""Check digits that many numbers share. Digits are ASCII bytes; each function says what standard it follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ALPHANUMERIC: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VERHOEFF_STEP: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def weighted(digits: bytes, weights: Iterable[int]) -> int:
    """Sum of digits times weights, as far as both go.

    Examples:
        >>> weighted(b"123", (3, 2, 1))
        10
    """
    return sum((digit - 48) * weight for digit, weight in zip(digits, weights, strict=False))


def is_day(month: int, day: int) -> bool:
    """True if some year has such a day.

    Examples:
        >>> is_day(2, 29), is_day(2, 30), is_day(13, 1)
        (True, False, False)
    """
    return 1 <= month <= len(_DAYS) and 1 <= day <= _DAYS[month - 1]


def is_yymmdd(digits: bytes) -> bool:
    """True if six digits are year, month and day.

    Examples:
        >>> is_yymmdd(b"991231"), is_yymmdd(b"311299")
        (True, False)
    """
    return is_day(int(digits[2:4]), int(digits[4:6]))


def is_ddmmyy(digits: bytes) -> bool:
    """True if six digits are day, month and year.

    Examples:
        >>> is_ddmmyy(b"311299"), is_ddmmyy(b"991231")
        (True, False)
    """
    return is_day(int(digits[2:4]), int(digits[:2]))


def mod97(text: bytes) -> int:
    """ISO/IEC 7064 MOD 97-10 of digits and capital letters (A is 10): 1 if the check digits fit.

    Examples:
        >>> mod97(b"3214282912345698765432161182")
        1
    """
    return int("".join(str(int(chr(c), 36)) for c in text)) % 97


def mod11_10(digits: bytes) -> bool:
    """ISO/IEC 7064 MOD 11,10: the last digit checks those before it.

    Examples:
        >>> mod11_10(b"36574261809"), mod11_10(b"36574261808")
        (True, False)
    """
    product = 10
    for digit in digits[:-1]:
        product = ((digit - 48 + product) % 10 or 10) * 2 % 11
    return (product + digits[-1] - 48) % 10 == 1


def mod11_2(text: bytes) -> bool:
    """ISO/IEC 7064 MOD 11-2: the last character, a digit or X, checks the digits before it.

    Examples:
        >>> mod11_2(b"07940"), mod11_2(b"079X")
        (True, True)
    """
    rest = 0
    for digit in text[:-1]:
        rest = (rest + digit - 48) * 2 % 11
    return (12 - rest) % 11 == (10 if text[-1:] == b"X" else text[-1] - 48)


def mod37_36(text: bytes) -> bool:
    """The GSTIN's check character: Luhn over 36 characters, values doubled from the right.

    Examples:
        >>> mod37_36(b"27AAPFU0939F1ZV")
        True
    """
    total = 0
    for place, c in enumerate(reversed(text)):
        value = _ALPHANUMERIC.index(c) * (2 if place % 2 else 1)
        total += value // 36 + value % 36
    return total % 36 == 0


def verhoeff(digits: bytes) -> bool:
    """Verhoeff's check digit (dihedral group of order ten).

    Examples:
        >>> verhoeff(b"2363"), verhoeff(b"2364")
        (True, False)
    """
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = digit - 48
        for _ in range(place % 8):
            value = _VERHOEFF_STEP[value]
        check = _dihedral(check, value)
    return check == 0


def _dihedral(a: int, b: int) -> int:
    """Product in the dihedral group D5: 0-4 are rotations, 5-9 reflections."""
    if a < 5:  # noqa: PLR2004
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5  # noqa: PLR2004
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5  # noqa: PLR2004
