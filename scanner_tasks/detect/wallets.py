"""Crypto currency addresses and keys: Base58Check, Bech32 and EIP-55 checksums, and the look of a seed phrase."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_BASE58: Final = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES: Final = {c: n for n, c in enumerate(_BASE58)}
_BECH32_VALUES: Final = {c: n for n, c in enumerate(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_BECH32_STEPS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32M: Final = 0x2BC830A3
_MASK64: Final = (1 << 64) - 1
# Words that BIP-39's list does not hold but prose does.
_PROSE: Final = frozenset(b"the and for are was his her from have been not but with they which would".split())
_SEED_LENGTHS: Final = frozenset({12, 15, 18, 21, 24})


def base58check(text: bytes) -> bytes | None:
    """The payload (version and data) of a Base58Check text, or None if its four check bytes do not fit.

    Examples:
        >>> base58check(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2").hex()[:6]
        '0077bf'
        >>> base58check(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3") is None
        True
    """
    number = 0
    for c in text:
        value = _BASE58_VALUES.get(c)
        if value is None:
            return None
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip(b"1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    payload, check = data[:-4], data[-4:]
    return payload if hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4] == check else None


def bech32(text: bytes) -> bool:
    """True if a Bech32 or Bech32m text (BIP-173, BIP-350) has its checksum.

    Examples:
        >>> bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"), bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5")
        (True, False)
    """
    text = text.lower()
    prefix, _, data = text.rpartition(b"1")
    values: Iterable[int] = [c >> 5 for c in prefix] + [0] + [c & 31 for c in prefix]
    check = 1
    for value in [*values, *(_BECH32_VALUES.get(c, -1) for c in data)]:
        if value < 0:
            return False
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, step in enumerate(_BECH32_STEPS):
            if top >> bit & 1:
                check ^= step
    return check in {1, _BECH32M}


def bitcoin_address(text: bytes) -> bool:
    """A Bitcoin address: Base58Check of version 0 or 5, or Bech32.

    Examples:
        >>> bitcoin_address(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
        True
    """
    if text[:3].lower() == b"bc1":
        return (text.islower() or text.isupper()) and bech32(text)
    return _is_version(text, b"\x00\x05")


def litecoin_address(text: bytes) -> bool:
    """A Litecoin address: Base58Check of version 48 or 50, or Bech32.

    Examples:
        >>> litecoin_address(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
        False
    """
    return bech32(text) if text[:4] == b"ltc1" else _is_version(text, b"\x30\x32")


def dogecoin_address(text: bytes) -> bool:
    """A Dogecoin address: Base58Check of version 30.

    Examples:
        >>> dogecoin_address(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
        False
    """
    return _is_version(text, b"\x1e")


def tron_address(text: bytes) -> bool:
    """A Tron address: Base58Check of version 65.

    Examples:
        >>> tron_address(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
        False
    """
    return _is_version(text, b"\x41")


def bitcoin_wif(text: bytes) -> bool:
    """A private key in wallet import format: Base58Check of version 128.

    Examples:
        >>> bitcoin_wif(b"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ")
        True
    """
    payload = base58check(text)
    return payload is not None and payload[:1] == b"\x80" and len(payload) in {33, 34}


def extended_private_key(text: bytes) -> bool:
    """An extended private key (BIP-32): Base58Check of 78 bytes.

    Examples:
        >>> extended_private_key(b"xprv9s21ZrQH143K")
        False
    """
    payload = base58check(text)
    return payload is not None and len(payload) == 78  # noqa: PLR2004


def _is_version(text: bytes, versions: bytes) -> bool:
    payload = base58check(text)
    return payload is not None and len(payload) == 21 and payload[0] in versions  # noqa: PLR2004


def age_secret_key(text: bytes) -> bool:
    """A secret key of the tool age: Bech32 in capitals.

    Examples:
        >>> age_secret_key(b"AGE-SECRET-KEY-1QQQ")
        False
    """
    return bech32(text)


def ethereum_address(text: bytes) -> bool:
    """An Ethereum address; where its letters have both cases they must be those of EIP-55.

    Examples:
        >>> ethereum_address(b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
        True
        >>> ethereum_address(b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD")
        False
    """
    body = text[2:]
    if len(set(body)) < 7:  # noqa: PLR2004
        return False
    lower = body.lower()
    if body in {lower, body.upper()}:
        return True
    digest = keccak256(lower).hex()
    return all(chr(c).isupper() == (int(h, 16) > 7) for c, h in zip(body, digest, strict=False) if c > 57)  # noqa: PLR2004


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (padding 01, unlike SHA3-256), of fewer than 136 bytes.

    Examples:
        >>> keccak256(b"").hex()[:16]
        'c5d2460186f7233c'
    """
    block = bytearray(200)
    block[: len(data)] = data
    block[len(data)] = 1
    block[135] |= 0x80
    lanes = [int.from_bytes(block[8 * n : 8 * n + 8], "little") for n in range(25)]
    constant = 1
    for _ in range(24):
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        lanes = [lane ^ columns[(n - 1) % 5] ^ _rotated(columns[(n + 1) % 5], 1) for n, lane in enumerate(lanes)]
        at, current = 1, lanes[1]
        for turn in range(24):
            x, y = at % 5, at // 5
            at = y + 5 * ((2 * x + 3 * y) % 5)
            lanes[at], current = _rotated(current, (turn + 1) * (turn + 2) // 2), lanes[at]
        lanes = [
            lanes[n] ^ (~lanes[n - n % 5 + (n + 1) % 5] & lanes[n - n % 5 + (n + 2) % 5] & _MASK64) for n in range(25)
        ]
        for bit in range(7):
            constant = (constant << 1 ^ (constant >> 7) * 0x171) & 0xFF
            if constant & 2:
                lanes[0] ^= 1 << ((1 << bit) - 1)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _rotated(lane: int, by: int) -> int:
    by %= 64
    return (lane << by | lane >> (64 - by)) & _MASK64


def seed_phrase(text: bytes) -> bool:
    """Twelve to twenty-four words as BIP-39 has them: no words that only prose has, few repeats.

    Examples:
        >>> seed_phrase(b"legal winner thank year wave sausage worth useful legal winner thank yellow")
        True
        >>> seed_phrase(b"write down the phrase and keep it safe from all who ask for it")
        False
    """
    words = text.lower().split()
    if len(words) not in _SEED_LENGTHS or _PROSE & set(words):
        return False
    return all(3 <= len(word) <= 8 for word in words) and len(set(words)) * 2 >= len(words)  # noqa: PLR2004


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "age_secret_key": age_secret_key,
    "bitcoin_address": bitcoin_address,
    "bitcoin_wif": bitcoin_wif,
    "dogecoin_address": dogecoin_address,
    "ethereum_address": ethereum_address,
    "extended_private_key": extended_private_key,
    "litecoin_address": litecoin_address,
    "seed_phrase": seed_phrase,
    "tron_address": tron_address,
}
