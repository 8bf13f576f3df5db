"""Environments are made from their lock files, once, and failures say what to do. Nothing here installs anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scanner_tasks.local import environments
from scanner_tasks.local.environments import Environment, explain_failure

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    locks = (tmp_path / "app.txt", tmp_path / "dev.txt")
    for lock in locks:
        lock.write_text("a==1 --hash=sha256:00")
    environment = Environment(name="test", folder=tmp_path / "venv", locks=locks)
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    return environment


def test_an_environment_holds_the_lock_its_stamp_names(environment: Environment) -> None:
    app, dev = environment.locks
    assert not environment.holds(app)
    environment.stamp.write_text(environment.stamp_text(app))
    assert environment.holds(app)
    assert not environment.holds(dev)


def test_a_developers_environment_is_good_enough_for_the_demo(environment: Environment) -> None:
    app, dev = environment.locks
    environment.stamp.write_text(environment.stamp_text(dev))
    assert environment.holds(app)
    assert environment.holds(dev)


def test_a_changed_lock_file_makes_it_outdated(environment: Environment) -> None:
    app, dev = environment.locks
    environment.stamp.write_text(environment.stamp_text(app))
    assert not environment.is_outdated()
    dev.write_text("a==2 --hash=sha256:11")
    assert not environment.holds(app)
    assert environment.is_outdated()


def test_an_interrupted_installation_is_made_anew(environment: Environment) -> None:
    environment.stamp.write_text("unfinished")
    assert environment.is_outdated()


def test_an_environment_that_is_not_ours_is_not_deleted(environment: Environment) -> None:
    assert not environment.is_outdated()


def test_an_environment_whose_python_is_gone_holds_nothing(environment: Environment) -> None:
    app, _ = environment.locks
    environment.stamp.write_text(environment.stamp_text(app))
    environment.python.unlink()
    environment.python.symlink_to("/gone/python")
    assert not environment.holds(app)


def test_the_developers_lock_contains_the_applications_with_equal_versions() -> None:
    app, dev = (
        {line.split(" ")[0] for line in lock.read_text().splitlines() if "==" in line}
        for lock in environments.APPLICATION.locks
    )
    assert app < dev


def test_every_locked_package_has_hashes() -> None:
    for lock in (*environments.APPLICATION.locks, *environments.EMULATOR.locks):
        entries = lock.read_text().replace("\\\n", " ").splitlines()
        assert all("--hash=sha256:" in entry for entry in entries if entry.strip() and not entry.startswith("#"))


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (
            "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",
            "could not be reached",
        ),
        ("error: Failed to fetch: `https://…`\n  Caused by: dns error", "could not be reached"),
        ("WARNING: Retrying … NewConnectionError …\nERROR: No matching distribution found", "could not be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the one that was locked"),
        ("ERROR: No matching distribution found for kombu==5.7.0", "has no build for Python"),
        ("something else", "the installation failed"),
    ],
)
def test_a_failed_installation_is_explained(output: str, cause: str) -> None:
    message = explain_failure("application", Path("x.log"), output)
    assert cause in message.splitlines()[0]
    assert "x.log" in message
    assert output.splitlines()[-1] in message


def demo(*arguments: str, script: Path = ROOT / "demo.py", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], **env},
        check=False,
    )


def test_a_folder_that_is_none_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    done = demo("--from", str(tmp_path / "missing"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("missing is not a folder\n")


def test_an_old_python_is_told_in_one_line_when_there_is_no_newer_one(tmp_path: Path) -> None:
    old = (ROOT / "demo.py").read_text().replace("OLDEST = (3, 11)", "OLDEST = (9, 9)")
    (tmp_path / "demo.py").write_text(old)
    done = demo(script=tmp_path / "demo.py", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("demo.py: Python 3.11 or newer is needed")
    assert done.stderr.count("\n") == 1


def test_an_old_python_hands_over_to_a_newer_one_on_the_path(tmp_path: Path) -> None:
    old = (ROOT / "demo.py").read_text().replace("sys.version_info >= OLDEST", "False")
    (tmp_path / "demo.py").write_text(old)
    newer = tmp_path / "python3.13"
    newer.write_text('#!/bin/sh\necho "handed over: $*"\n')
    newer.chmod(0o755)
    done = demo("--keep", script=tmp_path / "demo.py", PATH=str(tmp_path))
    assert "handed over: -IS" in done.stdout
    assert "environments.py --keep" in done.stdout


def test_the_gate_is_readable_for_an_old_python() -> None:
    """No annotations, f-strings or newer syntax before the version is checked."""
    text = (ROOT / "demo.py").read_text()
    for newer in ('f"', "->", ":=", "match ", "from __future__"):
        assert newer not in text
