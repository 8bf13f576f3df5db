"""The demo as a newcomer sees it: the whole pipeline, started, judged and stopped by its one command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scanner_tasks.local.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="watches processes through /proc"),
]


class Demo:
    """A running demo and everything that it started, recognised by a folder of its own that they all name."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.mark = folder
        self.output: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scanner_tasks.local.demo", "--state", str(folder / "state" / "demo"), *options],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def read_until(self, text: str) -> None:
        """Take lines up to the first that holds the text."""
        assert self._process.stdout
        for line in self._process.stdout:
            self.output.append(line)
            if text in line:
                return
        pytest.fail(f"the demo ended without saying {text!r}:\n{self.text}")

    def wait(self) -> int:
        """Take the rest and wait; the exit status."""
        assert self._process.stdout
        if not self._process.stdout.closed:
            self.output += self._process.stdout
            self._process.stdout.close()
        return self._process.wait()

    def kill(self, signum: int) -> None:
        """Send a signal to the demo itself only."""
        self._process.send_signal(signum)

    @property
    def text(self) -> str:
        """All that it printed so far."""
        return "".join(self.output)

    def living(self, containing: str = "") -> list[int]:
        """Processes that it started and that still run, the demo itself left out."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environ = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            pid = int(folder.name)
            ours = f"TMPDIR={self.mark}".encode() in environ or str(self.mark) in command
            if ours and containing in command and pid != self._process.pid:
                found.append(pid)
        return found


@pytest.fixture
def demo(scratch: Path) -> Iterator[Callable[..., Demo]]:
    """Starts demos, each in a folder of its own; none outlives the test."""
    started: list[Demo] = []

    def start(*options: str) -> Demo:
        folder = Path(tempfile.mkdtemp(dir=scratch))
        folder.chmod(0o755)
        started.append(Demo(folder, *options))
        return started[-1]

    yield start
    for demo in started:
        demo.kill(signal.SIGKILL)
        demo.wait()


def test_the_demo_finds_exactly_what_was_put_there(demo: Callable[..., Demo]) -> None:
    run = demo()
    assert run.wait() == 0, run.text
    assert "All 347 objects are accounted for, the sums agree" in run.text
    assert "DIFFERENCE" not in run.text
    assert "first finding" in run.text
    assert run.living() == []


def test_a_folder_of_the_users_is_scanned_file_by_file(demo: Callable[..., Demo], tmp_path: Path) -> None:
    files = tmp_path / "files"
    (files / "deeper").mkdir(parents=True)
    (files / "deeper" / "mail list.txt").write_text("Write to ada.bauer12@example.com for help.\n")
    (files / "nothing.log").write_text("nothing to see\n")
    run = demo("--from", str(files))
    assert run.wait() == 0, run.text
    assert "All 2 objects are accounted for" in run.text
    assert "contact.email" in run.text


def test_ctrl_c_stops_every_process_that_was_started(demo: Callable[..., Demo]) -> None:
    run = demo()
    run.read_until("POST /scan")
    assert run.living("celery")
    run.kill(signal.SIGINT)
    assert run.wait() == 130
    assert run.living() == []


def test_a_demo_killed_with_sigkill_leaves_no_process(demo: Callable[..., Demo]) -> None:
    run = demo()
    run.read_until("POST /scan")
    assert run.living("celery")
    run.kill(signal.SIGKILL)
    run.wait()
    wait_until(lambda: not run.living(), what="the end of what it started", timeout_s=20)


def test_a_part_that_dies_ends_the_demo_and_is_named(demo: Callable[..., Demo]) -> None:
    run = demo()
    run.read_until("POST /scan demo-logs")
    for pid in run.living("--hostname=worker-1@local"):
        os.kill(pid, signal.SIGKILL)
    assert run.wait() == 1
    assert "worker-1 ended with status" in run.text
    assert run.living() == []
