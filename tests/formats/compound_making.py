"""Compound files (OLE) for tests: the least that [MS-CFB] asks for."""

from __future__ import annotations

import struct

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(streams):
    """``streams``: path with slashes → bytes; short ones go to the mini stream, as real writers do."""
    storages = sorted({"/".join(path.split("/")[:n]) for path in streams for n in range(1, path.count("/") + 1)})
    order = ["", *storages, *streams]
    sectors: list[bytes] = []
    chains: list[tuple[int, int]] = []
    mini, mini_fat, places = bytearray(), [], {}

    def stored(data):
        first, count = len(sectors), -(-len(data) // _SECTOR)
        sectors.extend(data[n * _SECTOR : (n + 1) * _SECTOR].ljust(_SECTOR, b"\0") for n in range(count))
        chains.append((first, count))
        return first if count else _END

    for path, data in streams.items():
        if len(data) >= _CUTOFF:
            places[path] = stored(data)
            continue
        first, count = len(mini_fat), -(-len(data) // _MINI)
        mini_fat += [*range(first + 1, first + count), _END][:count]
        mini += data.ljust(count * _MINI, b"\0")
        places[path] = first if count else _END
    root_at = stored(bytes(mini))

    def entry(path):
        name = path.rpartition("/")[2] if path else "Root Entry"
        inside = [other for other in order[1:] if other.rpartition("/")[0] == path]
        if path in streams:
            inside = []
        beside = [other for other in order[1:] if path and other.rpartition("/")[0] == path.rpartition("/")[0]]
        after = beside[beside.index(path) + 1 :] if path else []
        wide = name.encode("utf-16-le")
        kind = 2 if path in streams else 1 if path else 5
        right = order.index(after[0]) if after else _FREE
        child = order.index(inside[0]) if inside else _FREE
        start, size = (places[path], len(streams[path])) if path in streams else (root_at, 0 if path else len(mini))
        return struct.pack(
            "<64sHBBIII16sIQQIQ", wide, len(wide) + 2, kind, 1, _FREE, right, child, b"", 0, 0, 0, start, size
        )

    directory_at = stored(b"".join(entry(path) for path in order))
    mini_fat_at = stored(struct.pack(f"<{len(mini_fat)}I", *mini_fat))
    fat_count = 1
    while fat_count * _SECTOR // 4 < len(sectors) + fat_count:
        fat_count += 1
    fat_at = len(sectors)
    fat = [_FREE] * (fat_count * _SECTOR // 4)
    for first, count in chains:
        fat[first : first + count] = [*range(first + 1, first + count), _END][:count]
    fat[fat_at : fat_at + fat_count] = [_FAT] * fat_count
    sectors += [struct.pack("<128I", *fat[n * 128 : (n + 1) * 128]) for n in range(fat_count)]
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, fat_count,
        directory_at, 0, _CUTOFF, mini_fat_at if mini_fat else _END, -(-len(mini_fat) // 128), _END, 0, fat_at,
    )  # fmt: skip
    difat = struct.pack("<108I", *([*range(fat_at + 1, fat_at + fat_count)] + [_FREE] * 108)[:108])
    return (header + difat).ljust(512, b"\0") + b"".join(sectors)
