"""Paths inside plain text, worked out only where something was found: column of a table, JSON path.

What detection reads stays the plain text, byte by byte; a path is asked for after a finding, from the segment that
holds it and a little state kept from the segments before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner_tasks.extract.walk import Layer


class Places:
    """The same path all through: what text without structure has."""

    def __init__(self, root: str = "") -> None:
        self.root = root

    def of(self, data: bytes, line: int) -> Callable[[int], str] | None:
        """What tells the paths in the text's next segment, which begins in that line; None where all are ``root``."""
        del data, line
        return None


def places_of(layer: Layer) -> Places:
    """The places of a text."""
    return Places(layer.path)
