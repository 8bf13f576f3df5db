"""The demo's client reads every page and says what the API said."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from scanner_tasks.local.api_client import Api, ApiError
from scanner_tasks.local.api_server import make_server
from scanner_tasks.local.ports import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

JOB = {
    "job_id": "j1",
    "bucket": "b",
    "status": "scanning",
    "status_reason": None,
    "total_findings": 3,
    "total_occurrences": 9,
    "progress": {
        "percent": 50.0,
        "total_is_final": True,
        "objects": {"listed": 4, "done": 2},
        "outcomes": {"scanned": 2},
        "bytes": {"listed": 40, "done": 20},
        "eta_s": 1.5,
    },
}


def stub(event: dict[str, Any], context: object) -> Any:
    """Three results in pages of two; one job; one refusal."""
    del context
    path, query = event["rawPath"], event.get("queryStringParameters", {})
    if path == "/scan":
        bucket = json.loads(event["body"])["bucket"]
        if bucket == "missing":
            return {"statusCode": 404, "body": json.dumps({"detail": "No bucket 'missing'."})}
        return {"statusCode": 202, "body": json.dumps({"job_id": "j1"})}
    if path == "/jobs/j1" and query == {"real_time": "true"}:
        return JOB
    if path == "/results":
        at = int(query.get("cursor", 0))
        rows = [{"bucket": "b", "key": f"k{n}", "rule": "us.ssn", "count": n} for n in range(at, min(at + 2, 3))]
        return {"results": rows, "next_cursor": str(at + 2) if at + 2 < 3 else None}
    return {"statusCode": 500, "body": "oops"}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    server = make_server(0, stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Api(f"http://{LOOPBACK}:{server.server_address[1]}")
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_scan_is_requested_and_its_job_read(api: Api) -> None:
    assert api.start_scan("b") == "j1"
    state = api.job("j1")
    assert (state.listed, state.done, state.findings, state.occurrences, state.eta_s) == (4, 2, 3, 9, 1.5)
    assert not state.is_final


def test_results_are_read_to_the_last_page(api: Api) -> None:
    assert [(r.key, r.count) for r in api.results("j1", page=2)] == [("k0", 0), ("k1", 1), ("k2", 2)]


def test_a_refusal_is_told_in_the_apis_words(api: Api) -> None:
    with pytest.raises(ApiError, match=r"POST /scan answered 404: No bucket 'missing'\."):
        api.start_scan("missing")


def test_an_answer_that_is_no_json_is_an_error(api: Api) -> None:
    with pytest.raises(ApiError, match="answered 500: oops"):
        api.job("other")


def test_an_api_that_is_not_there_is_told() -> None:
    with pytest.raises(ApiError, match="GET /jobs/j1: ConnectionRefusedError"):
        Api(f"http://{LOOPBACK}:{free_port()}").job("j1")
