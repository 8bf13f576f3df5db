"""Spans of a whole scan, by OpenTelemetry's exporter in memory: what is told, what is not, and nothing when off."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api_lambda import handler as api
from scanner_tasks import bootstrap, log, tracing
from scanner_tasks.core.errors import InvalidInput, Unavailable
from scanner_tasks.flow import scan_batch as scanning
from stepfunctions import feed, settle
from tests.api.conftest import request
from tests.flow.conftest import System
from tests.formats.test_tables import database


@pytest.fixture
def spans() -> Iterator[Callable[[], dict[str, list[ReadableSpan]]]]:
    """Spans so far, by their name."""
    exporter = InMemorySpanExporter()
    tracing.configure(1.0, exporter=exporter)

    def told() -> dict[str, list[ReadableSpan]]:
        tracing.flush()
        found: dict[str, list[ReadableSpan]] = {}
        for span in exporter.get_finished_spans():
            found.setdefault(span.name, []).append(span)
        return found

    yield told
    tracing.configure(0.0)


@pytest.fixture
def functions(make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> System:
    """The functions' handlers on a system in memory."""
    system = make_system()
    for name in ("api", "feeder"):
        monkeypatch.setattr(bootstrap, name, lambda: system.feeder)
    monkeypatch.setattr(bootstrap, "trace", lambda: None)
    return system


def below(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return span.parent is not None and span.parent.span_id == parent.context.span_id


def test_a_scan_is_told_from_claim_to_record(functions: System, spans: Callable[[], Any]) -> None:
    body = b"name,ssn\nJane Roe,512-44-1234\n" * 100
    functions.put(
        {"secret-name.csv": body, "rows.db": database(["create table t (a text)"]), "empty-handed.txt": b"harmless"}
    )
    job_id = functions.start()
    feed.handler({"job_id": str(job_id), "execution_no": 1, "turn": 0}, None)
    functions.deliver(job_id)
    settle.handler({}, None)
    told = spans()
    (batch,) = told["batch"]
    assert batch.attributes["s3scan.job_id"] == str(job_id)
    assert batch.attributes["s3scan.result"] == "done"
    assert below(told["claim"][0], batch)
    assert below(told["record"][0], batch)
    outcomes = Counter(span.attributes["s3scan.outcome"] for span in told["object"])
    assert outcomes == {"scanned": 3, "to a child": 1}  # the database is handed over, and scanned there
    assert sum(span.attributes.get("s3scan.findings", 0) for span in told["object"]) >= 1
    in_this_process = [span for span in told["object"] if any(below(read, span) for read in told["read"])]
    for span in in_this_process:
        assert {s.name for name in ("read", "extract", "detect") for s in told[name] if below(s, span)} >= {"read"}
    assert {"feed_turn", "list", "send", "settle", "settle_job", "refresh_view"} <= set(told)
    assert told["feed_turn"][0].attributes["s3scan.listed"] == 3


def test_no_span_names_a_bucket_a_key_or_what_was_found(functions: System, spans: Callable[[], Any]) -> None:
    functions.put({"customers/secret-name.csv": b"name,ssn\nJane Roe,512-44-1234\n", "broken.gz": b"\x1f\x8b\x08x"})
    job_id = functions.start()
    feed.handler({"job_id": str(job_id), "execution_no": 1, "turn": 0}, None)
    functions.deliver(job_id)
    settle.handler({}, None)
    api.handler(request("GET", "/results", f"job_id={job_id}&key=customers/secret-name.csv"), None)
    text = "".join(span.to_json() for some in spans().values() for span in some)
    assert "batch" in text
    for hidden in (functions.bucket, "secret-name", "broken.gz", "512-44-1234", "512441234", "Jane"):
        assert hidden not in text
    with pytest.raises(KeyError), tracing.span("batch", key="secret-name.csv"):
        pass


def test_a_request_is_told_by_its_route_in_its_callers_trace(functions: System, spans: Callable[[], Any]) -> None:
    functions.put({"a.txt": b"harmless"})
    asked = request("GET", f"/jobs/{functions.start()}")
    asked["headers"]["traceparent"] = f"00-{'ab' * 16}-{'cd' * 8}-01"
    assert api.handler(asked, None)["statusCode"] == 200
    (span,) = spans()["request"]
    assert span.attributes["http.route"] == "/jobs/{job_id}"
    assert span.attributes["http.response.status_code"] == 200
    assert f"{span.context.trace_id:032x}" == "ab" * 16


def test_an_error_is_told_by_its_type_alone(
    system: System, spans: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put({"a.txt": b"harmless"})
    job_id = system.start()
    system.feed(job_id)

    def fails(*_: object, **__: object) -> None:
        raise Unavailable("512-44-1234 of secret-name.csv")

    monkeypatch.setattr(scanning, "scan_object", fails)
    with pytest.raises(Unavailable):
        system.deliver(job_id)
    (batch,) = spans()["batch"]
    assert batch.attributes["error.type"] == "Unavailable"
    assert not batch.status.is_ok
    assert "512-44-1234" not in batch.to_json()
    assert batch.events == ()


def test_log_lines_name_the_trace_that_they_belong_to(system: System, spans: Callable[[], Any]) -> None:
    stream = io.StringIO()
    log.configure("INFO", stream)
    try:
        system.put({"a.txt": b"harmless"})
        system.run(system.start())
    finally:
        log.configure()
    (batch,) = spans()["batch"]
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    (scanned,) = [line for line in lines if line["event"] == "batch_scanned"]
    assert scanned["trace_id"] == f"{batch.context.trace_id:032x}"
    assert [line["event"] for line in lines if line["event"] == "settled" and "trace_id" in line] == []


def test_stages_take_turns_and_none_counts_anothers_time(spans: Callable[[], Any]) -> None:
    def sleeping(seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass

    with tracing.span("object"), tracing.stages() as stages:
        read = stages.timed("read", lambda: sleeping(0.02))
        detect = stages.timed("detect", lambda: sleeping(0.01))

        def extracted() -> Iterator[int]:
            for number in range(3):
                read()
                sleeping(0.005)
                yield number

        for _ in stages.each("extract", extracted()):
            detect()
    told = spans()
    took = {name: (told[name][0].end_time - told[name][0].start_time) / 1e9 for name in ("read", "extract", "detect")}
    assert told["read"][0].attributes["s3scan.calls"] == 3
    assert took["read"] >= 0.06
    assert took["detect"] >= 0.03
    assert 0.015 <= took["extract"] < took["read"]  # though each of its turns waits for a reading


def test_a_share_of_traces_is_kept_and_the_rest_is_not_measured() -> None:
    exporter = InMemorySpanExporter()
    tracing.configure(0.2, exporter=exporter)
    try:
        measured = 0
        for _ in range(500):
            with tracing.span("batch"), tracing.span("object"):
                measured += type(tracing.stages()) is not tracing.Stages
        tracing.flush()
        kept = Counter(span.name for span in exporter.get_finished_spans())
    finally:
        tracing.configure(0.0)
    assert 50 < kept["batch"] < 150
    assert kept["batch"] == kept["object"] == measured


def test_off_there_is_nothing_to_pay_for() -> None:
    assert tracing.span("batch", batch_no=1) is tracing.span("object")
    read, items = len, [1]
    assert tracing.stages().timed("read", read) is read
    assert tracing.stages().each("extract", items) is items
    code = (
        "import sys; import scanner_tasks.flow.scan_batch, api_lambda.handler, stepfunctions.settle, scanner_tasks.app;"
        "from scanner_tasks import tracing; tracing.configure(0.0);"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(InvalidInput, match=r"s3scan\[tracing\]"):
        tracing.configure(1.0)
    assert tracing.span("batch") is tracing.span("object")
