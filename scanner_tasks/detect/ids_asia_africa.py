"""National numbers of Asia, the Pacific and Africa: can a compact number (capitals, no separators) exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.cards import luhn
from scanner_tasks.detect.checksums import is_day, is_yymmdd, mod11_2, mod37_36, verhoeff, weighted

if TYPE_CHECKING:
    from collections.abc import Callable

_NRIC_CITIZEN: Final = b"JZIHGFEDCBA"
_NRIC_FOREIGNER: Final = b"XWUTRQPNMLK"
_NRIC_M: Final = b"XWUTRQPNJLK"
_NZ_NHI: Final = b"ABCDEFGHJKLMNPQRSTUVWXYZ"
_TW_AREAS: Final = b"ABCDEFGHJKLMNPQRSTUVXYWZIO"
_CN_PROVINCES: Final = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83}
)
_MY_NO_BIRTHPLACE: Final = frozenset({0, 17, 18, 19, 20, 69, 70, 73, 80, 81, 94, 95, 96, 97})
_ID_WOMEN: Final = 40


def in_aadhaar(digits: bytes) -> bool:
    """Aadhaar: Verhoeff's check digit, no palindrome, and no run of one digit.

    Examples:
        >>> in_aadhaar(b"234123412346"), in_aadhaar(b"234123412347")
        (True, False)
    """
    return verhoeff(digits) and digits != digits[::-1]


def in_gstin(text: bytes) -> bool:
    """Goods and Services Tax number: a state and the check character.

    Examples:
        >>> in_gstin(b"27AAPFU0939F1ZV"), in_gstin(b"27AAPFU0939F1ZW")
        (True, False)
    """
    return (1 <= int(text[:2]) <= 38 or text[:2] in {b"97", b"99"}) and mod37_36(text)  # noqa: PLR2004


def au_tfn(digits: bytes) -> bool:
    """Tax File Number: modulus 11 over eight or nine digits.

    Examples:
        >>> au_tfn(b"123456782"), au_tfn(b"123456783")
        (True, False)
    """
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10) if len(digits) == 9 else (10, 7, 8, 4, 6, 3, 5, 1)  # noqa: PLR2004
    return weighted(digits, weights) % 11 == 0 and digits.strip(b"0") != b""


def au_medicare(digits: bytes) -> bool:
    """Medicare card: the ninth digit checks the eight before it; an issue number follows.

    Examples:
        >>> au_medicare(b"2123456701"), au_medicare(b"2123456711")
        (True, False)
    """
    return weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == digits[8] - 48 and digits[9:10] != b"0"


def au_abn(digits: bytes) -> bool:
    """Australian Business Number: modulus 89, the first digit less one.

    These are the Register's published steps of verification. What generates check digits gives 11 to 99, which some
    libraries ask for; the steps also let 10 pass for 99.

    Examples:
        >>> au_abn(b"83914571673"), au_abn(b"83914571674")
        (True, False)
    """
    return (weighted(digits, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0 and digits[:1] != b"0"


def nz_ird(digits: bytes) -> bool:
    """IRD number: modulus 11, with a second row of weights where the first gives ten.

    Examples:
        >>> nz_ird(b"49091850"), nz_ird(b"136410132"), nz_ird(b"136410133")
        (True, True, False)
    """
    number = digits.rjust(9, b"0")
    check = -weighted(number, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    if check == 10:  # noqa: PLR2004
        check = -weighted(number, (7, 4, 3, 2, 5, 2, 7, 6)) % 11
    return 10_000_000 < int(digits) < 150_000_000 and check == number[8] - 48  # noqa: PLR2004


def nz_nhi(text: bytes) -> bool:
    """National Health Index number of the first form (three letters, four digits): modulus 11.

    Examples:
        >>> nz_nhi(b"JBX3656"), nz_nhi(b"JBX3657"), nz_nhi(b"ZZZ0016")
        (True, False, True)
    """
    values = [_NZ_NHI.index(c) + 1 for c in text[:3]] + [c - 48 for c in text[3:6]]
    rest = sum(v * w for v, w in zip(values, (7, 6, 5, 4, 3, 2), strict=True)) % 11
    return rest != 0 and (11 - rest) % 10 == text[6] - 48


def kr_rrn(digits: bytes) -> bool:
    """Resident registration number: a birth date and modulus 11.

    Examples:
        >>> kr_rrn(b"9710139019902"), kr_rrn(b"9710139019903")
        (True, False)
    """
    check = (11 - weighted(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return is_yymmdd(digits[:6]) and check == digits[12] - 48


def jp_my_number(digits: bytes) -> bool:
    """My Number (individual): modulus 11 over twelve digits.

    Examples:
        >>> jp_my_number(b"123456789018"), jp_my_number(b"123456789019")
        (True, False)
    """
    rest = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest <= 1 else 11 - rest) == digits[11] - 48 and len(set(digits)) > 1


def sg_nric(text: bytes) -> bool:
    """NRIC and FIN: the check letter of its series.

    Examples:
        >>> sg_nric(b"S1234567D"), sg_nric(b"F1234567N"), sg_nric(b"S1234567E")
        (True, True, False)
    """
    total = weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2)) + {b"T": 4, b"G": 4, b"M": 3}.get(text[:1], 0)
    if text[:1] == b"M":
        return _NRIC_M[10 - total % 11] == text[8]
    letters = _NRIC_CITIZEN if text[:1] in {b"S", b"T"} else _NRIC_FOREIGNER
    return letters[total % 11] == text[8]


def hk_hkid(text: bytes) -> bool:
    """Hong Kong identity card: modulus 11 over letters and digits; a blank before a single letter counts 36.

    Examples:
        >>> hk_hkid(b"A1234563"), hk_hkid(b"AB9876543"), hk_hkid(b"A1234564")
        (True, True, False)
    """
    padded = text.rjust(9, b" ")
    values = [36 if c == 32 else c - 55 if c > 57 else c - 48 for c in padded]  # noqa: PLR2004
    return sum(v * w for v, w in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def tw_id(text: bytes) -> bool:
    """National identification number of Taiwan: an area letter and modulus 10.

    Examples:
        >>> tw_id(b"A123456789"), tw_id(b"A123456788")
        (True, False)
    """
    area = _TW_AREAS.index(text[0]) + 10
    return (area // 10 + area % 10 * 9 + weighted(text[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def th_id(digits: bytes) -> bool:
    """Identity number of Thailand: modulus 11 over thirteen digits.

    Examples:
        >>> th_id(b"1234545678781"), th_id(b"1234545678782")
        (True, False)
    """
    return (11 - weighted(digits, range(13, 1, -1)) % 11) % 10 == digits[12] - 48


def luhn_number(digits: bytes) -> bool:
    """A number that ends with its Luhn digit and is not one digit repeated.

    Examples:
        >>> luhn_number(b"039337423"), luhn_number(b"039337424"), luhn_number(b"000000000")
        (True, False, False)
    """
    return luhn(digits) and len(set(digits)) > 1


def cn_ric(text: bytes) -> bool:
    """Resident identity number of China: a province, a birth date and MOD 11-2.

    Examples:
        >>> cn_ric(b"360426199101010071"), cn_ric(b"360426199101010072")
        (True, False)
    """
    born = text[6:8] in {b"18", b"19", b"20"} and is_yymmdd(text[8:14])
    return born and int(text[:2]) in _CN_PROVINCES and mod11_2(text)


def my_nric(digits: bytes) -> bool:
    """MyKad number: a birth date and a place of birth; there is no check digit.

    Examples:
        >>> my_nric(b"770305021234"), my_nric(b"771305021234")
        (True, False)
    """
    return is_yymmdd(digits[:6]) and int(digits[6:8]) not in _MY_NO_BIRTHPLACE


def id_nik(digits: bytes) -> bool:
    """NIK of Indonesia: a province and a birth date (women's days + 40); there is no check digit.

    Examples:
        >>> id_nik(b"3171011708450001"), id_nik(b"3171011713450001")
        (True, False)
    """
    day = int(digits[6:8])
    born = is_day(int(digits[8:10]), day - _ID_WOMEN if day > _ID_WOMEN else day)
    return born and 11 <= int(digits[:2]) <= 96 and digits[12:] != b"0000"  # noqa: PLR2004


def pk_cnic(digits: bytes) -> bool:
    """CNIC of Pakistan: a province; there is no check digit.

    Examples:
        >>> pk_cnic(b"3420105032341"), pk_cnic(b"9420105032341")
        (True, False)
    """
    return digits[0] - 48 in range(1, 8) and len(set(digits)) > 2  # noqa: PLR2004


def za_id(digits: bytes) -> bool:
    """Identity number of South Africa: a birth date, a citizenship digit and the Luhn digit.

    Examples:
        >>> za_id(b"7503305044089"), za_id(b"7503305044088")
        (True, False)
    """
    return is_yymmdd(digits[:6]) and digits[10:11] in {b"0", b"1", b"2"} and luhn(digits)


def eg_id(digits: bytes) -> bool:
    """National number of Egypt: century, birth date and governorate.

    Examples:
        >>> eg_id(b"29001011234567"), eg_id(b"29013011234567")
        (True, False)
    """
    place = int(digits[7:9])
    return is_yymmdd(digits[1:7]) and (1 <= place <= 35 or place == 88)  # noqa: PLR2004


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "au_abn": au_abn,
    "au_medicare": au_medicare,
    "au_tfn": au_tfn,
    "cn_ric": cn_ric,
    "eg_id": eg_id,
    "hk_hkid": hk_hkid,
    "id_nik": id_nik,
    "in_aadhaar": in_aadhaar,
    "in_gstin": in_gstin,
    "jp_my_number": jp_my_number,
    "kr_rrn": kr_rrn,
    "luhn_number": luhn_number,
    "my_nric": my_nric,
    "nz_ird": nz_ird,
    "nz_nhi": nz_nhi,
    "pk_cnic": pk_cnic,
    "sg_nric": sg_nric,
    "th_id": th_id,
    "tw_id": tw_id,
    "za_id": za_id,
}
