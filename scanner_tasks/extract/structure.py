"""Which places a plain text tells: told by its first bytes and its name."""

from __future__ import annotations

from scanner_tasks.extract.places import Places
from scanner_tasks.extract.places_csv import Columns, delimiter_of
from scanner_tasks.extract.places_json import JsonDocument, JsonLines, is_json, is_json_lines
from scanner_tasks.extract.places_markup import MarkupDocument, is_html, is_markup
from scanner_tasks.extract.walk import Layer


def places_of(layer: Layer) -> Places:
    """The places of a text."""
    head = layer.head[layer.kind.mark_bytes :].decode(layer.kind.encoding or "utf-8", "replace")
    name = layer.name.lower().removesuffix(".gz")
    if is_json(head, name):
        lines = name.endswith((".jsonl", ".ndjson")) or is_json_lines(head)
        return (JsonLines if lines else JsonDocument)(layer.path, layer.inside)
    if is_markup(head, name):
        return MarkupDocument(layer.path, layer.inside, is_html=is_html(head, name))
    if delimiter := delimiter_of(head, name):
        return Columns(layer.path, layer.inside, delimiter, head)
    return Places(layer.path)
