"""One contract, two backends: a command prints the same, and ends the same, over the API and on the database."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from api_lambda.handler import handler
from scanner_tasks import bootstrap
from scanner_tasks.cli import program, remote
from scanner_tasks.core import lanes
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.core.rights_rules import hash_token, read_rights
from scanner_tasks.flow.heart import Heart
from scanner_tasks.flow.settle import settle
from scanner_tasks.local.api_server import make_server
from scanner_tasks.store.engine import execute, transaction
from tests.flow.conftest import System

SSN = b"name,ssn\nJane Roe,512-44-1234\n"
TOKEN = "s3scan_a-token-of-the-tests"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def api(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The API on a loopback port, for the holder of a token."""
    document = {"grants": [{"principals": ["token:t"], "role": "admin"}], "tokens": {"t": hash_token(TOKEN)}}
    monkeypatch.setattr(bootstrap, "rights", lambda: read_rights(json.dumps(document)))
    server = make_server(0, handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def one_of(
    api: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., SimpleNamespace]:
    """Runs a command on the database, or over the API."""

    def run(over_api: bool, *arguments: object) -> SimpleNamespace:
        monkeypatch.setenv("S3SCAN_API", api if over_api else "")
        monkeypatch.setenv("S3SCAN_API_TOKEN", TOKEN)
        capsys.readouterr()
        status = program.run([str(one) for one in arguments])
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if not line.startswith('{"')]  # without log lines
        return SimpleNamespace(status=status, out=said.out, err=errors)

    return run


@pytest.fixture
def both(one_of: Callable[..., SimpleNamespace]) -> Callable[..., tuple[SimpleNamespace, SimpleNamespace]]:
    """Runs a command on the database and over the API."""
    return lambda *arguments: (one_of(False, *arguments), one_of(True, *arguments))


def told(one: SimpleNamespace) -> Any:
    """What was printed: JSON by what it says, whatever the order of its fields."""
    try:
        return [json.loads(line) for line in one.out.splitlines()]
    except ValueError:
        return one.out


def test_what_is_read_is_printed_alike(system: System, both: Callable[..., Any], tmp_path: Any) -> None:
    system.put(
        {f"a//{n}.csv": SSN for n in range(3)} | {"broken.zip": b"PK\x03\x04" + b"\xff" * 60, "odd\x1b.csv": SSN}
    )
    base = system.start()
    system.run(base)
    system.put({"a//0.csv": SSN * 2, "new.csv": SSN})
    job = system.start()
    system.run(job)
    dead = system.start()
    system.feed(dead)
    body = system.queues.bodies(system.job(dead).job.lane)[-1]
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=body, group=system.bucket)])
    settle(using=system.feeder)
    Heart(system.engine, version="1", slots=10, busy=lambda: 4).beat()
    finding = json.loads(both("results", "--job", job, "--limit", 1, "--json")[0].out)["finding_id"]
    why = ("--reason", "x")
    commands: list[tuple[object, ...]] = [
        *(("jobs", "list", "--limit", 2), ("jobs", "show", job), ("jobs", "watch", job)),
        *(("jobs", "watch", job, base, job), ("jobs", "list", "--active"), ("ops", "workers")),
        *(("jobs", "coverage", job), ("jobs", "coverage", job, "--outcome", "partial", "--limit", 1)),
        *(("jobs", "compare", job, base), ("jobs", "compare", job, base, "--objects", "--limit", 1)),
        *(("results", "--job", job), ("results", "--job", job, "--rule", "us.ssn", "--severity", "high", "--limit", 2)),
        *(
            ("explain", finding),
            ("explain", finding, "--occurrence", 99),
            ("rules", "list"),
            ("rules", "show", "us.ssn"),
        ),
        *(("dlq", "list", "--by", by) for by in ("error", "job", "bucket", "task", "colour")),
        *(("dlq", "list", "--job", dead), ("estimate", system.bucket), ("audit", "--job", job)),
        *(("triage", "history", finding), ("triage", "mark", "fixed", "--reason", "x", "--job", job, "--dry-run")),
        *(("triage", "mark", "gone", "--reason", "x", "--job", job), ("triage", "mark", "fixed", "--reason", "x")),
        *(("buckets",), ("buckets", "--never-scanned"), ("watches", "list"), ("schedules", "list")),
        *(("schedules", "show", "no-such"), ("schedules", "pause", "no-such"), ("watches", "remove", "no-such")),
        *(("jobs", "delete", NOBODY), ("jobs", "delete", dead), ("triage", "allow", NOBODY, tmp_path / "a.toml", *why)),
        *(("jobs", "show", NOBODY), ("results", "--job", NOBODY), ("explain", NOBODY), ("rules", "show", "us.nope")),
        *(
            ("dlq", "show", "nope"),
            ("jobs", "show", "x"),
            ("results", "--fingerprint", "x"),
            ("jobs", "coverage", NOBODY),
        ),
    ]
    for command in commands:
        for suffix in ((), ("--json",)):
            here, there = both(*command, *suffix)
            assert (there.status, there.err) == (here.status, here.err), command
            assert told(there) == told(here), command
    here, there = both("report", job, "-o", tmp_path / "report.html", "--against", base, "--json")
    assert told(here) == told(there)


def test_findings_are_exported_alike(system: System, both: Callable[..., Any]) -> None:
    system.put({"a//b.csv": SSN, "c.csv": SSN * 2, "broken.zip": b"PK\x03\x04" + b"\xff" * 60})
    job = system.start()
    system.run(job)
    export = ("export", job, "--format")
    for command in (
        *((*export, form) for form in ("jsonl", "sarif", "ocsf", "slack")),
        *((*export, "csv", "--severity", "low"), (*export, "csv", "--triage", "gone"), ("export", NOBODY)),
    ):
        here, there = both(*command)
        assert (there.status, there.err, there.out) == (here.status, here.err, here.out), command
        assert here.status or here.out


def test_jobs_are_started_and_steered_alike(system: System, one_of: Callable[..., SimpleNamespace]) -> None:
    system.put({"a.csv": SSN})
    steps: dict[bool, list[Any]] = {}
    for over_api in (False, True):
        run = partial(one_of, over_api)
        start = ("jobs", "start", system.bucket, "--include-keys", "*.csv", "--budget-dollars", "2")
        job = run(*start).out.strip()
        said = [run(*start, "--json"), run("jobs", "start-many", system.bucket), run("jobs", "start", "no-such-bucket")]
        steering = (
            *(("pause", job), ("pause", job), ("resume", job, "--budget-dollars", "3"), ("resume", job)),
            *(("cancel", job, "--reason", "a test"), ("cancel", job, "--json"), ("retry-failed", job), ("resume", job)),
        )
        said += [run("jobs", *words) for words in steering]
        shown = json.loads(run("jobs", "show", job, "--live", "--json").out)
        assert (shown["selection"], shown["budget"]) == ({"include_keys": ["*.csv"]}, {"dollars": 3.0})
        plain = [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27,}", "ID", f"{one.status} {one.out} {one.err}") for one in said]
        steps[over_api] = [" ".join(one.split()) for one in plain]
    assert steps[False] == steps[True]


def test_findings_are_marked_and_allowed_and_jobs_deleted_alike(
    system: System, one_of: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    steps: dict[bool, list[Any]] = {}
    for over_api in (False, True):
        run = partial(one_of, over_api)
        system.put({f"a/{n}\x1b.csv": SSN for n in range(3)})
        job = str(system.start())
        system.run(UUID(job))
        finding = json.loads(run("results", "--job", job, "--limit", 1, "--json").out)["finding_id"]
        pack = tmp_path / f"{over_api}.toml"
        why = ("--reason", "x")
        mark = ("triage", "mark", "accepted", "--by", "ada", "--reason", "a test", "--job", job)
        said = [
            *(run(*mark, "--prefix", "a/1"), run("results", "--job", job, "--triage", "accepted", "--json")),
            *(run(*mark, "--json"), run("triage", "history", finding, "--json")),
            run("triage", "mark", "open", "--by", "eve", "--reason", "it is real", "--job", job),
            *(run("triage", "allow", finding, pack, *why), run("triage", "allow", finding, pack, *why, "--json")),
            *(run("jobs", "delete", job), run("jobs", "show", job), run("jobs", "delete", job, "--json")),
        ]
        steps[over_api] = [_nameless(one, str(pack), system.bucket) for one in said]
        settle(using=system.feeder)
    assert len(steps[True][2].splitlines()) >= 3
    # Marks of the second turn stand beside those of the first.
    steps[True][3] = "\n".join(steps[True][3].splitlines()[: len(steps[False][3].splitlines())])
    assert steps[False] == steps[True]


def test_watches_and_schedules_are_kept_alike(system: System, one_of: Callable[..., SimpleNamespace]) -> None:
    steps: dict[bool, list[Any]] = {}
    for over_api in (False, True):
        run = partial(one_of, over_api)
        system.put({"a.csv": SSN})
        options = ("--extensions", "csv", "--budget-objects", "9")
        add = ("schedules", "add", "weekly", "0 3 * * MON", system.bucket, "--base-job", "last", "--extensions", "csv")
        said = [
            *(run("watches", "add", system.bucket, "in/", *options), run("watches", "add", system.bucket, "--json")),
            *(run("watches", "list"), run("watches", "list", "--json"), run("watches", "add", "no-such-bucket")),
            *(run("watches", "remove", system.bucket), run("watches", "remove", system.bucket)),
            *(run(*add), run(*add), run("schedules", "list"), run("schedules", "show", "weekly", "--json")),
            *(run("schedules", "run-now", "weekly"), run("schedules", "run-now", "weekly")),
            *(run("schedules", "show", "weekly"), run("schedules", "pause", "weekly")),
            *(run("schedules", "list", "--json"), run("schedules", "resume", "weekly")),
            *(run("schedules", "show", "weekly", "--json"), run("schedules", "remove", "weekly", "--json")),
            *(run("schedules", "remove", "weekly"), run("schedules", "add", "w", "daily", system.bucket)),
        ]
        steps[over_api] = [_nameless(one, system.bucket) for one in said]
        with transaction(system.engine) as connection:
            execute(connection, "delete from schedules")
            execute(connection, "update jobs set finished_at = now() where finished_at is null")
    assert steps[False] == steps[True]


def _nameless(one: SimpleNamespace, *names: str) -> str:
    """What was said, without ids, moments, callers and these names."""
    lines = [json.dumps(json.loads(line), sort_keys=True) if line[:1] == "{" else line for line in one.out.splitlines()]
    text = "\n".join([str(one.status), *lines, *one.err])
    for name in names:
        text = text.replace(name, "NAME")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27,}", "ID", text)
    text = re.sub(r"\b(system|token:t)\b", "CALLER", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][0-9:.]+Z?", "MOMENT", text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_buckets_of_another_account_are_not_shown_by_the_api(api: str, one_of: Callable[..., SimpleNamespace]) -> None:
    refused = one_of(True, "buckets", "--role-arn", "arn:aws:iam::111122223333:role/reader")
    assert refused.status == 2
    assert "leave the options of access out" in refused.err[0]


def test_dead_letters_are_retried_and_discarded_alike(system: System, one_of: Callable[..., SimpleNamespace]) -> None:
    steps: dict[bool, list[Any]] = {}
    for over_api in (False, True):
        run = partial(one_of, over_api)
        with transaction(system.engine) as connection:
            execute(connection, "delete from dead_letters")
        system.put({"a.csv": SSN})
        job = system.start()
        system.feed(job)
        body = system.queues.bodies(system.job(job).job.lane)[-1]
        system.queues.send(lanes.DLQ, [OutgoingMessage(body=body, group=system.bucket)])
        settle(using=system.feeder)
        with transaction(system.engine) as connection:
            execute(
                connection,
                "insert into dead_letters (message_id, body, receive_count, error)"
                " select 'x' || n, 'garbage', 4, 'Unavailable: away' from generate_series(1, 3) n",
            )
        said = [
            run("dlq", "retry", "--job", job),
            run("dlq", "retry", "--error", "Unavailable: away", "--json"),
            run("dlq", "discard", "x1", "--reason", "a test"),
            run("dlq", "discard", "--error", "Unavailable: away", "--reason", "a test"),
            run("dlq", "discard", "x1", "--reason", " "),
            run("dlq", "list", "--state", "discarded", "--json"),
        ]
        moments = {"arrived_at", "state_at"}
        steps[over_api] = [
            (one.status, one.err, [_without(line, moments) if isinstance(line, dict) else line for line in told(one)])
            for one in said
        ]
    assert steps[False] == steps[True]


def _without(line: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in names}


DATABASE_ONLY = [
    *(("db", "verify", NOBODY), ("ops", "pause-all"), ("act", "log")),
    *(("jobs", "delete", NOBODY, "--wait"), ("dlq", "export")),
]


@pytest.mark.parametrize("command", DATABASE_ONLY, ids=lambda command: " ".join(command[:2]))
def test_command_of_the_database_says_so_in_one_line(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S3SCAN_API", "http://127.0.0.1:9")
    assert program.run(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "works on the database itself" in line


@pytest.mark.parametrize(
    ("address", "token", "words"),
    [
        ("ftp://127.0.0.1", "", "address of the API"),
        ("nowhere", "", "address of the API"),
        ("http://api.example", "t", "not sent in the clear"),
    ],
)
def test_wrong_address_is_refused(address: str, token: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3SCAN_API_TOKEN", token)
    with pytest.raises(InvalidInput, match=words):
        remote.Remote(address)


def test_what_does_not_answer_or_is_no_api_is_one_line(
    api: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_TRIES", 0)
    for address, token, words in (
        ("http://127.0.0.1:9", "", "does not answer"),
        (api, "wrong", "token is not known"),
        (f"{api}/stage", TOKEN, "No such path"),
    ):
        monkeypatch.setenv("S3SCAN_API", address)
        monkeypatch.setenv("S3SCAN_API_TOKEN", token)
        capsys.readouterr()
        assert program.run(["jobs", "list"]) == 1
        lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith('{"')]
        assert len(lines) == 1
        assert words in lines[0]


def test_request_to_aws_is_signed_for_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S3SCAN_API_TOKEN", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    sent: list[dict[str, Any]] = []

    def request(method: str, url: str, **given: Any) -> SimpleNamespace:
        sent.append({"method": method, "url": url, **given})
        return SimpleNamespace(status=200, data=b'{"job_id": "1"}')

    api = remote.Remote("https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/")
    monkeypatch.setattr(api._pool, "request", request)
    api.get("/jobs", limit=5)
    api.post("/scan", {"bucket": "b", "prefix": None})
    assert "/eu-west-1/execute-api/aws4_request" in sent[0]["headers"]["Authorization"]
    assert sent[0]["url"].endswith("amazonaws.com/jobs?limit=5")
    assert json.loads(sent[1]["body"]) == {"bucket": "b"}
    assert sent[1]["headers"]["Idempotency-Key"]
