"""Traces with OpenTelemetry: what a batch, a turn of Feed or a request spent its time on. Off unless asked for.

    with tracing.span("batch", job_id=job_id, batch_no=7) as span:
        span.note(objects=100)

Off, a span is one shared object that does nothing, and OpenTelemetry (the extra ``tracing``) is not imported. Where
spans go, and under which name, OpenTelemetry's own variables say (``OTEL_EXPORTER_OTLP_ENDPOINT`` …): docs/tracing.md.

Spans carry ids, counts, outcomes and types of errors, by the names in ``ATTRIBUTES``; another name is refused. Bucket
names, object keys and what was found are in none, nor are messages of errors, which may quote them.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import structlog

from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from opentelemetry.sdk.trace.export import SpanExporter

T = TypeVar("T")

#: What a span may tell, and under which name: OpenTelemetry's conventions where there is one.
ATTRIBUTES = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
} | {
    name: f"s3scan.{name}"
    for name in (
        "attempt",
        "batch_no",
        "bytes_read",
        "calls",
        "dead_letters",
        "findings",
        "finished",
        "job_id",
        "listed",
        "objects",
        "outcome",
        "position",
        "result",
        "returned",
        "sent",
        "state",
        "turn",
    )
}
#: Longest wait for a collector before a function's answer is given.
FLUSH_S = 2.0


class Span(Protocol):
    """What is told of a piece of work."""

    def note(self, **attributes: object) -> None:
        """Tell more of it."""


class _Nothing:
    """A span that nobody wants."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def note(self, **attributes: object) -> None:
        pass


_NOTHING = _Nothing()


class _Told:
    """A span of OpenTelemetry's."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def note(self, **attributes: object) -> None:
        for name, value in attributes.items():
            self._span.set_attribute(ATTRIBUTES[name], _plain(value))


class _Tracing:
    """OpenTelemetry, as this process uses it."""

    def __init__(self, share: float, service: str, exporter: SpanExporter | None) -> None:
        try:
            from opentelemetry import context, propagate, trace  # noqa: PLC0415 (only where it is wanted)
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
            from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415
        except ImportError:
            raise InvalidInput(
                "S3SCAN_TRACE_SHARE is above 0, and OpenTelemetry is not installed: pip install 's3scan[tracing]'."
            ) from None
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": service}
        self._provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)), resource=Resource.create(named))
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._trace, self._propagate, self._context = trace, propagate, context
        self._tracer = self._provider.get_tracer("s3scan")
        #: A function is frozen between two requests: what it has to send goes before its answer.
        self._is_frozen_between = "AWS_LAMBDA_FUNCTION_NAME" in os.environ

    @contextmanager
    def span(self, name: str, parent: Mapping[str, str] | None, attributes: Mapping[str, object]) -> Iterator[Span]:
        is_first = not self.current().is_recording()
        outer = self._propagate.extract(dict(parent)) if parent else None
        try:
            with (
                self._tracer.start_as_current_span(
                    name, context=outer, record_exception=False, set_status_on_exception=False
                ) as span,
                ExitStack() as lines,
            ):
                if is_first and span.is_recording():
                    trace_id = self._trace.format_trace_id(span.get_span_context().trace_id)
                    lines.enter_context(structlog.contextvars.bound_contextvars(trace_id=trace_id))
                told = _Told(span)
                told.note(**attributes)
                try:
                    yield told
                except BaseException as error:
                    told.note(error=type(error).__qualname__)
                    span.set_status(self._trace.StatusCode.ERROR)
                    raise
        finally:
            if is_first and self._is_frozen_between:
                self.flush()

    def current(self) -> Any:
        return self._trace.get_current_span()

    def add(self, name: str, first_ns: int, busy_ns: int, calls: int) -> None:
        """A span of the past below the current one."""
        span = self._tracer.start_span(name, start_time=first_ns)
        _Told(span).note(calls=calls)
        span.end(end_time=first_ns + busy_ns)

    def flush(self) -> None:
        self._provider.force_flush(int(FLUSH_S * 1000))

    def stop(self) -> None:
        self._provider.shutdown()


_tracing: _Tracing | None = None


def configure(share: float, *, service: str = "s3scan", exporter: SpanExporter | None = None) -> None:
    """Trace this share of batches, turns and requests from now on; 0 ends it.

    Args:
        share: 0 to 1; of a request that comes with a trace, its sender has decided.
        service: name of this process where ``OTEL_SERVICE_NAME`` gives none.
        exporter: where spans go; None for OTLP over HTTP, as OpenTelemetry's variables say.

    Raises:
        InvalidInput: OpenTelemetry is not installed.
    """
    global _tracing  # noqa: PLW0603 (as logging has it: one for the process)
    before, _tracing = _tracing, None
    if before:
        before.stop()
    if share > 0:
        _tracing = _Tracing(share, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", service), exporter)


def span(name: str, *, parent: Mapping[str, str] | None = None, **attributes: object) -> AbstractContextManager[Span]:
    """A piece of work, until the ``with`` block ends; below the one that this thread is in.

    Args:
        name: a constant.
        parent: headers that may name a trace which this belongs to (W3C's traceparent).
        attributes: see ``ATTRIBUTES``.
    """
    if _tracing is None:
        return _NOTHING
    return _tracing.span(name, parent, attributes)


def note(**attributes: object) -> None:
    """Tell more of the span that this thread is in."""
    if _tracing is not None:
        _Told(_tracing.current()).note(**attributes)


def flush() -> None:
    """Send what is there: before the process is frozen or ended."""
    if _tracing is not None:
        _tracing.flush()


class Stages:
    """Stages of one piece of work that take turns, such as reading and searching; this one measures nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def timed(self, name: str, call: Callable[..., T]) -> Callable[..., T]:  # noqa: ARG002 (measures nothing)
        """The call, whose time is this stage's."""
        return call

    def each(self, name: str, items: Iterable[T]) -> Iterable[T]:  # noqa: ARG002 (measures nothing)
        """The items, whose making is this stage's time."""
        return items


class _Measured(Stages):
    """Told as a span each: it begins with the stage's first turn and is as long as all of its turns together.

    Time of a stage that is called by another counts for the inner one alone.

        extract 0-2 ms, in it read 0-1; detect 2-5; extract 5-6: read 1 ms, extract 2 ms, detect 3 ms.
    """

    def __init__(self, tracing: _Tracing) -> None:
        self._tracing = tracing
        #: Of each stage: its first turn, its time, its turns.
        self._turns: dict[str, tuple[int, int, int]] = {}
        self._inner_ns = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, (first_ns, busy_ns, calls) in self._turns.items():
            self._tracing.add(name, first_ns, busy_ns, calls)

    def timed(self, name: str, call: Callable[..., T]) -> Callable[..., T]:
        def clocked(*arguments: Any, **named: Any) -> T:
            began, outer_ns, self._inner_ns = time.time_ns(), self._inner_ns, 0
            try:
                return call(*arguments, **named)
            finally:
                took = time.time_ns() - began
                first_ns, busy_ns, calls = self._turns.get(name, (began, 0, 0))
                self._turns[name] = (first_ns, busy_ns + max(0, took - self._inner_ns), calls + 1)
                self._inner_ns = outer_ns + took

        return clocked

    def each(self, name: str, items: Iterable[T]) -> Iterable[T]:
        left, end = iter(items), object()
        following: Callable[[], Any] = self.timed(name, lambda: next(left, end))
        while (item := following()) is not end:
            yield item


_UNMEASURED = Stages()


def stages() -> Stages:
    """The stages of the span that this thread is in; they are measured only if it is recorded."""
    if _tracing is None or not _tracing.current().is_recording():
        return _UNMEASURED
    return _Measured(_tracing)


def _plain(value: object) -> str | int | float | bool:
    """As OpenTelemetry takes it; an outcome by its words, not by its number."""
    return value if type(value) in {bool, int, float} else str(value)  # type: ignore[return-value]
