from __future__ import annotations

import io
import json
import subprocess
import sys
from uuid import UUID

import pytest
from pydantic import SecretStr

from scanner_tasks import log
from scanner_tasks.core.errors import InvalidInput, Unavailable
from scanner_tasks.core.model import JobStatus


@pytest.fixture
def stream():
    stream = io.StringIO()
    log.configure("INFO", stream)
    yield stream
    log.configure()


def only_line(stream: io.StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    return json.loads(line)


def test_event_is_one_json_line_with_its_fields(stream):
    log.get_logger(worker="w-1").info("batch_done", job_id=UUID(int=1), status=JobStatus.LISTING, counts={"a": (1, 2)})

    event = only_line(stream)
    assert str(event.pop("at")).endswith("Z")
    assert event == {
        "event": "batch_done",
        "level": "info",
        "worker": "w-1",
        "job_id": str(UUID(int=1)),
        "status": "listing",
        "counts": {"a": [1, 2]},
    }


def test_context_is_carried_by_every_event_inside_it_and_none_after(stream):
    with log.context(request_id="r-1"):
        log.get_logger().info("inside")
    log.get_logger().info("after")
    inside, after = (json.loads(line) for line in stream.getvalue().splitlines())
    assert inside["request_id"] == "r-1"
    assert "request_id" not in after


def test_lines_below_the_level_are_not_written(stream):
    log.get_logger().debug("hidden")
    assert stream.getvalue() == ""


def test_masked_values_stay_masked_wherever_they_stand(stream):
    class MaskedText(str):
        __slots__ = ()

        def __repr__(self) -> str:
            return "Secret(9 chars)"

    log.get_logger().info("seen", value=MaskedText("hidden-value"), deep=[{"k": SecretStr("hidden-value")}])

    assert "hidden-value" not in stream.getvalue()
    assert only_line(stream)["value"] == "Secret(9 chars)"


def test_line_breaks_in_a_field_do_not_make_a_second_line(stream):
    log.get_logger().info("seen", field='a\n{"event": "forged"}')
    assert only_line(stream)["event"] == "seen"


def test_exception_shows_types_codes_frames_and_only_our_own_messages(stream):
    class DriverError(Exception):
        pgcode = "23505"

    def insert():
        raise DriverError("Key (key)=(hidden-value) already exists")

    def claim():
        try:
            insert()
        except DriverError as error:
            raise Unavailable("the database asked to wait") from error

    try:
        claim()
    except Unavailable:
        log.get_logger().exception("claim_failed")

    event = only_line(stream)
    assert event["level"] == "error"
    ours, driver = event["errors"]
    assert (ours["type"], ours["message"]) == ("scanner_tasks.core.errors.Unavailable", "the database asked to wait")
    assert driver["code"] == "23505"
    assert "message" not in driver
    assert driver["frames"][-1].endswith(" insert")
    assert "hidden-value" not in stream.getvalue()


def test_unknown_level_is_refused():
    with pytest.raises(InvalidInput, match="DEBUG, INFO, WARNING, ERROR"):
        log.configure("LOUD")


def test_importing_the_log_loads_neither_celery_nor_boto3():
    code = "import sys, scanner_tasks.log; print({'celery', 'kombu', 'boto3', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
