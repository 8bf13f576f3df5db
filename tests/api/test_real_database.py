"""The API on a real Postgres, with S3 and Step Functions in memory."""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks import rules
from scanner_tasks.core.access import Access
from scanner_tasks.core.errors import Denied, Unavailable
from scanner_tasks.core.progress import SUMMANDS
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.fakes import FakeExecutions, FakeMetrics, FakeObjects, FakeQueues
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.leases import LeaseKeeper
from scanner_tasks.flow.parts import Feeder, Worker
from scanner_tasks.flow.scan_batch import scan_batch
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.verify import verify_job
from scanner_tasks.settings import Settings
from scanner_tasks.store.engine import execute, transaction
from tests.api.conftest import Answer, answer, request

_numbers = itertools.count()
TEXT = b"ssn: 219-09-1234\nmail: someone@example.com\n"


class Service:
    """The API's clients, and what stands behind it in AWS."""

    def __init__(self, engine: Engine) -> None:
        self.bucket = f"api-{next(_numbers)}"
        self.common = {
            "settings": Settings(fingerprint_key="a key of the tests only"),
            "engine": engine,
            "objects": FakeObjects({self.bucket: {f"a//b,{n}.txt": TEXT for n in range(5)}}),
            "executions": FakeExecutions(),
            "ruleset_hash": lambda: "hash",
        }
        self.feeder = Feeder(**self.common, queues=FakeQueues(), metrics=FakeMetrics())

    def scan(self, **body: object) -> Answer:
        return answer(request("POST", "/scan", body=json.dumps(body or {"bucket": self.bucket})))

    def feed(self, job_id: str) -> None:
        feed(UUID(job_id), execution_no=1, turn=0, using=self.feeder)

    def work(self, job_id: str) -> None:
        detector = Detector(rules.load_builtin(), Fingerprinter(b"a key of the tests only", "k1"))
        leases = LeaseKeeper(self.feeder.engine, lease_s=60, stuck_after_s=60)
        worker = Worker(
            **self.common,
            detector=detector,
            leases=leases,
            scan_slots=threading.BoundedSemaphore(1),
            child_command=("false",),
        )
        assert scan_batch(UUID(job_id), 0, 0, using=worker) == "done"
        leases.stop()


@pytest.fixture
def service(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    from api_lambda import common  # noqa: PLC0415 (as the other API tests)

    made = Service(engine)
    monkeypatch.setattr(common.bootstrap, "api", lambda: made.feeder)
    yield made
    with transaction(engine) as connection:  # other tests' settle must not meet these jobs
        execute(connection, "update jobs set finished_at = now() where finished_at is null")


def get(path: str, **query: object) -> Answer:
    return answer(request("GET", path, "&".join(f"{name}={quote(str(value))}" for name, value in query.items())))


def refused(got: Answer, status: int, *words: str) -> dict[str, Any]:
    assert (got.status, got.headers["content-type"]) == (status, "application/problem+json"), got.text
    assert got.json["status"] == status
    assert all(word in got.json["detail"] for word in words), got.json
    return got.json


def test_job_is_registered_at_once_and_counted_live_until_the_view_knows_it(service: Service) -> None:
    started = service.scan()
    assert started.status == 202
    job_id = started.json["job_id"]
    assert started.json == {
        "job_id": job_id,
        "status": "listing",
        "bucket": service.bucket,
        "prefix": "",
        "execution_arn": started.json["execution_arn"],
        "base_job": None,
    }
    assert started.json["execution_arn"].endswith(f":{job_id}-1")

    # The view has not met this job: it is counted live, and says so.
    young = get(f"/jobs/{job_id}").json
    assert (young["status"], young["progress"]["real_time"], young["progress"]["refreshed_at"]) == (
        "listing",
        True,
        None,
    )
    settle(using=service.feeder)
    service.feed(job_id)
    viewed, live = get(f"/jobs/{job_id}").json["progress"], get(f"/jobs/{job_id}", real_time="true").json["progress"]
    assert (viewed["real_time"], viewed["objects"]["listed"]) == (False, 0)
    assert viewed["refreshed_at"]
    assert (live["real_time"], live["objects"]["listed"], live["objects"]["pending"]) == (True, 5, 5)
    assert (live["total_is_final"], live["percent"]) == (True, 0.0)

    service.work(job_id)
    settle(using=service.feeder)
    ended, live = get(f"/jobs/{job_id}").json, get(f"/jobs/{job_id}", real_time="true").json
    assert (ended["status"], ended["total_findings"], ended["total_occurrences"]) == ("succeeded", 10, 10)
    assert (ended["progress"]["real_time"], ended["progress"]["percent"]) == (False, 100.0)
    again = service.scan(bucket=service.bucket, base_job="last").json
    assert again["base_job"] == get(f"/jobs/{again['job_id']}").json["base_job"]
    assert again["base_job"] == {"job_id": job_id, "used": True, "reason": None}
    for progress in (ended["progress"], live["progress"]):
        progress |= {"real_time": None, "refreshed_at": None}
    assert ended == live
    assert job_id in [job["job_id"] for job in get("/jobs", limit=3).json["jobs"]]


def test_incomplete_job_says_so_and_its_sums_are_those_of_the_ledger(service: Service) -> None:
    job_id = service.scan().json["job_id"]
    assert not get(f"/jobs/{job_id}").json["incomplete"]
    service.feed(job_id)
    service.common["objects"].denied.add((service.bucket, "a//b,3.txt"))
    service.work(job_id)
    settle(using=service.feeder)
    told = get(f"/jobs/{job_id}").json
    assert (told["status"], told["incomplete"]) == ("succeeded_with_failures", True)
    assert told["progress"]["outcomes"] == {"scanned": 4, "failed(denied)": 1}
    accounts = verify_job(UUID(job_id), using=service.feeder)
    assert accounts.agree
    counts = told["progress"]["objects"]
    assert {name: counts[name] for name in SUMMANDS} == {name: accounts.ledger[name] for name in SUMMANDS}
    assert sum(counts[name] for name in SUMMANDS) == counts["listed"] == 5
    assert (told["total_findings"], told["progress"]["bytes"]["done"]) == (
        accounts.ledger["findings"],
        accounts.ledger["bytes_done"],
    )


@pytest.fixture
def scanned(service: Service) -> str:
    job_id = service.scan().json["job_id"]
    service.feed(job_id)
    service.work(job_id)
    return job_id


def test_pages_hold_every_finding_once_in_order(scanned: str) -> None:
    pages, cursor = [], {}
    while True:
        page = get("/results", job_id=scanned, limit=3, **cursor).json
        pages.append(page["results"])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    found = [(finding["key"], finding["rule"]) for page in pages for finding in page]
    assert found == [(f"a//b,{n}.txt", rule) for n in range(5) for rule in ("contact.email", "us.ssn")]
    assert "219-09-1234" not in json.dumps(pages)


def test_filters_narrow_the_findings_together(service: Service, scanned: str) -> None:
    def found(**query: object) -> int:
        return len(get("/results", **query).json["results"])

    assert found(bucket=service.bucket) == 10
    assert found(bucket=service.bucket, rule="us.ssn") == 5
    assert found(job_id=scanned, key="a//b,3.txt") == 2
    assert found(job_id=scanned, key="a//b,3.txt", rule="us.ssn") == 1
    assert found(job_id=scanned, key="a/b,3.txt") == 0
    assert found(job_id=scanned, bucket="another-bucket") == 0


def test_cursor_of_another_query_or_of_nobody_is_refused(service: Service, scanned: str) -> None:
    cursor = get("/results", job_id=scanned, limit=3).json["next_cursor"]
    assert cursor
    for query in ({"job_id": scanned, "rule": "us.ssn"}, {"bucket": service.bucket}, {}):
        refused(get("/results", **query, cursor=cursor), 400, "does not belong to this query")
    refused(get("/jobs", cursor=cursor), 400, "does not belong to this query")
    for wrong in ("x", "é", "0" * 4000, cursor[:-4], cursor.swapcase(), "bnVsbA", "W10"):
        refused(get("/results", job_id=scanned, cursor=wrong), 400, "does not belong to this query")
    # The good one still is good.
    assert len(get("/results", job_id=scanned, limit=3, cursor=cursor).json["results"]) == 3


def test_jobs_are_paged_from_the_newest_on(service: Service) -> None:
    ids = [service.scan().json["job_id"] for _ in range(3)]
    first = get("/jobs", limit=2).json
    assert [job["job_id"] for job in first["jobs"]] == [ids[2], ids[1]]
    second = get("/jobs", limit=2, cursor=first["next_cursor"]).json
    assert second["jobs"][0]["job_id"] == ids[0]


def count_jobs(engine: Engine) -> int:
    with transaction(engine) as connection:
        return execute(connection, "select count(*) from jobs").scalar_one()


def test_what_cannot_be_found_is_a_404(service: Service, engine: Engine) -> None:
    before = count_jobs(engine)
    refused(service.scan(bucket="no-such-bucket"), 404, "no-such-bucket")
    unknown = uuid4()
    refused(get(f"/jobs/{unknown}"), 404, str(unknown))
    refused(get("/results", job_id=unknown), 404, str(unknown))
    assert count_jobs(engine) == before


def test_job_reaches_its_bucket_as_the_request_says_and_never_shows_the_external_id(service: Service) -> None:
    role = "arn:aws:iam::111122223333:role/s3scan"
    access = {"role_arn": role, "external_id": "told/to/nobody", "region": "eu-west-1"}
    refused(service.scan(bucket="theirs", access=access), 400, "S3SCAN_ALLOWED_ROLES")
    service.feeder = replace(
        service.feeder, settings=service.feeder.settings.model_copy(update={"allowed_roles": [role]})
    )
    refused(service.scan(bucket="theirs", access=access), 403, "Nothing is reached")
    service.feeder.objects.reached[Access(**access)] = FakeObjects({"theirs": {"a": TEXT}})
    started = service.scan(bucket="theirs", access=access)
    assert started.status == 202, started.text
    shown = get(f"/jobs/{started.json['job_id']}")
    expected = {"role_arn": role, "region": "eu-west-1", "endpoint_url": None}
    assert shown.json["access"] == {**expected, "requester_pays": False, "anonymous": False}
    assert "told/to/nobody" not in shown.text


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ({"role": "x"}, ["no such field"]),
        ({"requester_pays": "yes, please"}, ["requester_pays", "true or false"]),
        ([], ["access"]),
        ({"endpoint_url": "http://169.254.169.254/latest"}, ["endpoint_url", "nothing behind it"]),
        ({"endpoint_url": "http://169.254.169.254"}, ["S3SCAN_ALLOWED_ENDPOINTS"]),
        ({"endpoint_url": "file:///etc/passwd"}, ["endpoint_url"]),
        ({"role_arn": "arn:aws:iam::1:role/x"}, ["role_arn"]),
        ({"external_id": "abc"}, ["external_id", "role_arn"]),
        ({"region": "eu-west-1.evil.example/"}, ["region"]),
        ({"anonymous": True, "requester_pays": True}, ["anonymous"]),
    ],
)
def test_access_that_is_wrong_or_not_allowed_is_a_400_that_says_what(
    service: Service, engine: Engine, access: object, words: list[str]
) -> None:
    before = count_jobs(engine)
    refused(service.scan(bucket=service.bucket, access=access), 400, *words)
    assert count_jobs(engine) == before


def test_pattern_begins_jobs_and_the_account_shows_them(service: Service) -> None:
    objects = service.feeder.objects
    objects.buckets |= {f"many-{service.bucket}-{n}": {} for n in range(3)}
    objects.denied.add((f"many-{service.bucket}-1", None))
    body = json.dumps({"buckets": [f"many-{service.bucket}-*"]})
    started = answer(request("POST", "/scans", body=body))
    assert started.status == 202, started.text
    assert [job["bucket"][-1] for job in started.json["jobs"]] == ["0", "2"]
    assert [one["bucket"][-1] for one in started.json["not_started"]] == ["1"]
    page = get("/buckets", limit=1).json
    shown = list(page["buckets"])
    while page["next_cursor"]:
        page = get("/buckets", limit=1, cursor=page["next_cursor"]).json
        shown += page["buckets"]
    assert [one["bucket"] for one in shown] == sorted(objects.buckets)
    last = {one["bucket"]: one["last_scan"] for one in shown}
    assert last[f"many-{service.bucket}-0"]["job_id"] == started.json["jobs"][0]["job_id"]
    assert last[f"many-{service.bucket}-1"] is None
    refused(answer(request("POST", "/scans", body='{"buckets": ["no-such-*"]}')), 400, "no-such-*")
    refused(answer(request("POST", "/scans", body='{"buckets": ["no-such-bucket"]}')), 404, "no-such-bucket")
    refused(answer(request("GET", "/scans")), 405)


def test_dry_run_tells_the_cost_and_begins_nothing(service: Service, engine: Engine) -> None:
    before = count_jobs(engine)
    told = service.scan(bucket=service.bucket, dry_run=True, selection={"limit_objects": 2})
    assert told.status == 200, told.text
    assert told.json["objects"]["scanned"] == 2
    assert told.json["basis"]["limit_reached"] is True
    assert 0 < told.json["dollars_spot"] < told.json["dollars"]
    assert told.json["prices_as_of"]
    assert count_jobs(engine) == before
    refused(service.scan(bucket="no-such-bucket", dry_run=True), 404, "no-such-bucket")
    refused(service.scan(bucket=service.bucket, dry_run=True, base_job="last"), 400, "base_job")


def test_budget_is_shown_and_a_paused_job_gets_another(service: Service) -> None:
    started = service.scan(bucket=service.bucket, budget={"dollars": 2, "bytes": "1KB"})
    job_id = started.json["job_id"]
    assert get(f"/jobs/{job_id}").json["budget"] == {"dollars": 2.0, "bytes": 1024}
    assert answer(request("POST", f"/jobs/{job_id}/pause")).status == 200
    resumed = answer(request("POST", f"/jobs/{job_id}/resume", body='{"budget": {"dollars": 9}}'))
    assert (resumed.status, resumed.json["budget"]) == (200, {"dollars": 9.0})
    refused(service.scan(bucket=service.bucket, budget={"dollars": -1}), 400, "budget.dollars")


def test_selection_is_kept_with_the_job_and_shown(service: Service) -> None:
    selection = {"include_keys": ["*.csv"], "max_size_bytes": "1KB", "sample_percent": 5}
    started = service.scan(bucket=service.bucket, selection=selection)
    assert started.status == 202, started.text
    shown = get(f"/jobs/{started.json['job_id']}").json
    assert shown["selection"] == {
        "include_keys": ["*.csv"],
        "max_size_bytes": 1024,
        "sample_percent": 5.0,
        "sample_of": "objects",
        "sample_seed": "s3scan",
    }
    assert shown["limit_reached"] is False


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({"glob": "*.csv"}, ["no such field"]),
        ({"include_regexes": ["(?<=x)y"]}, ["include_regexes", "RE2", "pattern 1"]),
        ({"include_keys": "*.csv"}, ["include_keys", "list"]),
        ({"sample_percent": 0}, ["sample_percent", "above 0"]),
        ({"max_size_bytes": "big"}, ["max_size_bytes", "10MB"]),
        ({"kinds": ["spreadsheet"]}, ["kinds", "table"]),
    ],
)
def test_selection_that_is_wrong_is_a_400_that_says_what(
    service: Service, engine: Engine, selection: object, words: list[str]
) -> None:
    before = count_jobs(engine)
    refused(service.scan(bucket=service.bucket, selection=selection), 400, *words)
    assert count_jobs(engine) == before


def test_bad_requests_leave_no_job_behind(service: Service, engine: Engine) -> None:
    before = count_jobs(engine)
    for body in ("{", "[]", '"x"', "{}", '{"bucket": 7}', json.dumps({"bucket": service.bucket, "prefix": "a\0"})):
        refused(answer(request("POST", "/scan", body=body)), 400)
    refused(get("/jobs/not-a-uuid"), 400, "UUID")
    refused(get("/results", job_id="not-a-uuid"), 400, "UUID")
    refused(get("/results", limit=0), 400, "limit")
    assert count_jobs(engine) == before


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (Denied("The role needs states:StartExecution."), 403, "states:StartExecution"),
        (Unavailable("Step Functions does not answer."), 503, "does not answer"),
    ],
)
def test_job_whose_execution_cannot_start_is_failed_with_the_reason(
    service: Service, error: Exception, status: int, word: str
) -> None:
    service.common["executions"].error = error
    problem = refused(service.scan(), status, word)
    job = get("/jobs", limit=1).json["jobs"][0]
    # The problem names the job, which is no orphan.
    assert job["job_id"] in problem["detail"]
    assert (job["bucket"], job["status"], job["execution_arn"]) == (service.bucket, "failed", None)
    assert word in job["status_reason"]
    assert job["finished_at"]


def test_denied_bucket_is_a_403_that_names_the_permission(service: Service) -> None:
    service.common["objects"].denied.add((service.bucket, None))
    refused(service.scan(), 403, "s3:ListBucket")
