"""National numbers of the Americas: can a compact number (capitals, no separators) exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.cards import luhn
from scanner_tasks.detect.checksums import is_yymmdd, weighted

if TYPE_CHECKING:
    from collections.abc import Callable

_ITIN_GROUPS: Final = frozenset({*range(50, 66), *range(70, 89), 90, 91, 92, *range(94, 100)})
# Campus prefixes that the IRS does not use.
_NO_EIN: Final = frozenset({0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97})
_CURP_VALUES: Final = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_CURP_STATES: Final = frozenset(
    b"AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE".split()
)
_CUIT_KINDS: Final = frozenset({b"20", b"23", b"24", b"27", b"30", b"33", b"34"})
_NIT_WEIGHTS: Final = (3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71)
_ABROAD: Final = 30


def us_itin(digits: bytes) -> bool:
    """Individual Taxpayer Identification Number: groups that the IRS gives out.

    Examples:
        >>> us_itin(b"912703456"), us_itin(b"912673456")
        (True, False)
    """
    return int(digits[3:5]) in _ITIN_GROUPS and digits[5:] != b"0000"


def us_ein(digits: bytes) -> bool:
    """Employer Identification Number: a prefix that the IRS gives out.

    Examples:
        >>> us_ein(b"123456780"), us_ein(b"073456780")
        (True, False)
    """
    return int(digits[:2]) not in _NO_EIN and len(set(digits[2:])) > 1


def ca_sin(digits: bytes) -> bool:
    """Social Insurance Number: the Luhn digit; 0 and 8 are not given out.

    Examples:
        >>> ca_sin(b"130692544"), ca_sin(b"130692543"), ca_sin(b"046454286")
        (True, False, False)
    """
    return digits[:1] not in {b"0", b"8"} and luhn(digits)


def br_cpf(digits: bytes) -> bool:
    """CPF: two check digits, modulus 11.

    Examples:
        >>> br_cpf(b"11144477735"), br_cpf(b"11144477734"), br_cpf(b"11111111111")
        (True, False, False)
    """
    first = -weighted(digits, range(10, 1, -1)) % 11 % 10
    second = -weighted(digits, range(11, 1, -1)) % 11 % 10
    return len(set(digits)) > 1 and (first, second) == (digits[9] - 48, digits[10] - 48)


def br_cnpj(text: bytes) -> bool:
    """CNPJ: two check digits, modulus 11; letters (since 2026) count as their ASCII code less 48.

    Examples:
        >>> br_cnpj(b"16727230000197"), br_cnpj(b"12ABC34501DE35"), br_cnpj(b"16727230000198")
        (True, True, False)
    """
    first = -weighted(text, (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10
    second = -weighted(text, (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10
    return len(set(text)) > 1 and (first, second) == (text[12] - 48, text[13] - 48)


def mx_curp(text: bytes) -> bool:
    """CURP: a birth date, a state and the check digit.

    Examples:
        >>> mx_curp(b"BOXW310820HNERXN09"), mx_curp(b"BOXW310820HNERXN08")
        (True, False)
    """
    if not is_yymmdd(text[4:10]) or text[11:13] not in _CURP_STATES:
        return False
    values = (_CURP_VALUES.index(chr(c)) for c in text[:17])
    return -sum(v * w for v, w in zip(values, range(18, 1, -1), strict=True)) % 10 == text[17] - 48


def mx_rfc(text: bytes) -> bool:
    """RFC of a person: four letters and a birth date.

    Examples:
        >>> mx_rfc(b"GODE561231GR8"), mx_rfc(b"GODE561331GR8")
        (True, False)
    """
    return is_yymmdd(text[4:10])


def ar_cuit(digits: bytes) -> bool:
    """CUIT and CUIL: a kind that exists and modulus 11.

    Examples:
        >>> ar_cuit(b"20055361682"), ar_cuit(b"20055361683")
        (True, False)
    """
    check = b"01234567899"[-weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11]
    return digits[:2] in _CUIT_KINDS and check == digits[10]


def cl_rut(text: bytes) -> bool:
    """RUT and RUN: modulus 11, whose ten is a K.

    Examples:
        >>> cl_rut(b"125319092"), cl_rut(b"76086428K"), cl_rut(b"125319093")
        (True, False, False)
    """
    number = text[:-1].rjust(8, b"0")
    return b"0123456789K"[-weighted(number, (3, 2, 7, 6, 5, 4, 3, 2)) % 11] == text[-1]


def co_nit(digits: bytes) -> bool:
    """NIT and RUT of Colombia: modulus 11 with prime weights.

    Examples:
        >>> co_nit(b"2131234321"), co_nit(b"2131234325")
        (True, False)
    """
    rest = weighted(digits[-2::-1], _NIT_WEIGHTS) % 11
    return (rest if rest < 2 else 11 - rest) == digits[-1] - 48  # noqa: PLR2004


def pe_ruc(digits: bytes) -> bool:
    """RUC of Peru: a kind that exists and modulus 11.

    Examples:
        >>> pe_ruc(b"20512333797"), pe_ruc(b"20512333798")
        (True, False)
    """
    check = (11 - weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 10
    return digits[:2] in {b"10", b"15", b"16", b"17", b"20"} and check == digits[10] - 48


def ec_cedula(digits: bytes) -> bool:
    """Cédula de identidad of Ecuador: a province and the Luhn digit.

    Examples:
        >>> ec_cedula(b"1714307103"), ec_cedula(b"1714307104")
        (True, False)
    """
    province = int(digits[:2])
    return (1 <= province <= 24 or province == _ABROAD) and digits[2] - 48 < 6 and luhn(digits)  # noqa: PLR2004


def uy_ci(digits: bytes) -> bool:
    """Cédula de identidad of Uruguay: modulus 10.

    Examples:
        >>> uy_ci(b"12345672"), uy_ci(b"12345673")
        (True, False)
    """
    number = digits.rjust(8, b"0")
    return -weighted(number, (2, 9, 8, 7, 6, 3, 4)) % 10 == number[7] - 48


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "ar_cuit": ar_cuit,
    "br_cnpj": br_cnpj,
    "br_cpf": br_cpf,
    "ca_sin": ca_sin,
    "cl_rut": cl_rut,
    "co_nit": co_nit,
    "ec_cedula": ec_cedula,
    "mx_curp": mx_curp,
    "mx_rfc": mx_rfc,
    "pe_ruc": pe_ruc,
    "us_ein": us_ein,
    "us_itin": us_itin,
    "uy_ci": uy_ci,
}
