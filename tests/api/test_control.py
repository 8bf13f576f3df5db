"""The operators' endpoints on a real ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from scanner_tasks import bootstrap
from scanner_tasks.core import lanes
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.flow.settle import settle
from scanner_tasks.store.engine import execute, transaction
from tests.api.conftest import Answer, answer, request
from tests.flow.conftest import System, make_system

__all__ = ["make_system"]
SSN = b"name,ssn\nJane Roe,512-44-1234\n"


@pytest.fixture
def system(make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> System:
    made = make_system()
    made.bucket = f"api-{uuid4()}"
    made.objects.buckets[made.bucket] = {f"{n:03d}": SSN for n in range(150)}
    monkeypatch.setattr(bootstrap, "api", lambda: made.feeder)
    monkeypatch.setattr(bootstrap, "feeder", lambda: made.feeder)
    with transaction(made.engine) as connection:
        execute(connection, "delete from dead_letters")
    return made


@pytest.fixture
def job_id(system: System) -> UUID:
    return system.start()


@pytest.fixture
def dead(system: System, job_id: UUID) -> str:
    system.feed(job_id)
    first = system.queues.bodies(system.job(job_id).job.lane)[0]
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=first, group=system.bucket)])
    settle(using=system.feeder)
    (letter,) = get("/dlq").json["dead_letters"]
    return str(letter["message_id"])


def get(path: str, query: str = "") -> Answer:
    return answer(request("GET", path, query))


def delete(path: str) -> Answer:
    return answer(request("DELETE", path))


def post(path: str, body: object = None) -> Answer:
    return answer(request("POST", path, body=None if body is None else json.dumps(body)))


def test_job_is_paused_resumed_and_cancelled(system: System, job_id: UUID) -> None:
    paused = post(f"/jobs/{job_id}/pause")
    assert (paused.status, paused.json["status"], paused.json["progress"]["real_time"]) == (200, "paused", True)
    again = post(f"/jobs/{job_id}/pause")
    assert (again.status, again.json["type"]) == (409, "urn:s3scan:problem:conflict")
    assert post(f"/jobs/{job_id}/resume").json["status"] == "listing"
    cancelled = post(f"/jobs/{job_id}/cancel", {"reason": "wrong bucket"})
    assert (cancelled.json["status"], cancelled.json["status_reason"]) == ("cancelled", "wrong bucket")
    assert post(f"/jobs/{job_id}/cancel").status == 200
    assert post(f"/jobs/{job_id}/resume").status == 409


def test_ended_job_is_deleted_and_no_other(system: System, job_id: UUID) -> None:
    running = delete(f"/jobs/{job_id}")
    assert (running.status, "cancel it first" in running.json["detail"]) == (409, True)
    post(f"/jobs/{job_id}/cancel")
    gone = delete(f"/jobs/{job_id}")
    assert (gone.status, gone.json) == (202, {"job_id": str(job_id)})
    assert get(f"/jobs/{job_id}").status == 404
    assert delete(f"/jobs/{uuid4()}").status == 404
    settle(using=system.feeder)
    with transaction(system.engine) as connection:
        assert execute(connection, "select count(*) from jobs where job_id = :id", id=job_id).scalar_one() == 0


def test_wrong_method_is_told_the_right_ones(system: System, job_id: UUID) -> None:
    wrong = post(f"/jobs/{job_id}")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, DELETE")
    assert post("/jobs").headers["allow"] == "GET"


def test_job_is_cancelled_without_a_body(system: System, job_id: UUID) -> None:
    assert post(f"/jobs/{job_id}/cancel").json["status_reason"] == "Cancelled by an operator."


def test_failed_objects_are_scanned_again(system: System, job_id: UUID) -> None:
    system.objects.denied.add((system.bucket, "007"))
    system.run(job_id)
    told = post(f"/jobs/{job_id}/retry-failed").json
    assert told == {"job_id": str(job_id), "batches": 1, "objects": 1}
    assert get(f"/jobs/{job_id}", "real_time=true").json["status"] == "scanning"


def test_dead_letter_is_shown_and_retried(system: System, job_id: UUID, dead: str) -> None:
    shown = get(f"/dlq/{dead}").json
    assert (shown["job_id"], shown["batch_no"], shown["errors"]) == (str(job_id), 0, [])
    assert shown["arguments"] == [repr(str(job_id)), "0", "0"]
    assert post(f"/dlq/{dead}/retry").json == {"message_id": dead, "result": "sent", "reason": None}
    assert post(f"/dlq/{dead}/retry").json["result"] == "moot"
    assert system.run(job_id).progress.scanned == 150
    assert post(f"/dlq/{dead}/discard", {"reason": "x"}).status == 409


def test_dead_letter_is_discarded_with_a_reason(system: System, dead: str) -> None:
    for body in (None, {}, {"reason": ""}, {"reason": " "}, {"reason": 7}, {"reason": "x" * 501}):
        assert post(f"/dlq/{dead}/discard", body).status == 400, body
    told = post(f"/dlq/{dead}/discard", {"reason": "a test"})
    assert (told.status, told.json["state"], told.json["state_reason"]) == (200, "discarded", "a test")
    assert get("/dlq").json["dead_letters"] == []
    assert post(f"/dlq/{dead}/retry").status == 409


def test_dead_letters_are_filtered_and_paged(system: System, dead: str) -> None:
    with transaction(system.engine) as connection:
        execute(
            connection,
            "insert into dead_letters (message_id, body, receive_count, error)"
            " select 'x' || n, 'garbage', 4, 'Unavailable: S3 is away' from generate_series(1, 4) n",
        )
    names: list[str] = []
    query = ""
    while True:
        page = get("/dlq", f"limit=2{query}").json
        names += [letter["message_id"] for letter in page["dead_letters"]]
        if page["next_cursor"] is None:
            break
        query = f"&cursor={page['next_cursor']}"
    assert names == [dead, "x1", "x2", "x3", "x4"]
    assert len(get("/dlq", "error=Unavailable: S3 is away").json["dead_letters"]) == 4
    assert len(get("/dlq", f"bucket={system.bucket}&state=all").json["dead_letters"]) == 1
    (garbage, *_) = get("/dlq", "limit=1&cursor=x1").json["dead_letters"]
    assert (garbage["arguments"], garbage["task"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/dlq", "cursor=nope", "cursor"),
        ("/dlq", "state=closed", "state"),
        ("/dlq", "by=error", "unknown parameter"),
        ("/dlq", "limit=0", "limit"),
    ],
)
def test_bad_query_is_a_400_that_says_what_to_change(system: System, path: str, query: str, words: str) -> None:
    told = get(path, query)
    assert (told.status, words in told.json["detail"]) == (400, True), told.text


def test_what_is_not_there_is_a_404(system: System) -> None:
    assert get("/dlq/nope").json["type"] == "urn:s3scan:problem:dead_letter_not_found"
    for path in (f"/jobs/{uuid4()}/pause", "/dlq/nope/retry", f"/jobs/{uuid4()}/retry-failed", "/jobs/a/b/c"):
        assert post(path).status == 404, path
    assert post("/jobs/7/pause").status == 400
    assert post("/dlq/nope/discard", {"reason": "x"}).status == 404


@pytest.mark.parametrize("path", ["/jobs/7/pause", "/jobs/7/retry-failed", "/dlq/x/retry", "/dlq/x/discard"])
def test_wrong_method_names_the_right_one(path: str) -> None:
    told = get(path)
    assert (told.status, told.headers["allow"]) == (405, "POST")
    told = post("/dlq/x", {})
    assert (told.status, told.headers["allow"]) == (405, "GET")
