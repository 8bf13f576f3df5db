"""A folder with everything that may lie in one, and the command as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
SSN = b"name,ssn\nJane Roe,512-44-1234\n"


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3SCAN_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; the folder to scan is ``data`` in it."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    (data / "sub").mkdir(parents=True)
    (data / "a.csv").write_bytes(SSN)
    (data / "sub" / "b.txt").write_bytes(b"ssn: 512-44-1299\n")
    (data / "empty").touch()
    (data / "link").symlink_to("/etc/passwd")
    os.mkfifo(data / "pipe")
    Path(os.fsdecode(os.fsencode(data) + b"/caf\xe9.txt")).write_bytes(b"nothing in it\n")
    (data / "broken.zip").write_bytes(b"PK\x03\x04" + b"\xff" * 60)
    return data


@pytest.fixture
def s3scan() -> Callable[..., SimpleNamespace]:
    def run(*arguments: object, given: bytes = b"", **more: str) -> SimpleNamespace:
        done = subprocess.run(  # noqa: PLW1510 (the status is what tests look at)
            [sys.executable, "-m", "scanner_tasks.cli", *map(str, arguments)],
            input=given,
            capture_output=True,
            env=environment(**more),
            timeout=120,
        )
        out = done.stdout.decode()
        found = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return SimpleNamespace(status=done.returncode, out=out, err=done.stderr.decode(), json=found)

    return run
