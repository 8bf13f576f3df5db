"""Tags, quarantine, redacted copies and public access: done, repeated, killed, undone, and never to another object."""

from __future__ import annotations

import csv
import io
import json
from uuid import uuid4

import pytest

from scanner_tasks.core import lanes
from scanner_tasks.core.errors import Conflict, InvalidInput, NotAllowed
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.core.rights import Caller, Grant, Role
from scanner_tasks.flow import redrive
from scanner_tasks.flow.acting import quarantine
from scanner_tasks.flow.acting.plan import PlanNotFound, list_plans
from scanner_tasks.flow.acting.run import run_plan
from scanner_tasks.flow.acting.work import act
from scanner_tasks.flow.settle import settle
from scanner_tasks.store import audit
from scanner_tasks.store.engine import transaction

from .conftest import Acting, Killed

SSN = b"name,ssn\nJane Roe,512-44-1234\n"
CHANGED = b"name,ssn\nJohn Roe,512-44-1299\n"
ODD = ("a//b.csv", "/lead.csv", "x/../y.csv", "new\nline.csv", "é+%2F ?&.csv")


def test_plan_does_nothing_and_every_object_is_a_step_once(acting: Acting) -> None:
    acting.put("a.csv", SSN + b"x,someone@corp.org\n")
    acting.put("b.csv", SSN)
    acting.put("clean.txt", b"nothing")
    plan = acting.plan("tag", tags={"s3scan": "personal"})
    assert {key: (step.findings, step.state) for key, step in acting.steps(plan).items()} == {
        "a.csv": (2, "planned"),
        "b.csv": (1, "planned"),
    }
    assert acting.tags("a.csv") == {}
    assert not acting.system.queues.receive("actions", 10, 0)


@pytest.mark.parametrize("key", ODD)
def test_object_with_an_odd_key_is_tagged_moved_and_brought_back(acting: Acting, key: str) -> None:
    acting.put(key, SSN)
    job = acting.scan()
    assert acting.run(acting.plan("tag", job, tags={"s3scan": "personal"}))[key].state == "done"
    assert acting.tags(key) == {"s3scan": "personal"}
    plan = acting.plan("quarantine", job)
    assert acting.run(plan)[key].state == "done"
    assert acting.body(acting.bucket, key) == quarantine.MARKER
    assert acting.keys(acting.other) == [f"{plan.plan_id}/{key}"]
    assert acting.run(plan, is_undo=True)[key].state == "undone"
    assert acting.body(acting.bucket, key) == SSN
    assert acting.tags(key) == {"s3scan": "personal"}
    assert acting.keys(acting.other) == []


def test_tags_of_others_stay_and_more_than_ten_are_told(acting: Acting) -> None:
    acting.put("own.csv", SSN, Tagging="team=a&s3scan=old")
    acting.put("full.csv", SSN, Tagging="&".join(f"t{n}=1" for n in range(10)))
    acting.put("has.csv", SSN, Tagging="s3scan=personal")
    plan = acting.plan("tag", tags={"s3scan": "personal"})
    steps = acting.run(plan)
    assert {key: (step.state, step.reason) for key, step in steps.items()} == {
        "own.csv": ("done", None),
        "full.csv": ("failed", "too_many_tags"),
        "has.csv": ("skipped", "already"),
    }
    assert acting.tags("own.csv") == {"team": "a", "s3scan": "personal"}
    assert len(acting.tags("full.csv")) == 10
    acting.s3.put_object_tagging(
        Bucket=acting.bucket,
        Key="own.csv",
        Tagging={"TagSet": [{"Key": "s3scan", "Value": "personal"}, {"Key": "later", "Value": "1"}]},
    )
    assert acting.run(plan, is_undo=True)["own.csv"].state == "undone"
    assert acting.tags("own.csv") == {"s3scan": "old", "later": "1"}
    assert acting.tags("has.csv") == {"s3scan": "personal"}


def test_tags_go_to_the_scanned_version(acting: Acting) -> None:
    acting.s3.put_bucket_versioning(Bucket=acting.bucket, VersioningConfiguration={"Status": "Enabled"})
    acting.put("a.csv", SSN)
    version = acting.s3.head_object(Bucket=acting.bucket, Key="a.csv")["VersionId"]
    plan = acting.plan("tag", tags={"s3scan": "personal"})
    acting.faults.before("PutObjectTagging", lambda: acting.put("a.csv", CHANGED))
    assert acting.run(plan)["a.csv"].state == "done"
    assert acting.tags("a.csv") == {}
    assert acting.tags("a.csv", VersionId=version) == {"s3scan": "personal"}


@pytest.mark.parametrize("action", ["tag", "quarantine", "redact"])
def test_object_that_changed_or_went_since_the_scan_is_not_touched(acting: Acting, action: str) -> None:
    acting.put("changed.csv", SSN)
    acting.put("gone.csv", SSN)
    plan = acting.plan(action, **({"tags": {"s3scan": "personal"}} if action == "tag" else {}))
    acting.put("changed.csv", CHANGED)
    acting.s3.delete_object(Bucket=acting.bucket, Key="gone.csv")
    steps = acting.run(plan)
    assert {key: (step.state, step.reason) for key, step in steps.items()} == {
        "changed.csv": ("skipped", "changed"),
        "gone.csv": ("skipped", "gone"),
    }
    assert acting.body(acting.bucket, "changed.csv") == CHANGED
    assert acting.keys(acting.other) == []
    assert acting.tags("changed.csv") == {}


def test_object_overwritten_while_it_is_tagged_loses_our_tags_again(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    plan = acting.plan("tag", tags={"s3scan": "personal"})
    acting.faults.before("PutObjectTagging", lambda: acting.put("a.csv", CHANGED, Tagging="team=b"))
    step = acting.run(plan)["a.csv"]
    assert (step.state, step.reason) == ("skipped", "changed")
    assert "s3scan" not in acting.tags("a.csv")


@pytest.mark.parametrize("operation", ["CopyObject", "PutObject", "DeleteObject"])
def test_object_overwritten_during_quarantine_stays_and_no_copy_is_left(acting: Acting, operation: str) -> None:
    acting.put("a.csv", SSN)
    plan = acting.plan("quarantine", replace_by="delete" if operation == "DeleteObject" else "marker")
    acting.faults.before(operation, lambda: acting.put("a.csv", CHANGED))
    step = acting.run(plan)["a.csv"]
    assert (step.state, step.reason) == ("skipped", "changed")
    assert acting.body(acting.bucket, "a.csv") == CHANGED
    assert acting.keys(acting.other) == []


def test_nothing_is_replaced_without_a_verified_copy(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    acting.put("a.csv", SSN)
    plan = acting.plan("quarantine")
    target = f"{plan.plan_id}/a.csv"
    copy = acting.actor.actions.copy

    def broken(*given, **more):
        copy(*given, **more)
        acting.s3.put_object(Bucket=acting.other, Key=target, Body=CHANGED)  # of the same length

    monkeypatch.setattr(acting.actor.actions, "copy", broken)
    step = acting.run(plan)["a.csv"]
    assert (step.state, step.reason) == ("failed", "not_verified")
    assert acting.body(acting.bucket, "a.csv") == SSN
    assert acting.keys(acting.other) == []


def test_large_object_is_copied_in_parts_with_headers_and_tags_and_read_to_verify(acting: Acting) -> None:
    body = SSN + b"filler line\n" * 450_000
    acting.put("large.csv", body, Metadata={"owner": "ada"}, ContentType="text/csv", Tagging="team=a")
    plan = acting.plan("quarantine", replace_by="delete", target_prefix="held/")
    assert acting.run(plan)["large.csv"].state == "done"
    assert acting.faults.calls.count("UploadPartCopy") == 2
    assert acting.keys(acting.bucket) == []
    target = f"held/{plan.plan_id}/large.csv"
    there = acting.s3.get_object(Bucket=acting.other, Key=target)
    assert there["Body"].read() == body
    assert (there["Metadata"], there["ContentType"], there["TagCount"]) == ({"owner": "ada"}, "text/csv", 1)
    assert acting.run(plan, is_undo=True)["large.csv"].state == "undone"
    assert acting.body(acting.bucket, "large.csv") == body
    assert acting.tags("large.csv") == {"team": "a"}


def test_version_with_the_values_goes_too(acting: Acting) -> None:
    acting.s3.put_bucket_versioning(Bucket=acting.bucket, VersioningConfiguration={"Status": "Enabled"})
    acting.put("a.csv", SSN)
    plan = acting.plan("quarantine")
    assert acting.run(plan)["a.csv"].state == "done"
    versions = acting.s3.list_object_versions(Bucket=acting.bucket)["Versions"]
    assert [acting.body(acting.bucket, "a.csv", VersionId=one["VersionId"]) for one in versions] == [quarantine.MARKER]
    assert acting.run(plan, is_undo=True)["a.csv"].state == "undone"
    assert acting.body(acting.bucket, "a.csv") == SSN


@pytest.mark.parametrize(
    ("action", "operation"),
    [
        ("tag", "PutObjectTagging"),
        ("quarantine", "CopyObject"),
        ("quarantine", "PutObject"),
        ("redact", "PutObject"),
        ("block_public", "PutPublicAccessBlock"),
    ],
)
def test_worker_killed_between_s3_and_its_commit_is_continued(
    acting: Acting, released: None, action: str, operation: str
) -> None:
    acting.put("a.csv", SSN, Tagging="team=a")
    plan = acting.plan(action, **({"tags": {"s3scan": "personal"}} if action == "tag" else {}))
    acting.send(plan)
    acting.faults.kill_after(operation)
    with pytest.raises(Killed):
        acting.deliver()
    (step,) = acting.steps(plan).values()
    assert step.state == "running"
    acting.send(plan)
    acting.deliver()
    (step,) = acting.steps(plan).values()
    assert (step.state, step.attempt) == ("done", 2)
    if action == "quarantine":
        assert acting.body(acting.other, f"{plan.plan_id}/a.csv") == SSN
        assert acting.body(acting.bucket, "a.csv") == quarantine.MARKER
    acting.faults.kill_after({"quarantine": "CopyObject", "redact": "DeleteObject"}.get(action, operation))
    acting.send(plan, is_undo=True)
    if action != "block_public":
        with pytest.raises(Killed):
            acting.deliver()
        acting.send(plan, is_undo=True)
    acting.deliver()
    assert next(iter(acting.steps(plan).values())).state == "undone"
    assert acting.body(acting.bucket, "a.csv") == SSN
    assert acting.tags("a.csv") == {"team": "a"}
    assert acting.keys(acting.other) == []


def test_message_delivered_twice_acts_once(acting: Acting) -> None:
    for n in range(3):
        acting.put(f"{n}.csv", SSN)
    plan = acting.plan("quarantine")
    acting.send(plan)
    acting.send(plan)
    told = acting.deliver(copies=2)
    assert told[0] == "{'done': 3}"
    assert set(told[1:]) == {"{'not_open': 3}"}
    assert acting.faults.calls.count("CopyObject") == 3


def test_step_in_another_workers_hands_is_left_to_it(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    plan = acting.plan("tag", tags={"s3scan": "personal"})
    acting.send(plan)
    acting.faults.kill_after("PutObjectTagging")
    with pytest.raises(Killed):
        acting.deliver()
    acting.send(plan)
    assert set(acting.deliver()) == {"unavailable: 0 steps must be tried again, 1 are in another worker's hands."}


def test_outage_of_s3_brings_the_message_again(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    acting.put("b.csv", SSN)
    plan = acting.plan("quarantine")
    acting.send(plan)
    acting.faults.answer("CopyObject", 503)
    assert acting.deliver() == ["unavailable: 1 steps must be tried again, 0 are in another worker's hands."]
    states = {key: step.state for key, step in acting.steps(plan).items()}
    assert states == {"a.csv": "planned", "b.csv": "done"}
    acting.send(plan)
    acting.deliver()
    assert acting.steps(plan)["a.csv"].state == "done"


def test_denied_is_told_with_the_permission(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    plan = acting.plan("tag", tags={"s3scan": "personal"})
    acting.faults.answer("PutObjectTagging", 403)
    step = acting.run(plan)["a.csv"]
    assert (step.state, step.reason, step.detail) == (
        "failed",
        "denied",
        "S3 refused: the role needs s3:PutObjectTagging.",
    )


def test_undo_leaves_what_others_did_since(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    acting.put("b.csv", SSN)
    plan = acting.plan("quarantine")
    acting.run(plan)
    acting.put("a.csv", CHANGED)
    acting.s3.delete_object(Bucket=acting.other, Key=f"{plan.plan_id}/b.csv")
    steps = acting.run(plan, is_undo=True)
    assert {key: (step.state, step.reason) for key, step in steps.items()} == {
        "a.csv": ("undo_failed", "changed"),
        "b.csv": ("undo_failed", "copy_gone"),
    }
    assert acting.body(acting.bucket, "a.csv") == CHANGED
    assert acting.keys(acting.other) == [f"{plan.plan_id}/a.csv"]


def test_redacted_copies_hold_no_value_and_keep_their_form(acting: Acting) -> None:
    people = {
        "people": [
            {"name": "Jane", "ssn": "512-44-1234", "mail": "jane\\u002eroe@corp.org"},
            {"card": 4532015112830366},
        ]
    }
    text = json.dumps(people).replace("\\\\u002e", "\\u002e")
    objects = {
        "a.csv": b'name,"ssn"\r\n"Roe, Jane",512-44-1234\r\n',
        "b.json": text.encode(),
        "c.jsonl": b'{"ssn": "512-44-1234"}\n{"ssn": "512-44-1299"}\n',
        "d.txt": "\ufeffDear Zoë, ssn 512-44-1234.\nBye".encode(),
    }
    for key, body in objects.items():
        acting.put(key, body, ContentType="text/plain")
    acting.put("e.csv.gz", __import__("gzip").compress(SSN))
    plan = acting.plan("redact", target_prefix="clean/")
    steps = acting.run(plan)
    assert {key: (step.state, step.reason) for key, step in steps.items()} == {
        **dict.fromkeys(objects, ("done", None)),
        "e.csv.gz": ("skipped", "unsupported"),
    }
    made = {key: acting.body(acting.other, f"clean/{key}") for key in objects}
    assert made["a.csv"] == b'name,"ssn"\r\n"Roe, Jane",***********\r\n'
    assert [len(row) for row in csv.reader(io.StringIO(made["a.csv"].decode()))] == [2, 2]
    read = json.loads(made["b.json"])
    assert read["people"][0]["ssn"] == "***********"
    assert "roe" not in made["b.json"].decode()
    assert read["people"][1]["card"] is None
    assert made["c.jsonl"] == b'{"ssn": "***********"}\n{"ssn": "***********"}\n'
    assert made["d.txt"].decode() == "\ufeffDear Zoë, ssn ***********.\nBye"
    assert {key: acting.body(acting.bucket, key) for key in objects} == objects
    assert acting.run(plan, is_undo=True)["a.csv"].state == "undone"
    assert acting.keys(acting.other) == []


def test_redacted_copy_never_takes_the_place_of_another_object(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    acting.s3.put_object(Bucket=acting.other, Key="a.csv", Body=b"mine")
    plan = acting.plan("redact")
    assert acting.run(plan)["a.csv"].reason == "target_exists"
    assert acting.body(acting.other, "a.csv") == b"mine"
    with pytest.raises(InvalidInput, match="another bucket or a prefix"):
        acting.plan("redact", target_bucket=acting.bucket)


def test_public_access_is_blocked_and_the_former_state_comes_back(acting: Acting) -> None:
    former = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    acting.put("a.csv", SSN)
    acting.s3.put_public_access_block(Bucket=acting.bucket, PublicAccessBlockConfiguration=former)
    plan = acting.plan("block_public")
    assert acting.run(plan)[""].state == "done"
    block = lambda: acting.s3.get_public_access_block(Bucket=acting.bucket)["PublicAccessBlockConfiguration"]  # noqa: E731
    assert all(block().values())
    assert acting.run(plan, is_undo=True)[""].state == "undone"
    assert block() == former


def test_actions_are_off_unless_the_deployment_has_them(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    plan = acting.plan("tag", tags={"s3scan": "personal"})
    off = acting.system.settings.model_copy(update={"actions": False})
    with pytest.raises(Conflict, match="S3SCAN_ACTIONS"):
        run_plan(plan.plan_id, who="ada", using=acting.system.make_feeder(actions=False))
    object.__setattr__(acting.actor, "settings", off)
    with pytest.raises(Conflict, match="S3SCAN_ACTIONS"):
        act(plan.plan_id, [0], is_undo=False, using=acting.actor)
    assert acting.tags("a.csv") == {}


@pytest.mark.parametrize(
    ("action", "options", "advice"),
    [
        ("tag", {"tags": {}}, "tags: give 1 to 10"),
        ("tag", {"tags": {"aws:x": "1"}}, "does not begin with aws:"),
        ("tag", {"tags": {"a": "b!"}}, "letters, digits"),
        ("quarantine", {"target_bucket": ""}, "to: give the bucket"),
        ("quarantine", {"replace_by": "nothing"}, "replace_by: give marker or delete"),
    ],
)
def test_wrong_option_is_refused_before_anything_is_kept(
    acting: Acting, action: str, options: dict, advice: str
) -> None:
    acting.put("a.csv", SSN)
    job = acting.scan()
    with pytest.raises(InvalidInput, match=advice):
        acting.plan(action, job, **options)
    with pytest.raises(InvalidInput, match="No finding matches"):
        acting.plan("tag", job, {"rule": "none"}, tags={"a": "b"})
    with pytest.raises(InvalidInput, match="another bucket"):
        acting.plan("quarantine", job, target_bucket=acting.bucket)
    assert uuid4() != job


def test_dead_letter_of_an_action_goes_back_to_its_queue(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    plan = acting.plan("tag", tags={"s3scan": "personal"})
    acting.send(plan)
    (message,) = acting.system.queues.receive(lanes.ACTIONS, 10, 0)
    acting.system.queues.delete(lanes.ACTIONS, [message.receipt])
    acting.system.queues.send(lanes.DLQ, [OutgoingMessage(body=message.body, group=acting.bucket)])
    settle(using=acting.feeder)
    (letter,) = [
        one
        for one in redrive.every_letter(redrive.LetterFilter(), using=acting.feeder)
        if one.task == "scanner_tasks.act"
    ]
    assert redrive.retry_letter(letter.message_id, using=acting.feeder).result == "sent"
    assert acting.deliver() == ["{'done': 1}"]


def test_only_an_admin_of_both_buckets_plans_and_runs_and_it_is_in_the_audit_log(acting: Acting) -> None:
    acting.put("a.csv", SSN)
    job = acting.scan()

    def as_(*grants: Grant) -> None:
        object.__setattr__(acting.feeder, "caller", Caller(name="eve", grants=grants))

    as_(Grant(role=Role.OPERATOR))
    with pytest.raises(NotAllowed):
        acting.plan("tag", job, tags={"a": "b"})
    as_(Grant(role=Role.ADMIN, buckets=(acting.bucket,)))
    with pytest.raises(NotAllowed):
        acting.plan("quarantine", job)
    plan = acting.plan("tag", job, tags={"a": "b"})
    acting.send(plan)
    as_(Grant(role=Role.VIEWER, buckets=(acting.bucket,)))
    with pytest.raises(NotAllowed):
        acting.send(plan, is_undo=True)
    assert [one.plan_id for one in list_plans(using=acting.feeder)] == [plan.plan_id]
    as_(Grant(role=Role.ADMIN, buckets=("other",)))
    assert list_plans(using=acting.feeder) == []
    with pytest.raises(PlanNotFound):
        acting.steps(plan)
    with transaction(acting.feeder.engine) as connection:
        entries = audit.read_entries(connection, before=None, limit=9, job_id=str(job), caller="eve")
    assert [(one.action, one.target) for one in entries] == [
        ("action.run", f"tag {plan.plan_id}"),
        ("action.plan", f"tag {plan.plan_id}"),
    ]
