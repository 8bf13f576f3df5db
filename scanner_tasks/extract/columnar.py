"""Parquet, ORC and Arrow files through pyarrow, column by column: ``name: value`` a line, so that a line is a row.

pyarrow is an extra (``s3scan[columnar]``): without it these objects are skipped(unsupported), and told why.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import IO, Any

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Location, Outcome, Segment
from scanner_tasks.extract.strings import runs
from scanner_tasks.extract.walk import Layer, Walk

_BATCH_ROWS = 8192
_MOST_NESTED = 10
#: Whole numbers below this are exact as numbers with a point.
_EXACT = 1 << 53


def columnar_text(walk: Walk, layer: Layer) -> Iterator[Segment]:
    """Each column of each batch of rows as a text of its own."""
    arrow = _arrow(layer)
    if layer.head.startswith(b"PARE"):
        raise _encrypted()
    walk.isolate()
    with walk.spooled(layer.read) as (file, cut):
        row = 1
        try:
            for batch in _batches(arrow, _form(layer), file):
                walk.meter.rows(batch.num_rows)
                yield from _columns(arrow, walk, layer, batch, row)
                row += batch.num_rows
        except _damaged(arrow) as error:
            if isinstance(error, MemoryError):
                raise
            if "ecrypt" in str(error):
                raise _encrypted() from error
            if row == 1:  # nothing of it was to be had
                file.seek(0)
                yield from runs(file.read, layer)
            if cut:
                raise cut from error
            is_new = isinstance(error, arrow.ArrowNotImplementedError)
            raise ExtractError(
                f"The {layer.kind.name} {'uses what pyarrow cannot read' if is_new else 'is damaged'}.",
                Outcome.PARTIAL_UNSUPPORTED if is_new else Outcome.PARTIAL_CORRUPT,
            ) from error
        if cut:
            raise cut


def _damaged(arrow: Any) -> tuple[type[Exception], ...]:
    """What pyarrow raises of damaged content; the last from within, where a length that it trusts is negative."""
    return (
        arrow.ArrowException, OSError, KeyError, IndexError, UnicodeDecodeError,
        SystemError,
    )  # fmt: skip


def _encrypted() -> ExtractError:
    return ExtractError("The Parquet table is encrypted.", Outcome.PARTIAL_ENCRYPTED)


def _arrow(layer: Layer) -> Any:
    try:
        arrow: Any = importlib.import_module("pyarrow")
    except ImportError as error:
        raise ExtractError(
            f"The content is a {layer.kind.name}: install the extra s3scan[columnar] (pyarrow) to read it.",
            Outcome.PARTIAL_UNSUPPORTED,
        ) from error
    _modest(arrow)
    return arrow


def _modest(arrow: Any) -> None:
    """No threads of its own and no memory in reserve: both count against a child's limit, used or not."""
    arrow.set_cpu_count(1)
    arrow.set_io_thread_count(1)
    arrow.set_memory_pool(arrow.system_memory_pool())


def _form(layer: Layer) -> str:
    return layer.kind.name.lower() if layer.kind.name == "Arrow stream" else layer.kind.form


def _batches(arrow: Any, form: str, file: IO[bytes]) -> Iterator[Any]:
    if form == "parquet":
        parquet: Any = importlib.import_module("pyarrow.parquet")
        yield from parquet.ParquetFile(file, pre_buffer=False).iter_batches(batch_size=_BATCH_ROWS, use_threads=False)
    elif form == "orc":
        orc: Any = importlib.import_module("pyarrow.orc")
        stripes = orc.ORCFile(file)
        for number in range(stripes.nstripes):
            yield from _slices(stripes.read_stripe(number))
    elif form == "arrow stream":
        for batch in arrow.ipc.open_stream(file):
            yield from _slices(batch)
    else:
        ipc = arrow.ipc.open_file(file)
        for number in range(ipc.num_record_batches):
            yield from _slices(ipc.get_batch(number))


def _slices(batch: Any) -> Iterator[Any]:
    for at in range(0, batch.num_rows, _BATCH_ROWS):
        yield batch.slice(at, _BATCH_ROWS)


def _columns(arrow: Any, walk: Walk, layer: Layer, batch: Any, row: int) -> Iterator[Segment]:
    table = arrow.Table.from_batches([batch])
    for _ in range(_MOST_NESTED):
        if not any(arrow.types.is_struct(field.type) for field in table.schema):
            break
        table = table.flatten()
    for name, column in zip(table.column_names, table.columns, strict=True):
        told = name.replace("\n", " ")[:80]
        data = _lines(arrow, told, column.combine_chunks())
        if data is None:
            continue
        walk.meter.charge(len(data), layer.depth + 1)
        yield _segment(layer, told, data, row)


def _lines(arrow: Any, name: str, values: Any) -> bytes | None:
    compute: Any = importlib.import_module("pyarrow.compute")
    if isinstance(values, arrow.ChunkedArray):
        values = arrow.concat_arrays(values.chunks)
    kind = values.type
    if arrow.types.is_boolean(kind) or arrow.types.is_null(kind) or not len(values):
        return None
    if arrow.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if arrow.types.is_floating(kind):
        values = _numbers(arrow, compute, values)
    elif not (arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind)):
        try:
            values = values.cast(arrow.large_string())
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
            told = ["" if value is None else str(value) for value in values.to_pylist()]
            values = arrow.array(told, arrow.large_string())
    values = compute.fill_null(values.cast(arrow.large_binary()), b"")
    if compute.any(compute.match_substring(values, "\n")).as_py():
        values = compute.replace_substring(values, "\n", " ")
    rows = arrow.ListArray.from_arrays([0, len(values)], values)
    head = name.encode() + b": "
    joined = compute.binary_join(rows, arrow.scalar(b"\n" + head, arrow.large_binary()))[0].as_py()
    data: bytes = head + joined + b"\n"
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def _numbers(arrow: Any, compute: Any, values: Any) -> Any:
    """Numbers with a point as people write them: ``4111111111111111``, not ``4.111111111111111e+15``."""
    told = values.cast(arrow.large_string())
    if not compute.any(compute.match_substring(told, "e")).as_py():
        return told
    wide = values.cast(arrow.float64())
    is_whole = compute.and_(compute.equal(wide, compute.floor(wide)), compute.less(compute.abs(wide), float(_EXACT)))
    whole = wide.cast(arrow.int64(), safe=False).cast(arrow.large_string())
    return compute.if_else(is_whole, whole, told)


def _segment(layer: Layer, name: str, data: bytes, row: int) -> Segment:
    def path_at(at: int) -> str:
        number = row + data.count(b"\n", 0, at)
        return layer.inside(f"row {number}, {name}")

    return Segment(data=data, start=Location(line=row, column=1, offset=0), continues=False, path_at=path_at)
