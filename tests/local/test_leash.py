"""No process of the local stack outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scanner_tasks.local.child import Child, ChildFailed
from scanner_tasks.local.ports import wait_until

ENV = {"PATH": os.environ["PATH"]}
ROOT = Path(__file__).parents[2]

#: Says "up" once its handlers are set, then waits for ever; ends on SIGTERM unless told to ignore it.
PATIENT = "import signal, sys, time; {}; print('up', flush=True); time.sleep(600)"
STUBBORN = PATIENT.format("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
POLITE = PATIENT.format("signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))")
#: Starts a child of its own and says its pid.
PARENT = (
    "import subprocess, sys, time;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print('up', p.pid, flush=True); time.sleep(600)"
)


def child_of(program: str, tmp_path: Path, **options: float) -> Child:
    child = Child(name="part", argv=[sys.executable, "-c", program], env=ENV, log=tmp_path / "part.log", **options)
    child.start()
    wait_until(lambda: "up" in child.log_tail(), what="the part", timeout_s=20, check=child.check)
    return child


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="watches processes through /proc")


def test_stopping_asks_politely_and_tells_the_exit_status(tmp_path: Path) -> None:
    child = child_of(POLITE, tmp_path)
    assert child.stop() == 7
    assert not is_alive(child.pid)


def test_a_part_that_ignores_the_request_is_killed_after_its_grace(tmp_path: Path) -> None:
    child = child_of(STUBBORN, tmp_path, grace_s=0.2)
    assert child.stop() == 128 + signal.SIGKILL
    assert not is_alive(child.pid)


def test_stopping_takes_the_parts_own_children_along(tmp_path: Path) -> None:
    child = child_of(PARENT, tmp_path)
    grandchild = int(child.log_tail().split()[1])
    assert is_alive(grandchild)
    child.stop()
    wait_until(lambda: not is_alive(grandchild), what="the end of the grandchild", timeout_s=10)


def test_a_part_that_ends_by_itself_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = Child(
        name="part", argv=[sys.executable, "-c", "raise SystemExit('no such table')"], env=ENV, log=tmp_path / "log"
    )
    child.start()
    wait_until(lambda: child.exit_status is not None, what="its end", timeout_s=20)
    with pytest.raises(ChildFailed, match=r"(?s)part ended with status 1.*no such table"):
        child.check()


def test_a_command_that_does_not_exist_is_told_at_once(tmp_path: Path) -> None:
    child = Child(name="part", argv=[str(tmp_path / "missing")], env=ENV, log=tmp_path / "log")
    with pytest.raises(ChildFailed, match="FileNotFoundError"):
        child.start()


def test_nothing_survives_when_the_holder_is_killed_with_sigkill(tmp_path: Path) -> None:
    # given a holder that runs a stubborn part
    holder = (
        "import sys, time; from pathlib import Path; from scanner_tasks.local.child import Child;"
        f"c = Child(name='p', argv=[sys.executable, '-c', {STUBBORN!r}], env={{}}, log=Path({str(tmp_path / 'l')!r}),"
        " grace_s=0.2).start(); print(c.pid, c._leash.pid, flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert all(is_alive(pid) for pid in pids)
    # if the holder is killed
    process.kill()
    process.wait()
    process.stdout.close()
    # then the part and its leash end too
    wait_until(lambda: not any(is_alive(pid) for pid in pids), what="their end", timeout_s=10)
