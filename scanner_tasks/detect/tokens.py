"""Tokens and keys that vendors give out: placeholders told from chance, and the checksums and contents that some have.

A function answers None (no secret), or the length of the value and whether a keyword must vouch for it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Verdict = tuple[int, bool] | None

_PLACEHOLDER: Final = re.compile(
    rb"(?i)example|placeholder|change[_-]?me|your[_-]?(?:api|own|key|token|secret|access)|redacted|dummy|insert|replace"
    rb"|xxxx|\*\*\*\*|\.\.\.\.|____|fakekey|faketoken|foobar|<|>|\$\{|\{\{"
)
_RUN: Final = re.compile(rb"(.)\1{5}")
_KINDS: Final = 10
_BASE62: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CRC_CHARS: Final = 6
_ESCAPED_BREAK: Final = re.compile(rb"\\{1,2}[nrt]")
_PEM_FRAME: Final = re.compile(rb"-{5}BEGIN ([A-Z0-9 ]*)PRIVATE KEY(?: BLOCK)?-{5}([^-]*(?:-[^-]+){0,8})")
_PEM_LINE_EDGES: Final = b" \t\r\"'`+,;\\#*/|>.&"
_BASE64: Final = re.compile(rb"[0-9A-Za-z+/]+={0,2}")
_LEAST_PEM: Final = 56
_LEAST_OPAQUE_PEM: Final = 160
_KINDS_IN_PEM: Final = 40


def opaque(value: bytes, _left: bytes = b"", _right: bytes = b"") -> Verdict:
    """A value as chance makes it: no placeholder's words, no character over and over, ten kinds of characters.

    Examples:
        >>> opaque(b"0123456789abcdef0123456789abcdef"), opaque(b"key-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
        ((32, False), None)
    """
    if len(set(value)) < _KINDS or _PLACEHOLDER.search(value) or _RUN.search(value):
        return None
    return len(value), False


def long_opaque(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    """A long value of many kinds of characters, whatever words or runs are in it.

    Examples:
        >>> long_opaque(b"AQoEXAMPLEH4aoAH0gNCAPyJxz4BlCFFxWNE1OPTgk5TthT", b"", b"")
        (47, False)
    """
    return (len(value), False) if len(set(value)) >= 2 * _KINDS else None


def crc32_base62(text: bytes) -> bytes:
    """The six characters that GitHub and npm append to a token's body.

    Examples:
        >>> crc32_base62(b"0123456789ABCDEFGHIJKLMNOPQRST")
        b'4PMbyp'
    """
    number = zlib.crc32(text)
    digits = bytearray()
    for _ in range(_CRC_CHARS):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return bytes(reversed(digits))


def crc_token(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    """A token whose last six characters check the thirty before them; one that fails needs a keyword.

    Examples:
        >>> body = b"0123456789ABCDEFGHIJKLMNOPQRST"
        >>> crc_token(b"tok_" + body + crc32_base62(body), b"", b""), crc_token(b"tok_" + body + b"a1b2c3", b"", b"")
        ((40, False), (40, True))
    """
    if opaque(value) is None:
        return None
    if value.startswith(b"github_pat_"):
        return len(value), False  # its checksum is not published
    body, check = value.rpartition(b"_")[2][:-_CRC_CHARS], value[-_CRC_CHARS:]
    return len(value), crc32_base62(body) != check


def jwt(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    """Three parts, of which the first two are JSON objects and the first names an algorithm.

    Examples:
        >>> jwt(b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", b"", b"")
        (49, False)
        >>> jwt(b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2lnbmF0dXJl", b"", b"") is None
        True
    """
    header, payload, _ = value.split(b".", 2)
    named = _json_object(header)
    if named is None or not isinstance(named.get("alg"), str) or _json_object(payload) is None:
        return None
    return len(value), False


def _json_object(part: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def pem(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    r"""A private key whose body is base64 and begins as its kind does, or is long and as mixed as ciphertext.

    Examples:
        >>> body = b"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
        >>> begin, end = b"-----BEGIN PRIVATE KEY-----", b"-----END PRIVATE KEY-----"
        >>> pem(begin + b"\n" + body + b"\n" + end, b"", b"") is not None
        True
        >>> pem(begin + b"\n...\n" + end, b"", b"") is None
        True
    """
    found = _PEM_FRAME.match(_ESCAPED_BREAK.sub(b"\n", value))
    if found is None:
        return None
    kind, rest = found[1], found[2]
    lines = [line.strip(_PEM_LINE_EDGES) for line in rest.split(b"\n")]
    is_encrypted = b"ENCRYPTED" in kind or any(b"ENCRYPTED" in line for line in lines)
    # Headers hold a colon; a line that begins with = is the checksum of OpenPGP.
    text = b"".join(b"".join(line.split()) for line in lines if b":" not in line and line[:1] != b"=")
    if len(text) < _LEAST_PEM or not _BASE64.fullmatch(text):
        return None
    body = binascii.a2b_base64(text.rstrip(b"=")[: len(text.rstrip(b"=")) // 4 * 4])
    if not is_encrypted and _begins_as(kind, body):
        return len(value), False
    mixed = len(set(text)) >= _KINDS_IN_PEM and len(text) >= _LEAST_OPAQUE_PEM and not _RUN.search(text[:64])
    return (len(value), False) if mixed else None


def _begins_as(kind: bytes, body: bytes) -> bool:
    if kind.startswith(b"OPENSSH"):
        return body.startswith(b"openssh-key-v1\0")
    if kind.startswith(b"PGP"):
        return body[0] >= 0x80  # noqa: PLR2004  # an OpenPGP packet's tag
    if body[0] != 0x30:  # noqa: PLR2004  # ASN.1 SEQUENCE
        return False
    header = 2 + (body[1] & 0x7F if body[1] & 0x80 else 0)
    return body[header : header + 2] == b"\x02\x01"  # the version, an INTEGER


def azure_storage_key(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    """Base64 of 64 bytes, and not the key of the storage emulator.

    Examples:
        >>> azure_storage_key(b"A" * 86 + b"==", b"", b"") is None
        True
    """
    if opaque(value) is None or value.startswith(b"Eby8vdM02xNO"):
        return None
    return len(value), False


def discord_token(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    """A bot's token: its first part is its numeric id in base64.

    Examples:
        >>> rest = b".abcdef." + b"0123456789abcdefghijklmnopq"
        >>> discord_token(b"MTIzNDU2Nzg5MDEyMzQ1Njc4" + rest, b"", b"")
        (59, False)
        >>> discord_token(b"MTIzNDU2Nzg5MDEyMzQ1Njcx0" + rest, b"", b"") is None
        True
    """
    first = value.split(b".", 1)[0]
    try:
        number = base64.urlsafe_b64decode(first + b"=" * (-len(first) % 4))
    except ValueError:
        return None
    return opaque(value) if number.isdigit() and number[:1] != b"0" else None


def basic_auth(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    """Base64 of ``user:password`` in printable characters.

    Examples:
        >>> basic_auth(b"YWxhZGRpbjpvcGVuc2VzYW1l", b"", b""), basic_auth(b"bm90IGEgcGFpciBvZiB0aGVt", b"", b"")
        ((24, False), None)
    """
    try:
        pair = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except ValueError:
        return None
    user, colon, password = pair.partition(b":")
    readable = all(32 <= c < 127 for c in pair)  # noqa: PLR2004
    if not (colon and user and len(password) > 3 and readable) or _PLACEHOLDER.search(pair):  # noqa: PLR2004
        return None
    return len(value), False


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes, bytes, bytes], Verdict]]] = {
    "azure_storage_key": azure_storage_key,
    "basic_auth": basic_auth,
    "crc_token": crc_token,
    "discord_token": discord_token,
    "jwt": jwt,
    "long_opaque": long_opaque,
    "opaque": opaque,
    "pem": pem,
}
