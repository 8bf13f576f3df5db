"""HTTP requests reach the Lambda handler as API Gateway would send them."""

from __future__ import annotations

import base64
import json
import threading
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from scanner_tasks.local.api_server import MAX_BODY_BYTES, make_server
from scanner_tasks.serve.gateway import to_event, to_response

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS: list[dict[str, Any]] = []


def echo(event: dict[str, Any], context: object) -> Any:
    """A handler that answers with what it got, or as the path says."""
    EVENTS.append(event)
    if event["rawPath"] == "/crash":
        msg = "secret detail"
        raise ValueError(msg)
    if event["rawPath"] == "/bytes":
        return {"statusCode": 200, "body": base64.b64encode(b"\xff\x00").decode(), "isBase64Encoded": True}
    if event["rawPath"] == "/plain":
        return {"just": "json"}
    return {
        "statusCode": 202,
        "headers": {"X-Id": context.aws_request_id},
        "body": json.dumps(event),
        "cookies": ["a=1"],
    }


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = make_server(0, echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def call(port: int, method: str, target: str, body: bytes | None = None, **headers: str) -> tuple[int, dict, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, target)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    answer = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return answer


@pytest.mark.parametrize("target", ["/a//b", "/a%2Fb", "/x/../y", "//lead", "/sp%20ace+%C3%A9"])
def test_the_path_arrives_raw(port: int, target: str) -> None:
    status, _, body = call(port, "GET", target)
    event = json.loads(body)
    assert (status, event["rawPath"], event["requestContext"]["http"]["path"]) == (202, target, target)


def test_query_parameters_arrive_raw_and_decoded_and_repeats_are_joined(port: int) -> None:
    _, _, body = call(port, "GET", "/results?key=a%2F%2Fb+c&key=d&cursor=&x=%C3%A9")
    event = json.loads(body)
    assert event["rawQueryString"] == "key=a%2F%2Fb+c&key=d&cursor=&x=%C3%A9"
    assert event["queryStringParameters"] == {"key": "a//b c,d", "cursor": "", "x": "é"}


def test_a_text_body_arrives_as_it_is_and_a_binary_one_as_base64(port: int) -> None:
    _, _, body = call(port, "POST", "/scan", '{"bucket": "é"}'.encode(), Content_Type="application/json")
    event = json.loads(body)
    assert (event["body"], event["isBase64Encoded"]) == ('{"bucket": "é"}', False)
    assert event["headers"]["content-type"] == "application/json"
    _, _, body = call(port, "POST", "/scan", b"\xff\xfe")
    event = json.loads(body)
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff\xfe", True)


def test_no_body_is_no_body(port: int) -> None:
    _, _, body = call(port, "POST", "/scan")
    assert "body" not in json.loads(body)


def test_status_headers_and_cookies_go_back(port: int) -> None:
    status, headers, _ = call(port, "GET", "/")
    assert (status, headers["content-type"], headers["set-cookie"]) == (202, "application/json", "a=1")
    assert headers["X-Id"]


def test_a_binary_answer_and_a_bare_value_go_back_as_gateway_sends_them(port: int) -> None:
    assert call(port, "GET", "/bytes")[2] == b"\xff\x00"
    status, headers, body = call(port, "GET", "/plain")
    assert (status, headers["content-type"], json.loads(body)) == (200, "application/json", {"just": "json"})


def test_a_handler_that_fails_is_a_500_without_its_reason(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, body = call(port, "GET", "/crash")
    assert (status, json.loads(body)) == (500, {"message": "Internal Server Error"})
    assert "ValueError" in capfd.readouterr().err


def test_a_body_above_the_gateways_limit_is_refused_before_it_is_read(port: int) -> None:
    before = len(EVENTS)
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("POST", "/scan")
    connection.putheader("Content-Length", str(MAX_BODY_BYTES + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert len(EVENTS) == before


def test_every_method_reaches_the_handler(port: int) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert json.loads(call(port, method, "/")[2])["requestContext"]["http"]["method"] == method
    assert call(port, "HEAD", "/")[2] == b""


def test_repeated_headers_are_joined_and_lower_case() -> None:
    event = to_event("GET", "/", [("X-A", "1"), ("x-a", "2")], b"", now_s=0)
    assert event["headers"] == {"x-a": "1,2"}


def test_many_valued_headers_are_sent_each() -> None:
    response = to_response({"statusCode": 200, "multiValueHeaders": {"x": ["1", "2"]}})
    assert response.headers[:2] == (("x", "1"), ("x", "2"))
