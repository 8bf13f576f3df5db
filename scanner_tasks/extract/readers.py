"""Which reader opens which kind of content."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import get_args

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome, Segment
from scanner_tasks.extract import blocks, streams
from scanner_tasks.extract.avro import avro_text
from scanner_tasks.extract.budget import Read
from scanner_tasks.extract.columnar import columnar_text
from scanner_tasks.extract.images import jpeg_text, png_text
from scanner_tasks.extract.magics import Form
from scanner_tasks.extract.mail import mail_text, mbox_text
from scanner_tasks.extract.markup import beside_text, markup_text
from scanner_tasks.extract.office import program_text, zip_text
from scanner_tasks.extract.ole import ole_text
from scanner_tasks.extract.pdf import pdf_text
from scanner_tasks.extract.pgdump import pgdump_text
from scanner_tasks.extract.plain import decode
from scanner_tasks.extract.rtf import rtf_text
from scanner_tasks.extract.sqlite import sqlite_text
from scanner_tasks.extract.strings import strings_text
from scanner_tasks.extract.structure import places_of
from scanner_tasks.extract.tar import tar_text
from scanner_tasks.extract.walk import Layer, Reader, Walk
from scanner_tasks.extract.zstd import zstd


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


def _packed(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """Something is found even there: names, what is stored as it is."""
    yield from strings_text(walk, layer)
    raise ExtractError(
        f"The content ({layer.kind.name}) is compressed in a way that is not read: only its printable runs were.",
        Outcome.PARTIAL_UNSUPPORTED,
    )


def _sealed(walk: Walk, layer: Layer) -> Iterator[Segment]:
    yield from strings_text(walk, layer)
    raise ExtractError(
        f"The content is encrypted ({layer.kind.name}): only what stands beside it was read.",
        Outcome.PARTIAL_ENCRYPTED,
    )


def _raw_snappy(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """One block may be of any size, and is held as a whole."""
    most = walk.budget.memory_bytes
    if blocks.told_by_snappy(layer.head) > most:
        raise ExtractError(
            f"It is one block of more than the {most} bytes that are held in memory.", Outcome.PARTIAL_BYTES
        )
    return walk.unpacked(layer, io.BytesIO(blocks.unsnapped(walk.whole(layer.read), most)).read)


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
    "zlib": _compressed(partial(streams.zlib, is_alone=False)),
    "bzip2": _compressed(streams.bzip2),
    "xz": _widely(streams.xz),
    "lzma": _widely(streams.lzma_alone),
    "lz4_legacy": _widely(blocks.lz4_legacy),
    "hadoop_lz4": _widely(blocks.hadoop_lz4),
    "snappy": _compressed(blocks.snappy),
    "java_snappy": _widely(blocks.java_snappy),
    "hadoop_snappy": _widely(blocks.hadoop_snappy),
    "raw_snappy": _raw_snappy,
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
    "packed": _packed,
    "sealed": _sealed,
    "ole": ole_text,
    "pdf": pdf_text,
    "sqlite": sqlite_text,
    "avro": avro_text,
    "pgdump": pgdump_text,
    **dict.fromkeys(("parquet", "orc", "arrow"), columnar_text),
    "zstd": _widely(zstd),
}
