"""A worker's log holds no text of an exception, whoever logs it."""

import logging
import sys
import threading

import psycopg2.errors
import pytest
from botocore.exceptions import ClientError

from scanner_tasks.sqs import discreet_log
from tests.sqs.samples import with_and_without


@with_and_without
def test_log_of_a_worker_whose_tasks_fail_holds_no_value(make_sample, stock):
    sample = make_sample(stock=stock, hide_exception_text=True, visibility_s=60)
    sample.start()
    sample.put("sample.fail", "s3cret")
    sample.put("sample.blab", "s3cret")
    sample.wait_until(lambda: sample.log().count("raised unexpected") == 2, what="both failures")
    log = sample.log()
    assert "s3cret" not in log
    # It still says where, and what.
    assert "sample.fail[" in log
    assert log.count("It failed: ValueError") == 2
    assert "RuntimeError" in log
    assert "sample_app.py:" in log
    assert "Nobody caught this:" in log


def test_texts_stay_where_the_option_is_off(make_sample):
    sample = make_sample(visibility_s=60)
    sample.start()
    sample.put("sample.fail", "a name")
    sample.wait_until(lambda: "as asked for a name" in sample.log(), what="the exception's text")


def test_codes_and_places_are_told_and_causes_come_first():
    class Violation(psycopg2.errors.UniqueViolation):
        pgcode = "23505"

    try:
        try:
            raise Violation("DETAIL: Key (email)=(s3cret)")  # noqa: TRY301
        except Violation as error:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "s3cret"}}, "GetObject") from error
    except ClientError as error:
        told = discreet_log.describe(error).splitlines()
    assert told[0].endswith("test_codes_and_places_are_told_and_causes_come_first")
    assert told[1].endswith("Violation [23505]")
    assert told[2] == "caused"
    assert told[4] == "botocore.exceptions.ClientError [NoSuchKey]"


@pytest.fixture
def installed():
    hooks = logging.getLogRecordFactory(), sys.excepthook, threading.excepthook
    levels = {name: logging.getLogger(name).level for name in discreet_log.LEVELS}
    discreet_log.install()
    yield
    logging.setLogRecordFactory(hooks[0])
    sys.excepthook, threading.excepthook = hooks[1:]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("installed")
def test_lines_of_this_library_keep_the_texts_of_sqs(caplog):
    logging.getLogger("scanner_tasks.sqs.chores").warning("SQS failed: %r", TimeoutError("queue-7"))
    logging.getLogger("another").warning("S3 failed: %r", TimeoutError("s3cret"))
    assert [record.getMessage() for record in caplog.records] == [
        "SQS failed: TimeoutError('queue-7')",
        "S3 failed: TimeoutError",
    ]
