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
# How a number of a country is labelled where it stands without the country's code: at most so far behind the word.
_LABEL: Final = re.compile(
    rb"(?i)(?:phone|tele?ph?[a-z]{0,12}|tel|tlf|t\xc3\xa9l(?:\xc3\xa9phone)?|tel\xc3\xa9fonos?|telef\xc3\xb3n[a-z]{0,2}|mobil[a-z]{0,8}"
    rb"|m\xc3\xb3vil|movil|handy|cell[a-z]{0,5}|celular|portable|fax|gsm|call|callto|caller ?id|callee"
    rb"|rufnummer|rufen sie|appelez|ll\xc3\xa1m[a-z]{1,4}|llame|numara|r\xc3\xbcckfragen"
    rb"|puhelin[a-z]{0,8}|kom(?:\.|\xc3\xb3rka)|whatsapp"
    rb"|sms|msisdn|\xd1\x82\xd0\xb5\xd0\xbb(?:\xd0\xb5\xd1\x84\xd0\xbe\xd0\xbd)?|\xe9\x9b\xbb\xe8\xa9\xb1|\xe7\x94\xb5\xe8\xaf\x9d|\xe6\x89\x8b\xe6\x9c\xba"
    rb"|\xe6\x90\xba\xe5\xb8\xaf|\xec\xa0\x84\xed\x99\x94|\xed\x9c\xb4\xeb\x8c\x80\xed\x8f\xb0|\xe0\xa4\xab\xe0\xa4\xbc?\xe0\xa5\x8b\xe0\xa4\xa8)([^0-9\n]{0,24})\Z"
)
#: Words that a number of telephone follows as well as other things: only one with separators is believed.
_VERB: Final = re.compile(
    rb"(?i)\b(?:contact|reach|dial|landline|hotline|helpline|kontakt|contacto|contatto|ring)"
    rb"(?:[^0-9\n]{0,16}|[^0-9\n]{0,32} (?:on|at|under) )\Z"
)
_NEAR_BYTES: Final = 12
_NATIONAL_DIGITS: Final = range(8, 13)


def number_certainty(value: bytes) -> bool | None:  # noqa: PLR0911 (a table of notations)
    """True for a number that its plan allows, False for a North American shape outside it, None for neither.

    Examples:
        >>> number_certainty(b"415-555-2671"), number_certainty(b"123-456-7890"), number_certainty(b"+999 12345678")
        (True, False, None)
    """
    body = _EXTENSION.sub(b"", value)
    if body.startswith(b"(+"):
        body = body[1:]
    digits = _NOT_DIGITS.sub(b"", body.replace(b"(0)", b""))
    if len(set(digits)) < _LEAST_KINDS:
        return None
    if body.startswith(b"+") and not digits.startswith(b"1"):
        return _international(digits.decode())
    national = digits.removeprefix(b"00")
    if digits.startswith(b"011") and not body.startswith(b"+") and len(digits) > _NANP_DIGITS + 1:
        return _international(digits[3:].decode())
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


_LAID_OUT: Final = re.compile(
    rb"(?:\(?\+|00[ ]?[1-9]|011[ -]).*|1?[0-9]{10}"
    rb"|(?:(?:\+?1|001)[^0-9(]{0,3})?(?:\([0-9]{3}\)[^0-9]{0,3}|[0-9]{3}(?: - |[ .-]| {2}|[^\x00-\x7f]{2,3}))"
    rb"[0-9]{3}(?: - |[ .-]| {2}|[^\x00-\x7f]{2,3})[0-9]{4}(?:[ ,xXeE].*)?",
    re.DOTALL,
)


def is_laid_out(value: bytes) -> bool:
    """True for a North American number in groups of 3, 3 and 4 with plain separators, and for one with a country code.

    Examples:
        >>> [is_laid_out(v) for v in (b"415-555-2671", b"+49 30 1234", b"415/555/2671", b"415-5552-671")]
        [True, True, False, False]
    """
    return _LAID_OUT.fullmatch(value) is not None


def is_national(value: bytes) -> bool:
    """True for what may be a country's own notation: as many digits, and not all alike.

    Examples:
        >>> is_national(b"(089) 2688861"), is_national(b"12 34 56"), is_national(b"1714550000")
        (True, False, False)
    """
    digits = _NOT_DIGITS.sub(b"", value)
    if len(digits) not in _NATIONAL_DIGITS or len(set(digits)) < _LEAST_KINDS:
        return False
    # Ten bare digits that begin so are a moment in seconds as likely.
    return not (value.isdigit() and len(digits) == _NANP_DIGITS and digits[:1] in b"12345")


def is_labelled(value: bytes, left: bytes) -> bool:
    """True directly behind a word for telephone in one of many languages; nearer where the value is bare digits.

    Examples:
        >>> is_labelled(b"(089) 2688861", b"Telefon "), is_labelled(b"912345678", "Teléfono: ".encode())
        (True, True)
        >>> is_labelled(b"601 234 567", b"Tax number "), is_labelled(b"601234567", b"Telefon of the ABA ")
        (False, False)
        >>> is_labelled(b"022-2345-6789", b"contact us at "), is_labelled(b"12345678", b"contact id ")
        (True, False)
    """
    found = _LABEL.search(left[-64:])
    if found is not None:
        return not value.isdigit() or len(found[1]) <= _NEAR_BYTES
    return not value.isdigit() and _VERB.search(left[-48:]) is not None


def _international(digits: str) -> bool | None:
    known = (
        digits.startswith("7")
        or _is_in(int(digits[:2]), _TWO_DIGIT_CODES)
        or _is_in(int(digits[:3]), _THREE_DIGIT_CODES)
    )
    return True if known and len(digits) in _E164_DIGITS else None


def _is_in(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)
