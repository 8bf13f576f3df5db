"""Shells complete commands and options."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scanner_tasks.cli import program

ROOT = Path(__file__).parents[2]


def completed(words: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = [sys.executable, "-m", "scanner_tasks.cli"]
    asked = {**environment, "_S3SCAN_COMPLETE": "complete_bash"}
    return subprocess.run(command, env=asked, capture_output=True, text=True, timeout=60, check=False).stdout.split()


def test_commands_and_options_are_completed() -> None:
    assert completed("s3scan jo") == ["jobs"]
    assert "retry-failed" in completed("s3scan jobs r")
    assert completed("s3scan scan --fa") == ["--fail-on"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_asks_the_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.run(["completion", shell]) == 0
    assert "_S3SCAN_COMPLETE" in capsys.readouterr().out
    assert program.run(["completion", "cmd"]) == 2
