"""Telephone numbers: the North American plan, and country codes with E.164's lengths."""

from __future__ import annotations

import re
from typing import Final

_NOT_DIGITS = re.compile(rb"[^0-9]+")
_EXTENSION = re.compile(rb"[ ]?[xXeE].*", re.DOTALL)
_NANP = re.compile(rb"(?!.11)[2-9][0-9]{2}(?!.11)[2-9][0-9]{6}", re.DOTALL)
_NANP_DIGITS: Final = 10
_LEAST_KINDS: Final = 3
# Assigned country codes by their first digits (ITU-T E.164), as ranges; besides these, 1 and 7.
_TWO_DIGIT_CODES: Final = (
    (20, 20),
    (27, 27),
    (30, 34),
    (36, 36),
    (39, 41),
    (43, 49),
    (51, 58),
    (60, 66),
    (81, 82),
    (84, 84),
    (86, 86),
    (90, 95),
    (98, 98),
)

_THREE_DIGIT_CODES: Final = (
    (211, 213),
    (216, 216),
    (218, 218),
    (220, 246),
    (248, 258),
    (260, 269),
    (290, 291),
    (297, 299),
    (350, 359),
    (370, 378),
    (380, 383),
    (385, 387),
    (389, 389),
    (420, 421),
    (423, 423),
    (500, 509),
    (590, 599),
    (670, 670),
    (672, 683),
    (685, 692),
    (800, 800),
    (808, 808),
    (850, 850),
    (852, 853),
    (855, 856),
    (870, 870),
    (878, 878),
    (880, 883),
    (886, 886),
    (888, 888),
    (960, 968),
    (970, 977),
    (979, 979),
    (992, 996),
    (998, 998),
)
_E164_DIGITS: Final = range(8, 16)


def number_certainty(value: bytes) -> bool | None:
    """True for a number that its plan allows, False for a North American shape outside it, None for neither.

    Examples:
        >>> number_certainty(b"415-555-2671"), number_certainty(b"123-456-7890"), number_certainty(b"+999 12345678")
        (True, False, None)
    """
    body = _EXTENSION.sub(b"", value)
    digits = _NOT_DIGITS.sub(b"", body.replace(b"(0)", b""))
    if len(set(digits)) < _LEAST_KINDS:
        return None
    if body.startswith(b"+") and not digits.startswith(b"1"):
        return _international(digits.decode())
    national = digits.removeprefix(b"00")
    if digits.startswith(b"00") and not national.startswith(b"1"):
        # 00 is the prefix for calls abroad; short numbers after it are dates and times as often.
        return _international(national.decode()) if len(national) > _NANP_DIGITS else None
    if len(national) == _NANP_DIGITS + 1 and national.startswith(b"1"):
        national = national[1:]
    if len(national) != _NANP_DIGITS:
        return None
    if _NANP.fullmatch(national):
        return True
    return None if body.startswith(b"+") else False


def _international(digits: str) -> bool | None:
    known = (
        digits.startswith("7")
        or _is_in(int(digits[:2]), _TWO_DIGIT_CODES)
        or _is_in(int(digits[:3]), _THREE_DIGIT_CODES)
    )
    return True if known and len(digits) in _E164_DIGITS else None


def _is_in(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)
