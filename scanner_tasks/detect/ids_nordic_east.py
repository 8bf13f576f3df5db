"""National numbers of Northern and Eastern Europe and Turkey: can a compact number (capitals, no separators) exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.cards import luhn
from scanner_tasks.detect.checksums import is_day, is_ddmmyy, weighted

if TYPE_CHECKING:
    from collections.abc import Callable

_HETU_LETTERS: Final = b"0123456789ABCDEFHJKLMNPRSTUVWXY"
_COORDINATION: Final = 60
_D_NUMBER: Final = 40


def se_personnummer(digits: bytes) -> bool:
    """Personnummer and samordningsnummer (day + 60): a birth date and the Luhn digit of the last ten.

    Examples:
        >>> se_personnummer(b"8803200016"), se_personnummer(b"198803200016"), se_personnummer(b"8803200017")
        (True, True, False)
    """
    digits = digits[-10:]
    return is_day(int(digits[2:4]), int(digits[4:6]) % _COORDINATION) and luhn(digits)


def no_fodselsnummer(digits: bytes) -> bool:
    """Fødselsnummer and D-number (day + 40): a birth date and two check digits.

    Examples:
        >>> no_fodselsnummer(b"15108695088"), no_fodselsnummer(b"15108695087")
        (True, False)
    """
    first = -weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    day = int(digits[:2])
    is_born = is_day(int(digits[2:4]) % _D_NUMBER, day - _D_NUMBER if day > _D_NUMBER else day)
    return is_born and (first, second) == (digits[9] - 48, digits[10] - 48)


def fi_hetu(text: bytes) -> bool:
    """Henkilötunnus: a birth date and the check character, modulo 31; the sign of the century may be missing.

    Examples:
        >>> [fi_hetu(text) for text in (b"131052-308T", b"131052308T", b"131052-308U")]
        [True, True, False]
    """
    return is_ddmmyy(text[:6]) and _HETU_LETTERS[int(text[:6] + text[-4:-1]) % 31] == text[-1]


def dk_cpr(digits: bytes) -> bool:
    """CPR number: a birth date; numbers given out since 2007 have no check digit.

    Examples:
        >>> dk_cpr(b"2110625629"), dk_cpr(b"5110625629")
        (True, False)
    """
    return is_ddmmyy(digits[:6])


def dk_cpr_checked(digits: bytes) -> bool:
    """A CPR number whose check digit fits, as all did before 2007.

    Examples:
        >>> dk_cpr_checked(b"2110625629"), dk_cpr_checked(b"2110625628")
        (True, False)
    """
    return is_ddmmyy(digits[:6]) and weighted(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def is_kennitala(digits: bytes) -> bool:
    """Kennitala: a birth date (day + 40 for companies), modulus 11, and a century digit.

    Examples:
        >>> is_kennitala(b"1201743399"), is_kennitala(b"1201743389")
        (True, False)
    """
    born = is_day(int(digits[2:4]), int(digits[:2]) % _D_NUMBER) and digits[9:] in {b"8", b"9", b"0"}
    return born and weighted(digits, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def pl_pesel(digits: bytes) -> bool:
    """PESEL: a birth date (the month names the century) and the check digit.

    Examples:
        >>> pl_pesel(b"44051401359"), pl_pesel(b"44051401358")
        (True, False)
    """
    born = is_day(int(digits[2:4]) % 20, int(digits[4:6]))
    return born and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def pl_nip(digits: bytes) -> bool:
    """NIP, the tax number: modulus 11 over ten digits.

    Examples:
        >>> pl_nip(b"8567346215"), pl_nip(b"8567346216")
        (True, False)
    """
    return weighted(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7, -1)) % 11 == 0 and digits.strip(b"0") != b""


def hu_tax_id(digits: bytes) -> bool:
    """Adóazonosító jel: ten digits that begin with 8, modulus 11.

    Examples:
        >>> hu_tax_id(b"8071592153"), hu_tax_id(b"8071592154")
        (True, False)
    """
    return weighted(digits, range(1, 10)) % 11 == digits[9] - 48


def jmbg(digits: bytes) -> bool:
    """JMBG and EMŠO (former Yugoslavia): a birth date and modulus 11.

    Examples:
        >>> jmbg(b"0101006500006"), jmbg(b"0101006500007")
        (True, False)
    """
    check = -weighted(digits, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11 % 10
    return is_ddmmyy(digits[:6]) and digits[4:5] in {b"9", b"0"} and check == digits[12] - 48


def ua_rnokpp(digits: bytes) -> bool:
    """RNOKPP, the taxpayer's number of Ukraine: modulus 11, then 10.

    Examples:
        >>> ua_rnokpp(b"1759013776"), ua_rnokpp(b"1759013777")
        (True, False)
    """
    return weighted(digits, (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == digits[9] - 48


def ru_inn(digits: bytes) -> bool:
    """INN of a person: twelve digits, two of them check digits.

    Examples:
        >>> ru_inn(b"500100732259"), ru_inn(b"500100732258")
        (True, False)
    """
    first = weighted(digits, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    second = weighted(digits, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    return (first, second) == (digits[10] - 48, digits[11] - 48) and digits[:2] != b"00"


def ru_snils(digits: bytes) -> bool:
    """SNILS: the last two digits check the nine before them.

    Examples:
        >>> ru_snils(b"11223344595"), ru_snils(b"11223344596")
        (True, False)
    """
    return weighted(digits, range(9, 0, -1)) % 101 % 100 == int(digits[9:])


def tr_tckn(digits: bytes) -> bool:
    """T.C. kimlik no (Turkey): eleven digits, two of them check digits.

    Examples:
        >>> tr_tckn(b"17291716060"), tr_tckn(b"17291716061")
        (True, False)
    """
    values = [digit - 48 for digit in digits]
    tenth = (sum(values[0:9:2]) * 7 - sum(values[1:8:2])) % 10
    return tenth == values[9] and sum(values[:10]) % 10 == values[10]


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "dk_cpr": dk_cpr,
    "dk_cpr_checked": dk_cpr_checked,
    "fi_hetu": fi_hetu,
    "hu_tax_id": hu_tax_id,
    "is_kennitala": is_kennitala,
    "jmbg": jmbg,
    "no_fodselsnummer": no_fodselsnummer,
    "pl_nip": pl_nip,
    "pl_pesel": pl_pesel,
    "ru_inn": ru_inn,
    "ru_snils": ru_snils,
    "se_personnummer": se_personnummer,
    "tr_tckn": tr_tckn,
    "ua_rnokpp": ua_rnokpp,
}
