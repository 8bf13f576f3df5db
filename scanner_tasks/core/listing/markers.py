"""Where a listing of versions goes on: behind a key, or amid its versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Marker:
    r"""Behind this version of the key; behind all versions of the key where no version is named.

    As text it is a range's cursor: the key, U+0000, the version. No version id holds U+0000, so that a key may.

    Examples:
        >>> Marker("a", "v1").cursor, Marker("a").cursor
        ('a\x00v1', 'a\x00')
        >>> Marker.read("a\0b\0v1")
        Marker(key='a\x00b', version_id='v1')
    """

    key: str
    version_id: str = ""

    @property
    def cursor(self) -> str:
        """As text."""
        return f"{self.key}\0{self.version_id}"

    @classmethod
    def read(cls, cursor: str) -> Self:
        """Out of ``cursor``."""
        key, _, version_id = cursor.rpartition("\0")
        return cls(key, version_id)
