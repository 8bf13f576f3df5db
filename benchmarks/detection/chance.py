"""Chance in small words: digits, letters, patterns."""

from __future__ import annotations

import string
from random import Random

UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"


def chars(r: Random, alphabet: str, count: int) -> str:
    """So many characters of an alphabet."""
    return "".join(r.choices(alphabet, k=count))


def digits(r: Random, count: int) -> str:
    """So many digits."""
    return chars(r, DIGITS, count)


def patterned(r: Random, pattern: str) -> str:
    """A pattern with # for a digit, ^ for 2-9, ~ for 1-9, % for a capital, & for a capital or digit.

    Examples:
        >>> patterned(Random(1), "+44 20 7^## ####")[:8]
        '+44 20 7'
    """
    sets = {"#": DIGITS, "^": "23456789", "~": "123456789", "%": UPPER, "&": UPPER + DIGITS}
    return "".join(r.choice(sets[c]) if c in sets else c for c in pattern)


def luhn(body: str) -> str:
    """The check digit of ISO/IEC 7812-1, annex B, for the digits before it."""
    total = 0
    for index, c in enumerate(reversed(body)):
        doubled = int(c) * (2 - index % 2)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def mod97(text: str) -> int:
    """ISO 7064 MOD 97-10 of letters and digits."""
    return int("".join(str(int(c, 36)) for c in text)) % 97
