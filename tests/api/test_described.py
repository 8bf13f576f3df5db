"""The API does what its own description says: schemathesis sends what that allows, and what not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from api_lambda.openapi import describe
from api_lambda.routes import app
from scanner_tasks import bootstrap
from scanner_tasks.core.rights_rules import hash_token, read_rights
from scanner_tasks.local.api_server import make_server
from tests.flow.conftest import System, make_system

__all__ = ["make_system"]
DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
TOKEN = "s3scan_a-token-of-the-tests"
#: A cursor, a pattern or a number of an occurrence may be right in form and wrong here: 400 is the right answer then.
EXCLUDED = "positive_data_acceptance"


@pytest.fixture
def url(make_system: Callable[..., System], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The API on a loopback port, with a job in it."""
    from api_lambda.handler import handler  # noqa: PLC0415 (as the other API tests)

    system = make_system(estimate_list_s=0.1)
    system.bucket = f"described-{uuid4()}"
    system.objects.buckets = {system.bucket: {"a.csv": b"name,ssn\nJane Roe,512-44-1234\n"}, "my-bucket": {"a": b"x"}}
    system.run(system.start())
    document = {"grants": [{"principals": ["token:t"], "role": "admin"}], "tokens": {"t": hash_token(TOKEN)}}
    monkeypatch.setattr(bootstrap, "api", lambda: system.feeder)
    monkeypatch.setattr(bootstrap, "feeder", lambda: system.feeder)
    monkeypatch.setattr(bootstrap, "rights", lambda: read_rights(json.dumps(document)))
    server = make_server(0, handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_document_that_is_checked_in_is_the_one_that_is_served() -> None:
    assert json.loads(DOCUMENT.read_text()) == describe(app), "python -m api_lambda.openapi > docs/openapi.json"


@pytest.mark.timeout(900)
def test_answers_are_as_described_whatever_is_asked(url: str, tmp_path: Path) -> None:
    command = [
        *(str(Path(sys.executable).with_name("st")), "run", f"{url}/openapi.json", "--url", url),
        *("--header", f"Authorization: Bearer {TOKEN}", "--seed", "20261130", "--workers", "1", "--max-examples", "5"),
        *("--phases", "examples,coverage,fuzzing", "--checks", "all", "--exclude-checks", EXCLUDED),
        *("--generation-deterministic", "--warnings", "off", "--no-color"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
