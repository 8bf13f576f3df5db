"""A POST that is repeated with its Idempotency-Key does what it does once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from api_lambda import routes
from scanner_tasks import bootstrap
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.rights_rules import hash_token, read_rights
from scanner_tasks.flow.settle import settle
from scanner_tasks.store import idempotency as rows
from scanner_tasks.store.engine import execute, transaction
from tests.api.conftest import Answer, answer, request
from tests.flow.conftest import System, make_system

__all__ = ["make_system"]


@pytest.fixture
def system(make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> System:
    made = make_system()
    made.bucket = f"once-{uuid4().hex[:12]}"
    made.objects.buckets[made.bucket] = {"a": b"x"}
    monkeypatch.setattr(bootstrap, "api", lambda: made.feeder)
    monkeypatch.setattr(bootstrap, "feeder", lambda: made.feeder)
    return made


def post(path: str, key: str, body: Any = None, **headers: str) -> Answer:
    made = request("POST", path, body=None if body is None else json.dumps(body))
    made["headers"] |= {"idempotency-key": key, **headers}
    return answer(made)


def jobs(system: System) -> int:
    with transaction(system.engine) as connection:
        return execute(connection, "select count(*) from jobs where bucket = :b", b=system.bucket).scalar_one()


def test_same_request_gets_the_same_answer_and_begins_one_job(system: System) -> None:
    key, body = str(uuid4()), {"bucket": system.bucket}
    first, second = post("/scan", key, body), post("/scan", key, body)
    assert (first.status, second.status, second.json) == (202, 202, first.json)
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert jobs(system) == 1
    other = post("/scan", key, {"bucket": system.bucket, "prefix": "x"})
    assert (other.status, other.json["type"]) == (422, "urn:s3scan:problem:idempotency_key_reused")
    elsewhere = post(f"/jobs/{first.json['job_id']}/pause", key)
    assert elsewhere.status == 422
    assert jobs(system) == 1


def test_keys_are_each_callers_own(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"grants": [{"principals": ["*"], "role": "admin"}], "tokens": {"a": hash_token("s3scan_a")}}
    monkeypatch.setattr(bootstrap, "rights", lambda: read_rights(json.dumps(document)))
    key, body = str(uuid4()), {"bucket": system.bucket}
    first = post("/scan", key, body)
    made = request("POST", "/scan", body=json.dumps(body))
    del made["requestContext"]["authorizer"]
    made["headers"] |= {"idempotency-key": key, "authorization": "Bearer s3scan_a"}
    second = answer(made)
    assert (second.status, second.json["job_id"] == first.json["job_id"]) == (202, False)


def test_two_at_once_begin_one_job(system: System) -> None:
    key, body = str(uuid4()), {"bucket": system.bucket}
    gate = threading.Barrier(4)

    def ask(_: int) -> Answer:
        gate.wait(30)
        return post("/scan", key, body)

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(ask, range(4)))
    assert {one.status for one in told} <= {202, 409}
    assert any(one.status == 202 for one in told)
    assert all(one.headers["retry-after"] for one in told if one.status == 409)
    assert jobs(system) == 1
    assert post("/scan", key, body).status == 202


def test_who_dies_between_job_and_answer_leaves_one_job_that_the_repeat_finds(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, body = str(uuid4()), {"bucket": system.bucket}
    with monkeypatch.context() as dying:
        dying.setattr(rows, "keep_answer", lambda *_, **__: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            post("/scan", key, body)
    assert jobs(system) == 1
    held = post("/scan", key, body)
    assert (held.status, held.json["type"]) == (409, "urn:s3scan:problem:request_in_progress")
    with transaction(system.engine) as connection:
        execute(connection, "update idempotency_keys set held_until = now() - interval '1 s' where key = :k", k=key)
    again = post("/scan", key, body)
    assert (again.status, jobs(system)) == (202, 1)
    assert post("/scan", key, body).json == again.json


def test_several_buckets_begin_once_too(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    key, body = str(uuid4()), {"buckets": [system.bucket]}
    with monkeypatch.context() as dying:
        dying.setattr(rows, "keep_answer", lambda *_, **__: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            post("/scans", key, body)
    with transaction(system.engine) as connection:
        execute(connection, "update idempotency_keys set held_until = now() - interval '1 s' where key = :k", k=key)
    assert (post("/scans", key, body).status, jobs(system)) == (202, 1)


def test_what_was_refused_or_failed_is_done_anew(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    key, body = str(uuid4()), {"bucket": "no-such-bucket"}
    assert post("/scan", key, body).status == 404
    system.objects.buckets["no-such-bucket"] = {}
    assert post("/scan", key, body).status == 202
    key = str(uuid4())
    with monkeypatch.context() as away:
        away.setattr(routes.start_job, "start_job", lambda *_, **__: (_ for _ in ()).throw(Unavailable("It is away.")))
        assert post("/scan", key, {"bucket": system.bucket}).status == 503
    assert post("/scan", key, {"bucket": system.bucket}).status == 202


def test_large_answer_is_kept_whole(system: System) -> None:
    names = [f"{system.bucket}-{n:03d}" for n in range(90)]
    system.objects.buckets |= {name: {} for name in names}
    key, body = str(uuid4()), {"buckets": names}
    first = post("/scans", key, body)
    assert len(first.text) > 16_000
    assert post("/scans", key, body).text == first.text


@pytest.mark.parametrize("key", ["", " ", "ü", "x" * 256])
def test_wrong_key_is_a_400(system: System, key: str) -> None:
    assert post("/scan", key, {"bucket": system.bucket}).status == 400
    assert jobs(system) == 0


def test_old_keys_are_forgotten(system: System) -> None:
    key = str(uuid4())
    post("/scan", key, {"bucket": system.bucket})
    with transaction(system.engine) as connection:
        execute(
            connection, "update idempotency_keys set created_at = now() - interval '25 hours' where key = :k", k=key
        )
    settle(using=system.feeder)
    with transaction(system.engine) as connection:
        left = execute(connection, "select count(*) from idempotency_keys where key = :k", k=key).scalar_one()
    assert left == 0
