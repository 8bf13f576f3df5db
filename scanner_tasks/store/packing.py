"""ETags of a batch in one bytea: 17 bytes for the usual MD5 form instead of 33, and any other ETag as it is.

Each ETag is one length byte and that many bytes. An MD5 in hex packs to its 16 bytes; a multipart ETag (``md5-parts``)
to 16 bytes and two for the number of parts; anything else keeps its UTF-8 text with 128 added to the length byte.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MD5 = re.compile(r"[0-9a-f]{32}(?:-([1-9][0-9]{0,4}))?")
_HEX, _MD5_DIGITS = re.compile(r"[0-9a-f]+"), 32
_MD5_BYTES, _PARTS_BYTES, _AS_TEXT = 16, 2, 128
#: S3 allows 10,000 parts; two bytes hold them.
_MAX_PARTS = 2**16 - 1
_MAX_TEXT = 127


def pack_etags(etags: Iterable[str]) -> bytes:
    """One bytea for the ETags, in order.

    Examples:
        >>> len(pack_etags(["d41d8cd98f00b204e9800998ecf8427e"]))
        17
        >>> unpack_etags(pack_etags(["d41d8cd98f00b204e9800998ecf8427e-2", "x", ""]))
        ('d41d8cd98f00b204e9800998ecf8427e-2', 'x', '')
    """
    etags = tuple(etags)
    if all(len(etag) == _MD5_DIGITS for etag in etags) and _HEX.fullmatch("".join(etags)):  # as most batches
        return bytes.fromhex("10" + "10".join(etags))
    return b"".join(_pack(etag) for etag in etags)


def _pack(etag: str) -> bytes:
    shape = _MD5.fullmatch(etag)
    if shape and int(shape[1] or 0) <= _MAX_PARTS:
        packed = bytes.fromhex(etag[:32])
        if shape[1]:
            packed += int(shape[1]).to_bytes(_PARTS_BYTES, "big")
        return bytes([len(packed)]) + packed
    text = etag.encode()
    if len(text) > _MAX_TEXT:
        text = b""  # no store is known to send one; an empty ETag is read without If-Match
    return bytes([len(text) | _AS_TEXT]) + text


def unpack_etags(packed: bytes) -> tuple[str, ...]:
    """The ETags, in order."""
    step = _MD5_BYTES + 1
    if packed[::step].count(_MD5_BYTES) * step == len(packed):
        text = packed.hex()
        return tuple(text[at + 2 : at + 2 * step] for at in range(0, len(text), 2 * step))
    etags, at = [], 0
    while at < len(packed):
        length = packed[at] & ~_AS_TEXT
        body = packed[at + 1 : at + 1 + length]
        if packed[at] & _AS_TEXT:
            etags.append(body.decode(errors="replace"))
        else:
            parts = f"-{int.from_bytes(body[_MD5_BYTES:], 'big')}" if length > _MD5_BYTES else ""
            etags.append(body[:_MD5_BYTES].hex() + parts)
        at += 1 + length
    return tuple(etags)
