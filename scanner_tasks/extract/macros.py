"""Macros of Office (VBA): their source, which is packed in chunks of 4 KB ([MS-OVBA] 2.4.1)."""

from __future__ import annotations

#: How every module's source begins, behind the mark and size of its first chunk.
_SOURCE, _BEFORE = b"\0Attribut", 3
_MARK, _SIGNATURE, _CHUNK_BYTES = 1, 0x3000, 4096
_LEAST_LENGTH_BITS = 4


def source_of(module: bytes) -> bytes:
    """The source in a module's stream, as far as it is whole; b"" where there is none."""
    begin = module.find(_SOURCE) - _BEFORE
    if begin < 0 or module[begin] != _MARK:
        return b""
    out, at = bytearray(), begin + 1
    while at + 2 <= len(module):
        header = int.from_bytes(module[at : at + 2], "little")
        if header & 0x7000 != _SIGNATURE:
            break
        end = at + (header & 0x0FFF) + 3
        data = module[at + 2 : end]
        out += _unpacked(data) if header & 0x8000 else data
        at = end
    return bytes(out)


def _unpacked(data: bytes) -> bytes:
    """One chunk: a byte of flags before each eight bytes that stand for themselves, or copies of two bytes."""
    out, at = bytearray(), 0
    while at < len(data):
        flags, at = data[at], at + 1
        for bit in range(8):
            if at >= len(data) or len(out) >= _CHUNK_BYTES:
                break
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            token, at = int.from_bytes(data[at : at + 2], "little"), at + 2
            offset_bits = max((len(out) - 1).bit_length(), _LEAST_LENGTH_BITS)
            length_bits = 16 - offset_bits
            back = (token >> length_bits) + 1
            if back > len(out):
                return bytes(out)
            for _ in range((token & ((1 << length_bits) - 1)) + 3):
                out.append(out[-back])
    return bytes(out)
