"""JSON documents cut into requests that a service takes: so many at a time, so many bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def size_of(document: object) -> int:
    """Bytes of the document as JSON in UTF-8, ASCII only, as clients send it."""
    return len(json.dumps(document, separators=(",", ":")).encode())


def batches(
    documents: Iterable[dict[str, Any]], *, most: int, most_bytes: int, overhead_bytes: int = 16
) -> Iterator[list[dict[str, Any]]]:
    """The documents in order, at most ``most`` and ``most_bytes`` together; one that is larger goes alone.

    Examples:
        >>> list(batches([{"n": 1}, {"n": 2}, {"n": 3}], most=2, most_bytes=10_000))
        [[{'n': 1}, {'n': 2}], [{'n': 3}]]
    """
    batch: list[dict[str, Any]] = []
    used = 0
    for document in documents:
        size = size_of(document) + overhead_bytes
        if batch and (len(batch) == most or used + size > most_bytes):
            yield batch
            batch, used = [], 0
        batch.append(document)
        used += size
    if batch:
        yield batch


def cut(text: str, most: int) -> str:
    """The text, at most so many characters, the cut told by an ellipsis.

    Examples:
        >>> cut("a long text", 6)
        'a lon…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"
