"""Which reader opens which kind of content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract import blocks, streams
from scanner_tasks.extract.avro import avro_text
from scanner_tasks.extract.budget import Read
from scanner_tasks.extract.columnar import columnar_text
from scanner_tasks.extract.images import jpeg_text, png_text
from scanner_tasks.extract.kind import Form
from scanner_tasks.extract.mail import mail_text, mbox_text
from scanner_tasks.extract.markup import beside_text, markup_text
from scanner_tasks.extract.office import program_text, zip_text
from scanner_tasks.extract.ole import ole_text
from scanner_tasks.extract.pdf import pdf_text
from scanner_tasks.extract.plain import decode
from scanner_tasks.extract.rtf import rtf_text
from scanner_tasks.extract.sqlite import sqlite_text
from scanner_tasks.extract.strings import strings_text
from scanner_tasks.extract.structure import places_of
from scanner_tasks.extract.tar import tar_text
from scanner_tasks.extract.walk import Layer, Reader, Walk


def _text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    assert layer.kind.encoding is not None
    return decode(
        layer.read,
        layer.kind.encoding,
        mark_bytes=layer.kind.mark_bytes,
        window_bytes=walk.budget.window_bytes,
        places=places_of(layer),
    )


def _unread(walk: Walk, layer: Layer) -> Iterator[Segment]:
    del walk
    raise ExtractError(f"The content is no text: {layer.kind.name}.", Outcome.PARTIAL_UNSUPPORTED)
    yield


def _compressed(unpack: Callable[[Read], Read]) -> Reader:
    def read(walk: Walk, layer: Layer) -> Iterator[Segment]:
        return walk.unpacked(layer, unpack(layer.read))

    return read


def _widely(unpack: Callable[[Read, streams.Elsewhere], Read]) -> Reader:
    def read(walk: Walk, layer: Layer) -> Iterator[Segment]:
        return walk.unpacked(layer, unpack(layer.read, walk.elsewhere))

    return read


READERS: Mapping[str, Reader] = {
    **dict.fromkeys(get_args(Form), _unread),
    "text": _text,
    "gzip": _compressed(streams.gzip),
    "bzip2": _compressed(streams.bzip2),
    "xz": _widely(streams.xz),
    "lzma": _widely(streams.lzma_alone),
    "lz4_legacy": _widely(blocks.lz4_legacy),
    "snappy": _compressed(blocks.snappy),
    "lz4": _widely(streams.lz4_frames),
    "tar": tar_text,
    "zip": zip_text,
    "markup": markup_text,
    "beside": beside_text,
    "rtf": rtf_text,
    "mail": mail_text,
    "mbox": mbox_text,
    "png": png_text,
    "jpeg": jpeg_text,
    "binary": strings_text,
    "program": program_text,
    "ole": ole_text,
    "pdf": pdf_text,
    "sqlite": sqlite_text,
    "avro": avro_text,
    **dict.fromkeys(("parquet", "orc", "arrow"), columnar_text),
    "zstd": _widely(streams.zstd),
}
