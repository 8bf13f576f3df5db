"""Values as they are fingerprinted: spellings of one value become the same bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_DIGITS = re.compile(rb"[^0-9]")
_EXTENSION = re.compile(rb"[xXe].*", re.DOTALL)
_NANP_DIGITS = 10


def digits(value: bytes) -> bytes:
    """The digits alone.

    Examples:
        >>> digits(b"4111-1111 1111 1111")
        b'4111111111111111'
    """
    return _NOT_DIGITS.sub(b"", value)


def phone(value: bytes) -> bytes:
    """``+`` and digits; ten digits are North American; 00 and 001 are prefixes; an extension is dropped.

    Examples:
        >>> phone(b"(415) 555-2671 x12"), phone(b"+1 415.555.2671"), phone(b"001-415-555-2671")
        (b'+14155552671', b'+14155552671', b'+14155552671')
        >>> phone(b"+44 (0)20 7946 0958")
        b'+442079460958'
    """
    number = digits(_EXTENSION.sub(b"", value).replace(b"(0)", b""))
    if not value.startswith(b"+"):
        number = number.removeprefix(b"00")
        if len(number) == _NANP_DIGITS:
            number = b"1" + number
    return b"+" + number


def lower(value: bytes) -> bytes:
    """ASCII letters in lower case.

    Examples:
        >>> lower(b"Jane@Example.com")
        b'jane@example.com'
    """
    return value.lower()


def unescaped(value: bytes) -> bytes:
    r"""Without the backslashes that JSON may put before a slash.

    Examples:
        >>> unescaped(rb"a\/b")
        b'a/b'
    """
    return value.replace(b"\\/", b"/")


def text(value: bytes) -> bytes:
    """The value as it stands."""
    return value


#: Name in a rule's field ``normaliser`` → function.
NORMALISERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "digits": digits,
    "lower": lower,
    "phone": phone,
    "text": text,
    "unescaped": unescaped,
}
