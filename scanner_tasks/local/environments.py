"""Makes the two virtual environments from their lock files, then runs what was asked for inside them.

``.venv`` holds the application (requirements/app.txt, or requirements/dev.txt, which adds the tools),
``.venv-emulator`` the AWS emulator. Run by path with the standard library alone: nothing is installed yet. A stamp in
each environment says what it was made from; an environment whose stamp is current is left alone.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".s3scan" / "setup"
#: The interpreter that environments are made from: not that of an environment which is active, and may be replaced.
BASE_PYTHON: str = getattr(sys, "_base_executable", None) or sys.executable
#: Tells the demo when its command was typed (seconds since the epoch), so that its times count from there.
STARTED_VARIABLE = "S3SCAN_DEMO_STARTED"

_UNREACHABLE = re.compile(
    r"NewConnectionError|Connect(?:ion)?Timeout|ReadTimeout|ProxyError|SSLError|CERTIFICATE_VERIFY|name resolution"
    r"|Name or service not known|nodename nor servname|Network is unreachable"
    r"|Connection (?:refused|reset|error|broken|timed out)"
    r"|error sending request|dns error|failed to (?:fetch|connect)|operation timed out",
    re.IGNORECASE,
)
_UNAVAILABLE = re.compile(
    r"no matching distribution|no solution found|no wheels? (?:with|for)|not available on|has no usable wheels",
    re.IGNORECASE,
)
_DIFFERENT = re.compile(r"do not match the hashes|hash mismatch", re.IGNORECASE)


class SetupFailed(Exception):
    """An environment could not be made; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One virtual environment and the lock files that may fill it, each a superset of the one before."""

    name: str
    folder: Path
    locks: tuple[Path, ...]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """The file that says what it was made from."""
        return self.folder / ".s3scan-stamp"

    def stamp_text(self, lock: Path) -> str:
        """What the stamp says when the environment holds this lock file: name, and hash of all that it depends on."""
        # The version in two parts only: an upgrade of 3.11.7 to 3.11.8 keeps the packages.
        version = ".".join(platform.python_version_tuple()[:2])
        parts = [str(self.folder), version, *(path.read_text() for path in self.locks)]
        return f"{lock.name} {hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"

    def holds(self, lock: Path) -> bool:
        """True when it was made from this lock file as it is now, or from one that contains it."""
        return self.python.exists() and self._stamp() in {
            self.stamp_text(fuller) for fuller in self.locks[self.locks.index(lock) :]
        }

    def is_outdated(self) -> bool:
        """True when it is ours and made from other lock files, another Python, or not to its end."""
        if not self.stamp.exists():
            return False
        return self._stamp() not in {self.stamp_text(lock) for lock in self.locks}

    def _stamp(self) -> str:
        return self.stamp.read_text() if self.stamp.exists() else ""


APPLICATION = Environment(
    name="application",
    folder=ROOT / ".venv",
    locks=(ROOT / "requirements" / "app.txt", ROOT / "requirements" / "dev.txt"),
)
EMULATOR = Environment(
    name="AWS emulator",
    folder=ROOT / ".venv-emulator",
    locks=(ROOT / "requirements" / "emulator.txt",),
)
APP_LOCK, DEV_LOCK = APPLICATION.locks


def make_environments(application_lock: Path, *, say: Callable[[str], None]) -> None:
    """Both environments, at the same time, where they are not current. SetupFailed says what to do.

    Two commands that start together take turns: the second finds the first's work done.
    """
    wanted = [(APPLICATION, application_lock), (EMULATOR, EMULATOR.locks[0])]
    if all(environment.holds(lock) for environment, lock in wanted):
        return
    LOGS.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(LOGS / "lock", say):
        missing = [(environment, lock) for environment, lock in wanted if not environment.holds(lock)]
        if not missing:
            return
        how = "uv" if shutil.which("uv") else "venv and pip"
        say(f"Making the environments with {how} (only the first time): {', '.join(e.name for e, _ in missing)}")
        with ThreadPoolExecutor(len(missing)) as pool, _heartbeat(say):
            jobs = [pool.submit(_make, environment, lock, say) for environment, lock in missing]
        for job in jobs:
            job.result()


def _make(environment: Environment, lock: Path, say: Callable[[str], None]) -> None:
    log = LOGS / f"{environment.folder.name.lstrip('.')}.log"
    log.write_bytes(b"")
    if environment.is_outdated() or (environment.folder.exists() and not _runs(environment.python)):
        shutil.rmtree(environment.folder)
    uv = shutil.which("uv")
    if not environment.python.exists():
        if uv:
            _run([uv, "venv", "--quiet", "--python", BASE_PYTHON, str(environment.folder)], log, environment)
        else:
            # Without pip inside: quicker, and Debian's Python cannot put it there without another package.
            _run([BASE_PYTHON, "-m", "venv", "--without-pip", str(environment.folder)], log, environment)
    environment.stamp.write_text("unfinished")
    _run([*_installer(environment, uv, log), "--require-hashes", "-r", str(lock)], log, environment)
    environment.stamp.write_text(environment.stamp_text(lock))
    say(f"  {environment.name}: ready")


def _installer(environment: Environment, uv: str | None, log: Path) -> list[str]:
    """The command that installs into the environment: uv, this Python's pip, or one put into the environment."""
    python = str(environment.python)
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", python, "--only-binary", ":all:"]
    options = ["install", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    version = _pip_version()
    if version >= (22, 3):
        return [BASE_PYTHON, "-m", "pip", "--python", python, *options]
    try:
        _run([python, "-m", "ensurepip", "--default-pip"], log, environment)
    except SetupFailed:
        msg = (
            "This Python has neither pip nor ensurepip: install uv (https://docs.astral.sh/uv) or your system's "
            "python3-venv package, then run the command again."
        )
        raise SetupFailed(msg) from None
    return [python, "-m", "pip", *options]


def _pip_version() -> tuple[int, ...]:
    done = subprocess.run([BASE_PYTHON, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"pip (\d+)\.(\d+)", done.stdout)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _runs(python: Path) -> bool:
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", ""], capture_output=True, check=False).returncode == 0


def _run(command: Sequence[str], log: Path, environment: Environment) -> None:
    with log.open("ab") as output:
        done = subprocess.run(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SetupFailed(explain_failure(environment.name, log, log.read_text(errors="replace")))


def explain_failure(name: str, log: Path, text: str) -> str:
    """What went wrong with an installation, in a sentence that says what to do, and the end of its output."""
    if _DIFFERENT.search(text):
        cause = "a downloaded package is not the one that was locked: run again; if it stays so, tell the project"
    elif _UNREACHABLE.search(text):
        cause = "the package registry could not be reached: check the network, HTTPS_PROXY, and the index settings"
    elif _UNAVAILABLE.search(text):
        cause = f"a package has no build for Python {platform.python_version()} on {platform.platform()}"
    else:
        cause = "the installation failed"
    lines = [line for line in text.strip().splitlines() if "Retrying (Retry" not in line]
    tail = "\n".join("    " + line for line in lines[-8:])
    return (
        f"The environment of the {name} could not be made: {cause}.\n  The whole output is in {log}; it ends:\n{tail}"
    )


@contextlib.contextmanager
def _one_at_a_time(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command is making the environments; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _heartbeat(say: Callable[[str], None], every_s: float = 10.0) -> Iterator[None]:
    """A line now and then, so that a slow download does not look like a hang."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(every_s):
            say("  … installing")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def main(argv: Sequence[str]) -> int:
    """Parse the command line, make what is missing, and become the command that was asked for."""
    parser = argparse.ArgumentParser(prog="demo.py", description="The whole pipeline on this machine, without AWS.")
    parser.add_argument("what", nargs="?", default="demo", choices=("demo", "setup", "test"))
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.add_argument("--from", dest="folder", metavar="DIR", help="scan the files of a folder instead of the sample")
    arguments = parser.parse_args(argv)
    started = float(os.environ.get(STARTED_VARIABLE) or time.time())

    def say(line: str) -> None:
        print(f"[{time.time() - started:5.1f} s] {line}", flush=True)

    folder = Path(arguments.folder).resolve() if arguments.folder else None
    if folder and not folder.is_dir():
        print(f"demo.py: {arguments.folder} is not a folder", file=sys.stderr)
        return 2
    try:
        make_environments(APP_LOCK if arguments.what == "demo" else DEV_LOCK, say=say)
    except SetupFailed as failure:
        print(f"demo.py: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo.py: interrupted; run it again to go on", file=sys.stderr)
        return 130
    if arguments.what == "setup":
        return 0
    module = "scanner_tasks.local.demo" if arguments.what == "demo" else "scanner_tasks.local.checks"
    options = ["--keep"] * arguments.keep + (["--from", str(folder)] if folder else [])
    os.environ[STARTED_VARIABLE] = str(started)
    os.chdir(ROOT)  # `-m` imports from here, and the tools read pyproject.toml here
    python = str(APPLICATION.python)
    sys.stdout.flush()
    os.execv(python, [python, "-m", module, *options])  # noqa: S606
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
