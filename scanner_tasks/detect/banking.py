"""Accounts and the banks that keep them: check digits and country formats."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.checksums import mod97, weighted

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_ALPHANUMERIC: Final = re.compile(rb"[^0-9A-Za-z]+")
# Lengths of IBANs by country (ISO 13616, SWIFT's IBAN registry).
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in (
        (15, "NO"),
        (16, "BE"),
        (18, "DK FI FK FO GL NL SD"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"),
        (22, "BG BH CR DE GB GE IE ME RS VA"),
        (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "LY PT ST"),
        (26, "IS TR"),
        (27, "BI DJ FR GR IT MC MR SM"),
        (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    )
    for country in countries.split()
}
_COUNTRIES: Final = frozenset(
    """
    AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG
    CH CI CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FO FR GA GB GD GE GF GG GH GI
    GL GM GN GP GQ GR GT GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG
    NI NL NO NP NR NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN
    SO SR SS ST SV SX SY SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK
    YE YT ZA ZM ZW
    """.split()  # noqa: SIM905  # one line for forty codes
)


def iban_length(text: bytes) -> int:
    """Characters of the compact text's start that are an IBAN whose country, length and check digits fit; 0 if none.

    Examples:
        >>> iban_length(b"GB82WEST12345698765432"), iban_length(b"GB82WEST12345698765433")
        (22, 0)
    """
    length = _IBAN_LENGTHS.get(text[:2].decode(), 0)
    number = text[:length]
    if not length or len(number) < length or number[4:].strip(b"0") == b"":
        return 0
    return length if mod97(number[4:] + number[:4]) == 1 else 0


def iban(value: bytes, _left: bytes, _right: bytes) -> tuple[int, bool] | None:
    """The start of the value that is an IBAN, whole groups only.

    Examples:
        >>> iban(b"GB82 WEST 1234 5698 7654 32", b"", b""), iban(b"GB82 WEST 1234 5698 7654 32 BIC1", b"", b"")
        ((27, False), (27, False))
    """
    length = iban_length(_NOT_ALPHANUMERIC.sub(b"", value).upper())
    if not length:
        return None
    end = next(n for n in range(length, len(value) + 1) if len(_NOT_ALPHANUMERIC.sub(b"", value[:n])) == length)
    return None if value[end : end + 1].isalnum() else (end, False)


def aba_routing(digits: bytes) -> bool:
    """ABA routing number: a Federal Reserve prefix, weights 3, 7, 1 modulo 10.

    Examples:
        >>> aba_routing(b"021000021"), aba_routing(b"021000022"), aba_routing(b"991000021")
        (True, False, False)
    """
    prefix = int(digits[:2])
    known = prefix <= 12 or 21 <= prefix <= 32 or 61 <= prefix <= 72 or prefix == 80  # noqa: PLR2004
    return known and weighted(digits, (3, 7, 1) * 3) % 10 == 0 and digits.strip(b"0") != b""


def swift_bic(text: bytes) -> bool:
    """Business identifier code (ISO 9362): its country exists and it is no test code.

    Examples:
        >>> swift_bic(b"DEUTDEFF500"), swift_bic(b"DEUTXXFF"), swift_bic(b"DEUTDEF0")
        (True, False, False)
    """
    return text[4:6].decode() in _COUNTRIES and text[7:8] != b"0"


def mx_clabe(digits: bytes) -> bool:
    """CLABE: weights 3, 7, 1 modulo 10.

    Examples:
        >>> mx_clabe(b"002010077777777771"), mx_clabe(b"002010077777777772")
        (True, False)
    """
    checked = sum((digit - 48) * w % 10 for digit, w in zip(digits[:17], (3, 7, 1) * 6, strict=False))
    return -checked % 10 == digits[17] - 48 and digits.strip(b"0") != b""


def sepa_creditor_id(text: bytes) -> bool:
    """SEPA creditor identifier: MOD 97-10 without the three characters of the business code.

    Examples:
        >>> sepa_creditor_id(b"DE98ZZZ09999999999"), sepa_creditor_id(b"DE99ZZZ09999999999")
        (True, False)
    """
    return text[:2].decode() in _COUNTRIES and mod97(text[7:] + text[:4]) == 1


def lei(text: bytes) -> bool:
    """Legal entity identifier (ISO 17442): MOD 97-10.

    Examples:
        >>> lei(b"213800KUD8LAJWSQ9D15"), lei(b"213800KUD8LAJWSQ9D16")
        (True, False)
    """
    return mod97(text) == 1


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "aba_routing": aba_routing,
    "lei": lei,
    "mx_clabe": mx_clabe,
    "sepa_creditor_id": sepa_creditor_id,
    "swift_bic": swift_bic,
}
