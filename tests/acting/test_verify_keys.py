"""Keys that were found are asked of AWS only when somebody says so; no secret is told, kept or logged."""

from __future__ import annotations

import json
import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from scanner_tasks import settings
from scanner_tasks.aws.key_check import KeyCheck, check_key
from scanner_tasks.cli import program
from scanner_tasks.core.key_pairs import KeyPair, pairs_of
from scanner_tasks.core.redact import Secret
from scanner_tasks.detect.aws_accounts import account_of
from scanner_tasks.flow.verify_keys import Asker
from scanner_tasks.local.emulator import Emulator

from .conftest import Acting

#: Made up; the account within is 111122223333.
KEY = "AKIARTZVQKU2WJ3NXM4L"
SECRET = "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"


def error_of(code: str, status: int) -> str:
    """A server on loopback that refuses every request so; its URL."""

    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    Thread(target=server.serve_forever, daemon=True).start()
    SERVERS.append(server)
    return f"http://127.0.0.1:{server.server_port}"


SERVERS: list[ThreadingHTTPServer] = []


@pytest.fixture(autouse=True)
def _stop() -> object:
    yield
    while SERVERS:
        server = SERVERS.pop()
        server.shutdown()
        server.server_close()


def test_account_is_read_from_the_id_without_any_network() -> None:
    assert account_of("ASIAQNZGKIQY56JQ7WML") == "029608264753"  # published
    assert account_of("AKIAIOSFODNN7EXAMPLE") is None  # of before 2019
    assert account_of("AKIA") is None
    assert account_of("AKIA!!!!!!!!!!!!!!!!") is None


@pytest.mark.parametrize(
    ("code", "status", "state"),
    [
        ("InvalidClientTokenId", 403, "dead"),
        ("SignatureDoesNotMatch", 403, "dead"),
        ("ExpiredToken", 400, "dead"),
        ("AccessDenied", 403, "unknown"),
        ("ServiceUnavailable", 503, "unknown"),
    ],
)
def test_what_sts_refuses_is_dead_and_what_it_does_not_answer_unknown(code: str, status: int, state: str) -> None:
    pair = KeyPair(access_key_id=KEY, secret=Secret(SECRET))
    assert check_key(pair, region="us-east-1", endpoint_url=error_of(code, status)) == KeyCheck(
        state=state, reason=code
    )


def test_live_key_tells_account_and_kind_without_its_name(emulator: Emulator) -> None:
    told = check_key(
        KeyPair(access_key_id="test", secret=Secret("test")), region="us-east-1", endpoint_url=emulator.endpoint_url
    )
    assert (told.state, told.account, told.arn_type) == ("live", "000000000000", "root")


def test_nearest_secret_belongs_to_an_id_and_temporary_keys_need_their_token() -> None:
    text = f"{KEY} x {SECRET}" + " " * 1100 + f"{KEY[:-1]}Q"
    ids = [("aws.access_key_id", 0, 20, 1), ("aws.access_key_id", len(text) - 20, len(text), 1)]
    pairs = pairs_of(text, [*ids, ("aws.secret_access_key", 23, 63, 1)])
    assert [(pair.access_key_id, pair.secret.reveal()) for pair in pairs] == [(KEY, SECRET)]
    assert pairs_of("ASIA" + text[4:], [ids[0], ("aws.secret_access_key", 23, 63, 1)]) == []


def test_each_pair_is_asked_once_at_the_rate_and_up_to_the_limit() -> None:
    asked, slept = [], []
    asker = Asker(
        lambda pair: asked.append(pair.access_key_id) or KeyCheck(state="dead", reason="x"),
        per_s=2,
        limit=2,
        sleep=slept.append,
        clock=lambda: 0.0,
    )
    pairs = [KeyPair(access_key_id=f"AKIA{n:016d}", secret=Secret(SECRET)) for n in (1, 1, 2, 3)]
    assert [asker.ask("o", pair).state for pair in pairs] == ["dead", "dead", "dead", "not_asked"]
    assert (len(asked), slept) == (2, [0.5])


def test_jobs_keys_are_asked_only_with_the_switch_and_no_secret_is_told(
    acting: Acting,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    body = f"aws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n".encode()
    acting.put("config", body)
    job = acting.scan()
    environment.setenv("AWS_ENDPOINT_URL", error_of("InvalidClientTokenId", 403))
    settings.load.cache_clear()
    file = tmp_path / "config"
    file.write_bytes(body + b"x" * 2000 + b"\nAWS_ACCESS_KEY_ID=AKIARTZVQKU2WJ3NXM5Q\n")
    try:
        assert program.run(["verify", str(job)]) == 2
        assert "--ask-aws" in capsys.readouterr().err
        for target, states in ((job, ["dead"]), (file, ["dead", "not_asked"])):
            assert program.run(["verify", str(target), "--ask-aws", "--json", "--rate", "10"]) == 0
            out = capsys.readouterr()
            told = [json.loads(line) for line in out.out.splitlines() if line.startswith('{"name"')]
            assert [one["state"] for one in told] == states
            assert told[0]["account"] == account_of(KEY)
            assert told[0]["masked"].startswith("AKIA*")
            assert SECRET not in out.out + out.err + caplog.text
            assert KEY not in out.out + out.err
    finally:
        settings.load.cache_clear()
    found = acting.feeder
    assert found is not None
