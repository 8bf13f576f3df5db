"""Which places a plain text tells: told by its first bytes and its name."""

from __future__ import annotations

from collections.abc import Callable

from scanner_tasks.extract.kind import Kind
from scanner_tasks.extract.places import Places
from scanner_tasks.extract.places_csv import Columns, delimiter_of
from scanner_tasks.extract.places_json import JsonDocument, JsonLines, is_json, is_json_lines
from scanner_tasks.extract.places_markup import MarkupDocument, is_html, is_markup
from scanner_tasks.extract.walk import Layer


def places_of(layer: Layer) -> Places:
    """The places of a text."""
    return places_in(layer.head, layer.kind, layer.name, layer.path, layer.inside)


def places_in(head: bytes, kind: Kind, name: str, path: str = "", inside: Callable[[str], str] = str) -> Places:
    """The places of a text that begins so, under a path."""
    text = head[kind.mark_bytes :].decode(kind.encoding or "utf-8", "replace")
    name = name.lower().removesuffix(".gz")
    if is_json(text, name):
        lines = name.endswith((".jsonl", ".ndjson")) or is_json_lines(text)
        return (JsonLines if lines else JsonDocument)(path, inside)
    if is_markup(text, name):
        return MarkupDocument(path, inside, is_html=is_html(text, name))
    if delimiter := delimiter_of(text, name):
        return Columns(path, inside, delimiter, text)
    return Places(path)
