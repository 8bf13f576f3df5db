"""Masks and keyed fingerprints: the only two forms in which a matched value leaves detection.

A mask keeps the value's shape and at most its last four characters. A fingerprint is an HMAC: without the key nobody
can try all nine-digit numbers against it, and the key id says which key to ask when the key is rotated.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final, NoReturn

from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

#: Shortest fingerprint key in bytes.
MIN_KEY_BYTES: Final = 16
_KEY_ID = re.compile(r"[a-z0-9-]{1,16}")
_SHOWN: Final = 4
#: A value with fewer digits than this shows none of them.
_MIN_DIGITS_TO_SHOW: Final = 9
_AWS_KEY_LENGTH: Final = 20


class Secret:
    """A value in the clear that cannot be printed, logged, pickled or compared by chance.

    Examples:
        >>> Secret("hunter2hunter2!!")
        Secret(‹16 chars›)
        >>> f"{Secret('abc')}"
        'Secret(‹3 chars›)'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | bytes) -> None:
        self._value = value

    def reveal(self) -> str | bytes:
        """The value itself: call it where it is consumed, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret(‹{len(self._value)} chars›)"

    def __reduce__(self) -> NoReturn:
        """Refuses: a pickle would hold the value."""
        raise TypeError("A Secret cannot be pickled: it would be written in the clear.")


class Fingerprinter:
    """Turns normalised values into ``key-id:hex``: equal values have equal fingerprints under one key.

    Examples:
        >>> Fingerprinter(b"an example key, 32 bytes long...", "k1").fingerprint(b"4111111111111111")
        'k1:1c3291163d0f325c5d3fce7f01786351'
    """

    __slots__ = ("_key", "key_id")

    def __init__(self, key: bytes, key_id: str) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise InvalidInput(
                f"The fingerprint key has {len(key)} bytes: set S3SCAN_FINGERPRINT_KEY to at least {MIN_KEY_BYTES}."
            )
        if not _KEY_ID.fullmatch(key_id):
            raise InvalidInput("The fingerprint key id must be 1 to 16 of a-z, 0-9 and '-'.")
        self._key = bytes(key)
        self.key_id = key_id

    def fingerprint(self, normalised: bytes) -> str:
        """``key-id:`` and the first 32 hex digits of HMAC-SHA256(key, normalised)."""
        return f"{self.key_id}:{hmac.new(self._key, normalised, hashlib.sha256).hexdigest()[:32]}"

    def __repr__(self) -> str:
        return f"Fingerprinter(key_id={self.key_id!r})"

    def __reduce__(self) -> NoReturn:
        """Refuses: a pickle would hold the key."""
        raise TypeError("A Fingerprinter cannot be pickled: it would write its key in the clear.")


def mask(value: str, style: str) -> str:
    """The value with what must not be seen starred out; InvalidInput for a style that does not exist.

    Styles: ``last4`` (digits but the last four), ``email`` (local part but its first character), ``aws_key`` (all but
    the prefix and the last four), ``secret`` (nothing but the length), ``all`` (every letter and digit).

    Examples:
        >>> mask("4111 1111 1111 1111", "last4")
        '**** **** **** 1111'
        >>> mask("536-22-8726", "last4")
        '***-**-8726'
        >>> mask("jane.roe@example.com", "email")
        'j***.***@example.com'
        >>> mask("AKIAIOSFODNN7EXAMPLE", "aws_key")
        'AKIA************MPLE'
        >>> mask("correct horse", "secret")
        '‹13 chars›'
    """
    masked = MASKS.get(style)
    if masked is None:
        raise InvalidInput(f"No mask style {style!r}: use one of {', '.join(sorted(MASKS))}.")
    return masked(value)


def _all(value: str) -> str:
    return "".join("*" if c.isalnum() else c for c in value)


def _last4(value: str) -> str:
    digits = sum(c.isdigit() for c in value)
    hidden = digits - _SHOWN if digits >= _MIN_DIGITS_TO_SHOW else digits
    shown = []
    for c in value:
        if c.isdigit():
            shown.append("*" if hidden > 0 else c)
            hidden -= 1
        else:
            shown.append(c if not c.isalnum() else "*")
    return "".join(shown)


def _email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if not at:
        return _all(value)
    return (local[:1] + _all(local[1:]) if len(local) > 1 else "*") + at + domain


def _aws_key(value: str) -> str:
    if len(value) < _AWS_KEY_LENGTH:
        return _all(value)
    return value[:_SHOWN] + "*" * (len(value) - 2 * _SHOWN) + value[-_SHOWN:]


def _secret(value: str) -> str:
    return f"‹{len(value)} chars›"


#: Style → function; rules name a style in their field ``mask``.
MASKS: Final[dict[str, Callable[[str], str]]] = {
    "all": _all,
    "aws_key": _aws_key,
    "email": _email,
    "last4": _last4,
    "secret": _secret,
}
