"""`s3scan serve`: the page follows the job, marks reach the ledger, nobody else reaches either."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import pytest

from api_lambda.handler import handler
from scanner_tasks import bootstrap, results, triage_history
from scanner_tasks.cli.remote import Remote
from scanner_tasks.core.rights_rules import hash_token, read_rights
from scanner_tasks.local.api_server import make_server
from scanner_tasks.rules.load import read_pack
from scanner_tasks.rules.pack import Source
from scanner_tasks.serve.ask import in_process
from tests.flow.conftest import System

from .conftest import Serve, live_of

SSN = b"name,ssn\nJane Roe,512-44-%d\n"

#: An id that nothing has: the same in every process that collects these tests.
NOBODY = UUID(int=7)


@pytest.fixture
def job(system: System) -> UUID:
    system.put({f"a//{n}.csv": SSN % (1200 + n) for n in range(5)} | {"broken.zip": b"PK\x03\x04" + b"\xff" * 60})
    job_id = system.start()
    system.run(job_id)
    return job_id


def test_page_is_told_everything_once_and_then_what_changed(system: System, serve: Serve) -> None:
    system.put({f"{n}.csv": SSN % (1200 + n) for n in range(3)})
    job_id = system.start()
    page = serve(job_id)
    before = page.news()
    assert (before["job"]["has_ended"], before["rows"], before["problem"]) == (False, [], None)
    system.run(job_id)
    news = page.news(before["version"])
    assert news["since"] == before["version"]
    assert [row[2] for row in news["rows"]] == ["0.csv", "1.csv", "2.csv"]
    assert any("Why not higher" in line for line in news["explanations"][0])
    assert (news["job"]["has_ended"], news["job"]["percent"]) == (True, 100)
    assert "3 listed = 3 scanned" in json.dumps(news["parts"]["coverage"])
    assert set(page.news(news["version"])) == {"version", "job", "problem", "user", "allow_file"}
    assert "512-44" not in json.dumps(news)
    # A version of another server, or none: everything.
    assert len(page.news(99)["rows"]) == 3


def test_mark_from_the_page_is_a_mark_of_the_ledger(job: UUID, serve: Serve) -> None:
    page = serve(job)
    news = page.news()
    row = next(row for row in news["rows"] if row[2] == "a//3.csv")
    wanted = {"bucket": news["buckets"][row[1]], "key": row[2], "rule": news["rules"][row[3]][0], "status": "accepted"}
    status, _, mark = page.ask("POST", "/api/triage", wanted | {"by": "ada", "reason": "a test person"})
    assert (status, mark["status"]) == (200, "accepted")
    told = page.news(news["version"])
    assert [(one[0], one[7]) for one in told["rows"]] == [(row[0], "accepted")]
    assert [(str(one.status), one.reason) for one in triage_history(row[0])] == [("accepted", "a test person")]
    assert page.ask("GET", f"/api/triage/{row[0]}")[2]["marks"][0]["by"] == "ada"
    status, _, problem = page.ask("POST", "/api/triage", wanted | {"status": "gone", "by": "a", "reason": "b"})
    assert status == 400
    assert "status" in problem["detail"]


def test_allow_list_entry_is_made_of_a_finding(job: UUID, serve: Serve, tmp_path: Path) -> None:
    page = serve(job)
    finding = next(iter(results(job_id=job)))
    entry = page.ask("GET", f"/api/findings/{finding.finding_id}/allow-list")[2]
    marks = [place.fingerprint for place in finding.occurrences]
    assert (entry["fingerprints"], entry["complete"]) == (marks, True)
    pack = read_pack(Source(name="a.toml", content=entry["toml"].encode()))
    assert [sorted(one.allow.values) for one in pack.allow] == [marks]
    for added in (1, 0):
        _, _, done = page.ask("POST", "/allow", {"finding_id": str(finding.finding_id), "reason": 'our "test" people'})
        assert done == {"file": "allowed.toml", "added": added, "fingerprints": 1}
    text = (tmp_path / "allowed.toml").read_text()
    assert marks[0] in text
    assert "512-44" not in text
    assert page.ask("POST", "/allow", {"finding_id": str(finding.finding_id), "reason": " "})[0] == 400
    assert page.ask("POST", "/allow", {"finding_id": str(uuid4()), "reason": "r"})[0] == 400


def test_nothing_is_told_without_token_or_under_another_name(job: UUID, serve: Serve) -> None:
    page = serve(job)
    status, headers, text = page.ask("GET", "/", Authorization=None)
    assert status == 200
    assert "a//3.csv" not in text
    assert page.server.token not in text
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    meta = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', text).group(1)
    assert headers["Content-Security-Policy"].startswith(meta)
    assert "connect-src 'self'" in meta
    for refused, given in (
        (401, {"Authorization": None}),
        (401, {"Authorization": "Bearer wrong"}),
        (421, {"Host": "attacker.example"}),
        (421, {"Host": f"attacker.example:{page.server.port}"}),
        (403, {"Origin": "http://attacker.example"}),
    ):
        assert page.ask("GET", "/live?since=0", **given)[0] == refused
        assert page.ask("POST", "/api/triage", {"a": 1}, **given)[0] == refused
    assert page.ask("GET", "/", Host="attacker.example")[0] == 421
    assert page.ask("GET", "/live", Origin=f"http://localhost:{page.server.port}")[0] == 200


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/api/jobs", 404),
        ("GET", "/api/results", 404),
        ("POST", "/api/scan", 404),
        ("POST", f"/api/jobs/{NOBODY}/cancel", 404),
        ("GET", f"/api/findings/{NOBODY}/explain?x=1", 404),
        ("GET", f"/api/findings/{NOBODY}/explain", 404),
        ("GET", "/etc/passwd", 404),
        ("PUT", "/api/triage", 501),
    ],
)
def test_page_reaches_only_what_it_needs(job: UUID, serve: Serve, method: str, target: str, status: int) -> None:
    assert serve(job).ask(method, target, {"a": 1} if method == "POST" else None)[0] == status


def test_body_that_is_too_long_or_no_json_is_refused(job: UUID, serve: Serve) -> None:
    page = serve(job)
    assert page.ask("POST", "/api/triage", {"a": "b" * 100_001})[0] == 400
    assert page.ask("POST", "/api/triage", [1])[0] == 400
    assert page.ask("POST", "/api/triage", {"a": 1}, Content_Type="text/plain")[0] == 415


def test_page_keeps_what_it_has_while_the_api_is_away(job: UUID, serve: Serve) -> None:
    from api_lambda.handler import handler  # noqa: PLC0415

    away = False
    real = in_process(handler)
    page = serve(job, ask=lambda *given: (503, {"detail": "The database is away."}) if away else real(*given))
    news = page.news()
    away = True
    told = page.news(news["version"], again=True)
    assert (told["version"], told["problem"]) == (news["version"], "The database is away.")
    assert told["job"] == news["job"]
    away = False
    assert page.news(news["version"])["problem"] is None


def test_finding_that_went_is_told_and_a_comparison_follows(system: System, serve: Serve) -> None:
    system.put({"moves.csv": SSN % 1234, "stays.csv": SSN % 1299})
    first = system.start()
    system.run(first)
    system.objects.buckets[system.bucket]["elsewhere.csv"] = system.objects.buckets[system.bucket].pop("moves.csv")
    second = system.start()
    system.run(second)
    news = serve(second, against=first).news()
    assert "0 new, 0 fixed, 1 moved" in json.dumps(news["parts"]["compared"])
    live = live_of(second)
    version = live.since(0)["version"]
    live._findings = live._findings[:1]
    live._show()
    told = live.since(version)
    assert (len(told["gone"]), told["rows"]) == (1, [])


def test_command_prints_where_to_look_and_ends(system: System, job: UUID) -> None:
    settings = system.feeder.settings
    url = system.feeder.engine.url.render_as_string(hide_password=False)
    started = subprocess.Popen(
        [sys.executable, "-m", "scanner_tasks.cli", "serve", str(job), "--for-s", "20", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"DATABASE_URL": url, "S3SCAN_FINGERPRINT_KEY": settings.fingerprint_key.get_secret_value()},
    )
    try:
        address, _, token = json.loads(started.stdout.readline())["url"].partition("#")
        asked = Request(address + "live?since=0", headers={"Authorization": f"Bearer {token}"})
        with urlopen(asked, timeout=20) as answer:
            assert len(json.load(answer)["rows"]) == 5
    finally:
        started.terminate()
        started.communicate()


def test_page_is_served_over_an_api_elsewhere_within_the_rights_of_its_token(
    job: UUID, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "s3scan_a-token-of-the-tests"
    document = {"grants": [{"principals": ["token:t"], "role": "viewer"}], "tokens": {"t": hash_token(token)}}
    monkeypatch.setattr(bootstrap, "rights", lambda: read_rights(json.dumps(document)))
    api = make_server(0, handler)
    thread = threading.Thread(target=api.serve_forever, daemon=True)
    thread.start()
    try:
        monkeypatch.setenv("S3SCAN_API_TOKEN", token)
        page = serve(job, ask=Remote(f"http://127.0.0.1:{api.server_address[1]}").ask)
        news = page.news()
        assert len(news["rows"]) == 5
        row = news["rows"][0]
        mark = {"bucket": news["buckets"][row[1]], "key": row[2], "rule": "us.ssn", "status": "fixed", "reason": "r"}
        status, _, problem = page.ask("POST", "/api/triage", mark | {"by": "ada"})
        assert status == 400
        assert "triage" in problem["detail"]
        assert triage_history(row[0]) == ()
        monkeypatch.setenv("S3SCAN_API_TOKEN", "wrong")
        live = live_of(job, ask=Remote(f"http://127.0.0.1:{api.server_address[1]}").ask)
        assert live.since(0)["problem"]
    finally:
        api.shutdown()
        api.server_close()
        thread.join()
