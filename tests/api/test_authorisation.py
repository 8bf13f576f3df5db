"""Who may do what: every route for every role, on a bucket that is his and on one that is not."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from api_lambda.permissions import NEEDS, Anyone
from api_lambda.routes import app, openapi_json
from scanner_tasks import bootstrap
from scanner_tasks.core import lanes
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.core.rights import HELD, Caller, Grant, Permission, Role, like_patterns
from scanner_tasks.core.rights_rules import hash_token, read_rights
from scanner_tasks.flow import buckets, control, read_results, redrive, triage
from scanner_tasks.flow.parts import for_caller
from scanner_tasks.flow.schedules import add_schedule
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.flow.watches import watch_bucket
from scanner_tasks.store.engine import execute, transaction
from tests.api.conftest import Answer, answer, request
from tests.flow.conftest import System, make_system

__all__ = ["make_system"]
SSN = b"name,ssn\nJane Roe,512-44-1234\n"
ADA = "arn:aws:sts::111122223333:assumed-role/security/ada"
ROLE = "arn:aws:iam::111122223333:role/security"


class Plant:
    """Two buckets alike, each with an ended job, findings and a dead letter."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system, self.monkeypatch = system, monkeypatch
        mark = uuid4().hex[:8]
        self.buckets = {"mine": f"mine-{mark}", "theirs": f"theirs-{mark}"}
        self.values: dict[str, dict[str, str]] = {}
        for bucket in self.buckets.values():
            system.objects.buckets[bucket] = {"a.csv": SSN, "b.csv": SSN}
            base, job, dead = (start_job(bucket, using=system.feeder).job_id for _ in range(3))
            for job_id in (base, job):
                system.run(job_id)
            system.feed(dead)
            lane = system.job(dead).job.lane
            body = system.queues.bodies(lane)[-1]
            system.queues.send(lanes.DLQ, [OutgoingMessage(body=body, group=bucket)])
            settle(using=system.feeder)
            with transaction(system.engine) as connection:
                letter = execute(
                    connection,
                    "select message_id from dead_letters d join jobs j using (job_no) where j.job_id = :id",
                    id=dead,
                ).scalar_one()
            page = read_results.get_results(job_id=job, limit=1, cursor=None, using=system.feeder)
            (finding,) = page.findings
            watch_bucket(bucket, using=system.feeder)
            add_schedule(bucket, "0 3 * * *", {"buckets": [bucket]}, using=system.feeder)
            self.values[bucket] = {
                "bucket": bucket,
                "name": bucket,
                "job_id": str(job),
                "base_id": str(base),
                "finding_id": str(finding.finding_id),
                "message_id": letter,
                "rule_id": "us.ssn",
                "fingerprint": finding.occurrences[0].fingerprint,
            }

    def grant(self, *grants: dict[str, Any], **others: Any) -> None:
        self.monkeypatch.setattr(bootstrap, "rights", lambda: read_rights(json.dumps({"grants": grants, **others})))

    def ask(self, method: str, path: str, bucket: str) -> Answer:
        values = self.values[bucket]
        bodies = {
            "/scan": {"bucket": bucket, "dry_run": True},
            "/scans": {"buckets": [bucket]},
            "/watches": {"bucket": bucket},
            "/schedules": {"name": bucket, "cron": "0 3 * * *", "buckets": [bucket]},
            "/detect": {"text": "ssn: 512-44-1234"},
            "/triage": {
                "bucket": bucket,
                "key": "a.csv",
                "rule": "us.ssn",
                "status": "accepted",
                "by": "x",
                "reason": "x",
            },
            "/dlq/{message_id}/discard": {"reason": "a test"},
        }
        body = json.dumps(bodies[path]) if path in bodies else None
        return answer(request(method, path.format(**values), body=body))


@pytest.fixture
def plant(make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> Plant:
    system = make_system()
    monkeypatch.setattr(bootstrap, "api", lambda: system.feeder)
    monkeypatch.setattr(bootstrap, "feeder", lambda: system.feeder)
    return Plant(system, monkeypatch)


@pytest.fixture
def grant(make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Sets the rights of an installation that has nothing in it."""
    system = make_system()
    monkeypatch.setattr(bootstrap, "api", lambda: system.feeder)

    def set_rights(document: str | None) -> None:
        monkeypatch.setattr(bootstrap, "rights", lambda: None if document is None else read_rights(document))

    return set_rights


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    routes = {(one.method, re.sub(r"<(\w+)>", r"{\1}", one.path)) for one in app._static_routes + app._dynamic_routes}
    assert {(method if isinstance(method, str) else method[0], path) for method, path in routes} == set(NEEDS)
    documented = json.loads(openapi_json())["paths"]
    assert {(m.upper(), path) for path, item in documented.items() for m in item} | {("GET", "/openapi.json")} == set(
        NEEDS
    )


def test_security_document_has_the_table_of_routes_and_roles() -> None:
    told = (Path(__file__).parents[2] / "SECURITY.md").read_text()
    for (method, path), need in NEEDS.items():
        marks = [
            " x " if need is Anyone.KNOWN or need is Anyone.ANY_ROLE or need in HELD[role] else "   " for role in Role
        ]
        assert f"| `{method} {path}` |{'|'.join(marks)}|" in told


def test_role_reaches_what_it_holds_on_its_buckets_and_nothing_of_others(plant: Plant) -> None:
    mine, theirs = plant.buckets["mine"], plant.buckets["theirs"]
    # What an admin deletes is deleted at the very end.
    walk = sorted(NEEDS.items(), key=lambda each: each[0][0] == "DELETE")
    for role, ((method, path), need) in itertools.product(Role, walk):
        plant.grant({"principals": [ROLE], "role": role, "buckets": ["mine-*"]})
        told = plant.ask(method, path, mine)
        may = isinstance(need, Anyone) or need in HELD[role]
        assert (told.status == 403) != may, (method, path, told.text)
        assert told.status != 404, (method, path, told.text)
        assert theirs not in told.text
        if ("{" in path and "rule_id" not in path) or path in {"/scan", "/scans", "/triage"}:
            others = plant.ask(method, path, theirs)
            hidden = others.status in {403, 404} or others.json == {"marks": []}
            assert hidden, (method, path, others.text)


def test_every_list_and_search_leaves_out_what_belongs_to_others(plant: Plant) -> None:
    plant.grant({"principals": [ROLE], "role": "admin", "buckets": ["mine-*"]})
    mine, theirs = plant.buckets["mine"], plant.buckets["theirs"]
    secret = plant.values[theirs]["fingerprint"]
    queries = [
        *(("/jobs", ""), ("/buckets", ""), ("/dlq", "state=all"), ("/audit", ""), ("/results", "")),
        *(("/results", f"fingerprint={secret}"), ("/results", "rule=us.ssn"), ("/results", "triage=accepted")),
    ]
    plant.ask("POST", "/triage", mine)
    triage.mark_finding(
        bucket=theirs,
        key="a.csv",
        rule="us.ssn",
        status="accepted",
        marked_by="x",
        reason="x",
        using=plant.system.feeder,
    )
    for path, query in queries:
        cursor, text = "", ""
        while True:
            page = answer(request("GET", path, f"{query}{cursor}&limit=2"))
            assert page.status == 200, page.text
            text += page.text
            if page.json["next_cursor"] is None:
                break
            cursor = f"&cursor={page.json['next_cursor']}"
        assert mine in text, (path, query)
        assert theirs not in text, (path, query)
        if path == "/results":
            assert answer(request("GET", path, f"bucket={theirs}")).json["results"] == []
            assert answer(request("GET", path, f"job_id={plant.values[theirs]['job_id']}")).status == 404


def test_cursor_of_one_caller_shows_another_no_more(plant: Plant) -> None:
    plant.grant({"principals": [ROLE], "role": "viewer"})
    cursor = answer(request("GET", "/results", "limit=1")).json["next_cursor"]
    plant.grant({"principals": [ROLE], "role": "viewer", "buckets": ["mine-*"]})
    assert answer(request("GET", "/results", f"limit=1&cursor={cursor}")).status == 400


def test_other_ways_in_are_shut_too(plant: Plant) -> None:
    """A pattern of buckets, a base job, a comparison, an inventory of a bucket that is not his."""
    plant.grant({"principals": [ROLE], "role": "operator", "buckets": ["mine-*"]})
    mine, theirs = plant.buckets["mine"], plant.buckets["theirs"]
    started = answer(request("POST", "/scans", body=json.dumps({"buckets": ["*"]})))
    assert {job["bucket"] for job in started.json["jobs"]} | {one["bucket"] for one in started.json["not_started"]} == {
        bucket for bucket in plant.system.objects.buckets if bucket.startswith("mine-")
    }
    other_job = plant.values[theirs]["job_id"]
    for body in (
        {"bucket": mine, "base_job": other_job},
        {"bucket": mine, "inventory": f"s3://{theirs}/x/manifest.json"},
        {"bucket": theirs, "dry_run": True},
    ):
        assert answer(request("POST", "/scan", body=json.dumps(body))).status in {403, 404}, body
    assert answer(request("GET", f"/jobs/{plant.values[mine]['job_id']}/compare/{other_job}")).status == 404


def test_flows_ask_even_where_no_gate_stands_before_them(plant: Plant) -> None:
    mine, theirs = plant.buckets["mine"], plant.buckets["theirs"]
    viewer = Caller(name="v", grants=(Grant(role=Role.VIEWER),))
    using = for_caller(plant.system.feeder, viewer)
    job_id = UUID(plant.values[theirs]["job_id"])
    for do in (
        lambda: start_job(mine, using=using),
        lambda: control.pause_job(job_id, using=using),
        lambda: control.retry_failed(job_id, using=using),
        lambda: control.pause_all(using=using),
        lambda: redrive.retry_letter(plant.values[mine]["message_id"], using=using),
        lambda: list(redrive.discard_letters(redrive.LetterFilter(), reason="x", using=using)),
        lambda: buckets.meant_buckets([mine], using=using),
    ):
        with pytest.raises(Exception, match="needs the permission"):
            do()
    wanted = read_results.finding_filter(bucket=mine)
    assert list(triage.mark_all(wanted, status="fixed", marked_by="v", reason="x", using=using)) == []


def test_nobody_is_let_in_once_rights_are_set(plant: Plant) -> None:
    plant.grant({"principals": ["arn:aws:iam::111122223333:role/other"], "role": "admin"})
    for (method, path), need in NEEDS.items():
        told = plant.ask(method, path, plant.buckets["mine"])
        assert told.status == (200 if need is Anyone.KNOWN else 403), (method, path)


TOKEN = "s3scan_a-token-of-the-tests"


def local(*, host: str = "127.0.0.1:8000", source: str = "127.0.0.1", path: str = "/jobs", **headers: str) -> Answer:
    made = request("GET", path)
    del made["requestContext"]["authorizer"]
    made["requestContext"]["http"]["sourceIp"] = source
    made["headers"] |= {"host": host, **headers}
    return answer(made)


def test_token_gets_what_is_granted_to_it_and_no_other_gets_anything(plant: Plant) -> None:
    plant.grant({"principals": ["token:ci"], "role": "viewer", "buckets": ["mine-*"]}, tokens={"ci": hash_token(TOKEN)})
    mine, theirs = plant.buckets["mine"], plant.buckets["theirs"]
    told = local(authorization=f"Bearer {TOKEN}")
    assert (told.status, mine in told.text, theirs in told.text) == (200, True, False)
    assert local(authorization=f"bearer  {TOKEN} ").status == 200
    for wrong in ({}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": f"Basic {TOKEN}"}):
        refused = local(**wrong)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer realm="s3scan"')
        assert refused.headers["content-type"] == "application/problem+json"


def test_without_rights_this_machine_is_let_in_and_no_page_of_another_site(
    grant: Callable[[str | None], None],
) -> None:
    grant(None)
    assert local().status == 200
    assert local(host="localhost:9000", origin="http://localhost:9000").status == 200
    assert local(source="192.0.2.10").status == 401, "from elsewhere, unsigned"
    assert local(host="evil.example:8000").status == 401, "a name that was bent to this machine"
    assert local(origin="https://evil.example").status == 401, "a page of another site"
    assert answer(request("GET", "/jobs")).status == 200, "whom IAM lets through is admin"


def test_audit_log_says_who_did_what_and_what_was_refused(plant: Plant) -> None:
    mine = plant.buckets["mine"]
    plant.grant({"principals": [ROLE], "role": "admin", "buckets": ["mine-*"]})
    started = answer(request("POST", "/scan", body=json.dumps({"bucket": mine, "prefix": "secret-key/"}))).json[
        "job_id"
    ]
    answer(request("POST", f"/jobs/{started}/pause"))
    answer(request("POST", f"/jobs/{started}/pause"))
    plant.ask("POST", "/triage", mine)
    plant.grant({"principals": [ROLE], "role": "viewer", "buckets": ["mine-*"]})
    answer(request("POST", f"/jobs/{started}/cancel", body="{}"))
    assert answer(request("GET", "/audit")).status == 403
    plant.grant({"principals": [ROLE], "role": "admin"})
    told = answer(request("GET", "/audit", f"bucket={mine}"))
    by_us = [one for one in told.json["entries"] if one["caller"] == ADA]
    finding = plant.values[mine]["finding_id"]
    assert [(one["action"], one["outcome"], one["job_id"], one["target"]) for one in by_us] == [
        ("POST /jobs/{job_id}/cancel", "not_allowed", started, None),
        ("finding.triage", "done", plant.values[mine]["job_id"], finding),
        ("POST /jobs/{job_id}/pause", "conflict", started, None),
        ("job.pause", "done", started, None),
        ("job.start", "done", started, None),
    ]
    assert {(one["via"], one["request_id"]) for one in by_us} == {("api", "r-1")}
    of_job = answer(request("GET", "/audit", f"job_id={started}")).json["entries"]
    assert [(one["action"], one["outcome"]) for one in of_job] == [
        ("POST /jobs/{job_id}/cancel", "not_allowed"),
        ("POST /jobs/{job_id}/pause", "conflict"),
        ("job.pause", "done"),
        ("job.start", "done"),
    ]
    assert "secret-key" not in told.text
    assert "a.csv" not in told.text
    pages, cursor = [], ""
    while len(pages) < 50:
        page = answer(request("GET", "/audit", f"job_id={started}&limit=1{cursor}")).json
        pages += page["entries"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert pages == of_job


def test_audit_entry_and_change_are_there_together_or_not_at_all(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = start_job(plant.buckets["mine"], using=plant.system.feeder).job_id
    monkeypatch.setattr(control.audit, "add_entry", lambda *_, **__: 1 / 0)
    assert answer(request("POST", f"/jobs/{job_id}/pause")).status == 500
    assert str(plant.system.job(job_id).job.status) == "listing"


def test_old_audit_entries_are_forgotten(make_system: Callable[..., System]) -> None:
    system = make_system()
    start_job(system.bucket, using=system.feeder)
    with transaction(system.engine) as connection:
        execute(connection, "update audit_log set at = now() - interval '401 days'")
    settle(using=system.feeder)
    with transaction(system.engine) as connection:
        assert execute(connection, "select count(*) from audit_log").scalar_one() == 0


def test_wrong_rights_document_lets_nobody_in(grant: Callable[[str | None], None]) -> None:
    grant('{"grants": [{"principals": ["*"], "role": "root"}]}')
    assert answer(request("GET", "/jobs")).status == 500
    assert local().status == 500


def test_patterns_mean_the_same_in_python_and_in_the_database(engine: Any) -> None:
    patterns = ("team-*", "a?b", "x_y", "100%", "exact")
    caller = Caller(name="x", grants=(Grant(role=Role.VIEWER, buckets=patterns),))
    names = ["team-", "team-a", "myteam-a", "acb", "ab", "x_y", "xzy", "100%", "1000", "exact", "exactly"]
    with transaction(engine) as connection:
        statement = "select cast(:name as text) like any(cast(:scope as text[]))"
        scope = like_patterns(caller.patterns(Permission.READ))
        told = [execute(connection, statement, name=name, scope=scope).scalar_one() for name in names]
    assert told == [caller.may(Permission.READ, name) for name in names]
