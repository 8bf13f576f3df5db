"""National numbers of Europe: each function says whether a compact number (capitals, no separators) can exist.

The rules' patterns have settled length and alphabet. Sources are the issuers' public descriptions, named in the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.cards import luhn
from scanner_tasks.detect.checksums import is_day, is_ddmmyy, is_yymmdd, mod11_10, weighted

if TYPE_CHECKING:
    from collections.abc import Callable

_NINO_UNUSED: Final = frozenset({b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"})
_DNI_LETTERS: Final = b"TRWAGMYFPDXBNJZSQVHLCKE"
_PPS_LETTERS: Final = b"WABCDEFGHIJKLMNOPQRSTUV"
_CF_MONTHS: Final = b"ABCDEHLMPRST"
# Omocodia: letters that may stand for digits in a codice fiscale.
_CF_DIGITS: Final = bytes.maketrans(b"LMNPQRSTUV", b"0123456789")
_CF_ODD: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_CF_LETTER_PLACES: Final = (6, 7, 9, 10, 12, 13, 14)
_WOMEN_CF: Final = 40


def uk_nino(text: bytes) -> bool:
    """National Insurance number: a prefix that is in use.

    Examples:
        >>> uk_nino(b"AB123456C"), uk_nino(b"BG123456C")
        (True, False)
    """
    return text[:2] not in _NINO_UNUSED


def uk_nhs(digits: bytes) -> bool:
    """NHS number: modulus 11 over ten digits.

    Examples:
        >>> uk_nhs(b"9434765919"), uk_nhs(b"9434765918")
        (True, False)
    """
    return weighted(digits, (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0 and len(set(digits)) > 1


def uk_utr(digits: bytes) -> bool:
    """Unique Taxpayer Reference: the first digit checks the nine after it.

    Examples:
        >>> uk_utr(b"1955839661"), uk_utr(b"2955839661")
        (True, False)
    """
    return b"21987654321"[weighted(digits[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] == digits[0]


def de_tax_id(digits: bytes) -> bool:
    """Steuerliche Identifikationsnummer: one digit of the first ten two or three times, MOD 11,10.

    Examples:
        >>> de_tax_id(b"36574261809"), de_tax_id(b"36574261808"), de_tax_id(b"01234567890")
        (True, False, False)
    """
    counts = [digits[:10].count(digit) for digit in set(digits[:10])]
    return digits[:1] != b"0" and sum(c > 1 for c in counts) == 1 and max(counts) in {2, 3} and mod11_10(digits)


def de_social_security(text: bytes) -> bool:
    """Rentenversicherungsnummer: a birth date, and digit sums of weighted digits modulo 10.

    Examples:
        >>> de_social_security(b"15070649C103"), de_social_security(b"15070649C104")
        (True, False)
    """
    if not (is_ddmmyy(text[2:8]) or int(text[2:4]) > 31):  # noqa: PLR2004
        return False
    digits = text[:8] + b"%02d" % (text[8] - 64) + text[9:11]
    products = ((digit - 48) * w for digit, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return sum(p // 10 + p % 10 for p in products) % 10 == text[11] - 48


def fr_nir(text: bytes) -> bool:
    """Numéro d'inscription au répertoire: key of 97 less the number modulo 97; 2A and 2B are Corsica.

    Examples:
        >>> fr_nir(b"295109912611193"), fr_nir(b"295109912611194")
        (True, False)
    """
    number = text[:13].replace(b"2A", b"19").replace(b"2B", b"18")
    return number.isdigit() and 97 - int(number) % 97 == int(text[13:])


def es_dni(text: bytes) -> bool:
    """DNI and NIE: the letter is the number modulo 23; X, Y, Z of a NIE are 0, 1, 2.

    Examples:
        >>> es_dni(b"12345678Z"), es_dni(b"X1234567L"), es_dni(b"12345678A")
        (True, True, False)
    """
    number = text[:-1].translate(bytes.maketrans(b"XYZ", b"012"))
    return _DNI_LETTERS[int(number) % 23] == text[-1] and number.strip(b"0") != b""


def it_codice_fiscale(text: bytes) -> bool:
    """Codice fiscale: a birth date that exists and the check letter; letters may stand for digits (omocodia).

    Examples:
        >>> it_codice_fiscale(b"RCCMNL83S18D969H"), it_codice_fiscale(b"RCCMNL83S18D969A")
        (True, False)
    """
    plain = bytearray(text)
    for place in _CF_LETTER_PLACES:
        plain[place : place + 1] = plain[place : place + 1].translate(_CF_DIGITS)
    if not bytes(plain[place] for place in _CF_LETTER_PLACES).isdigit() or plain[8] not in _CF_MONTHS:
        return False
    day = int(plain[9:11])
    if not is_day(_CF_MONTHS.index(plain[8]) + 1, day - _WOMEN_CF if day > _WOMEN_CF else day):
        return False
    values = [c - 48 if c < 58 else c - 65 for c in text[:15]]  # noqa: PLR2004
    return (sum(_CF_ODD[v] for v in values[::2]) + sum(values[1::2])) % 26 == text[15] - 65


def nl_bsn(digits: bytes) -> bool:
    """Burgerservicenummer: the eleven test, the last digit counting minus one.

    Examples:
        >>> nl_bsn(b"111222333"), nl_bsn(b"111252333")
        (True, False)
    """
    return weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and digits.strip(b"0") != b""


def be_national_number(digits: bytes) -> bool:
    """Rijksregisternummer: 97 less the number modulo 97, with a 2 before it for those born from 2000 on.

    Examples:
        >>> be_national_number(b"85073003328"), be_national_number(b"85073003329")
        (True, False)
    """
    month = int(digits[2:4]) % 20
    if month > 12 or int(digits[4:6]) > 31:  # noqa: PLR2004
        return False
    keys = {97 - int(digits[:9]) % 97}
    if int(digits[:2]) < 50:  # noqa: PLR2004  # else born in 2050 or later
        keys.add(97 - int(b"2" + digits[:9]) % 97)
    return int(digits[9:]) in keys


def pt_nif(digits: bytes) -> bool:
    """Número de identificação fiscal: modulus 11 over nine digits.

    Examples:
        >>> pt_nif(b"501964843"), pt_nif(b"501964844")
        (True, False)
    """
    check = 11 - weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if check > 9 else check) == digits[8] - 48  # noqa: PLR2004


def ie_pps(text: bytes) -> bool:
    """Personal Public Service number: modulus 23 letter; a second letter A to I counts nine times.

    Examples:
        >>> ie_pps(b"6433435F"), ie_pps(b"6433435OA"), ie_pps(b"6433435E")
        (True, True, False)
    """
    second = text[8:9]
    extra = 0 if second in {b"", b"W"} else (second[0] - 64) * 9
    return _PPS_LETTERS[(weighted(text[:7], (8, 7, 6, 5, 4, 3, 2)) + extra) % 23] == text[7]


def ch_ahv(digits: bytes) -> bool:
    """AHV number: thirteen digits that begin with 756, check digit as in an EAN-13.

    Examples:
        >>> ch_ahv(b"7569217076985"), ch_ahv(b"7569217076984")
        (True, False)
    """
    return weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def at_svnr(digits: bytes) -> bool:
    """Sozialversicherungsnummer: the fourth digit checks the others; a birth date (months 13 to 15 are overflow).

    Examples:
        >>> at_svnr(b"1237010180"), at_svnr(b"1238010180")
        (True, False)
    """
    date_fits = 1 <= int(digits[4:6]) <= 31 and 1 <= int(digits[6:8]) <= 15  # noqa: PLR2004
    return date_fits and digits[:1] != b"0" and weighted(digits, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == digits[3] - 48


def cz_rodne_cislo(digits: bytes) -> bool:
    """Rodné číslo, Czech and Slovak: a birth date (women +50, overflow +20) and, for ten digits, divisible by 11.

    Examples:
        >>> cz_rodne_cislo(b"7103192745"), cz_rodne_cislo(b"7103192746")
        (True, False)
    """
    month = int(digits[2:4]) % 50
    if not is_day(month - 20 if month > 20 else month, int(digits[4:6])):  # noqa: PLR2004
        return False
    if len(digits) == 9:  # noqa: PLR2004  # issued before 1954, without a check digit
        return digits[6:] != b"000" and int(digits[:2]) < 54  # noqa: PLR2004
    return int(digits) % 11 == 0 or (int(digits[:9]) % 11 == 10 and digits[9:] == b"0")  # noqa: PLR2004


def ro_cnp(digits: bytes) -> bool:
    """Cod numeric personal: a birth date, a county and modulus 11.

    Examples:
        >>> ro_cnp(b"1630615123457"), ro_cnp(b"1630615123458")
        (True, False)
    """
    check = weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    county = int(digits[7:9])
    known = 1 <= county <= 48 or county in {51, 52, 70, 80, 81, 82, 83}  # noqa: PLR2004
    return known and is_yymmdd(digits[1:7]) and (1 if check == 10 else check) == digits[12] - 48  # noqa: PLR2004


def bg_egn(digits: bytes) -> bool:
    """Edinen grazhdanski nomer: a birth date (months +20, +40 name the century) and modulus 11.

    Examples:
        >>> bg_egn(b"7523169263"), bg_egn(b"7523169264")
        (True, False)
    """
    if not is_day(int(digits[2:4]) % 20, int(digits[4:6])) or int(digits[2:4]) > 52:  # noqa: PLR2004
        return False
    return weighted(digits, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == digits[9] - 48


def gr_amka(digits: bytes) -> bool:
    """AMKA: a birth date and the Luhn digit.

    Examples:
        >>> gr_amka(b"01013099997"), gr_amka(b"01013099998")
        (True, False)
    """
    return is_ddmmyy(digits[:6]) and luhn(digits)


def hr_oib(digits: bytes) -> bool:
    """Osobni identifikacijski broj: MOD 11,10.

    Examples:
        >>> hr_oib(b"33392005961"), hr_oib(b"33392005962")
        (True, False)
    """
    return mod11_10(digits)


def baltic_code(digits: bytes) -> bool:
    """Isikukood and asmens kodas (Estonia, Lithuania): a birth date and modulus 11 with a second row of weights.

    Examples:
        >>> baltic_code(b"36805280109"), baltic_code(b"33309240064"), baltic_code(b"36805280108")
        (True, True, False)
    """
    check = weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:  # noqa: PLR2004
        check = weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return is_yymmdd(digits[1:7]) and check == digits[10] - 48


def lv_personas_kods(digits: bytes) -> bool:
    """Personas kods: a birth date and modulus 11, or the dateless kind that begins with 32.

    Examples:
        >>> lv_personas_kods(b"16117519997"), lv_personas_kods(b"16117519998")
        (True, False)
    """
    check = (1101 - weighted(digits, (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11 % 10
    return check == digits[10] - 48 and (digits[:2] == b"32" or is_ddmmyy(digits[:6]))


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "at_svnr": at_svnr,
    "baltic_code": baltic_code,
    "be_national_number": be_national_number,
    "bg_egn": bg_egn,
    "ch_ahv": ch_ahv,
    "cz_rodne_cislo": cz_rodne_cislo,
    "de_social_security": de_social_security,
    "de_tax_id": de_tax_id,
    "es_dni": es_dni,
    "fr_nir": fr_nir,
    "gr_amka": gr_amka,
    "hr_oib": hr_oib,
    "ie_pps": ie_pps,
    "it_codice_fiscale": it_codice_fiscale,
    "lv_personas_kods": lv_personas_kods,
    "nl_bsn": nl_bsn,
    "pt_nif": pt_nif,
    "ro_cnp": ro_cnp,
    "uk_nhs": uk_nhs,
    "uk_nino": uk_nino,
    "uk_utr": uk_utr,
}
