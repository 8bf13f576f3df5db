"""Numbers of things that lead to their owners: vehicles and telephones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.cards import luhn

if TYPE_CHECKING:
    from collections.abc import Callable

_VIN_VALUES: Final = dict(
    zip(
        b"0123456789ABCDEFGHJKLMNPRSTUVWXYZ",
        [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)],
        strict=True,
    )
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin(text: bytes) -> bool:
    """Vehicle identification number (ISO 3779) with the check digit of 49 CFR 565.

    Examples:
        >>> vin(b"1HGCM82633A004352"), vin(b"1HGCM82633A004353"), vin(b"11111111111111111")
        (True, False, False)
    """
    total = sum(_VIN_VALUES[c] * w for c, w in zip(text, _VIN_WEIGHTS, strict=True))
    return b"0123456789X"[total % 11] == text[8] and len(set(text)) > 4 and not text.isdigit()  # noqa: PLR2004


def imei(digits: bytes) -> bool:
    """IMEI (3GPP TS 23.003): fifteen digits, the last by Luhn.

    Examples:
        >>> imei(b"490154203237518"), imei(b"490154203237517")
        (True, False)
    """
    return luhn(digits) and len(set(digits)) > 2  # noqa: PLR2004


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {"imei": imei, "vin": vin}
