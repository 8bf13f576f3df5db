"""The whole pipeline as processes of this machine: PostgreSQL, emulated AWS, workers, dashboard, API, clock.

Every process is on a leash: when this one ends, however it ends, they end too.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

from scanner_tasks.core import lanes
from scanner_tasks.local import commands
from scanner_tasks.local.child import Child
from scanner_tasks.local.deploy import deploy, queue_url_prefix, state_machine_arn
from scanner_tasks.local.emulator import REPOSITORY, Emulator
from scanner_tasks.local.ports import LOOPBACK, free_port, is_open, wait_until
from scanner_tasks.local.postgres import LocalPostgres, is_open_to_all
from scanner_tasks.local.ticker import Ticker

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

WORKERS = 2
#: A worker takes its time to stop politely, but here nothing is worth waiting for: the queues end with the demo.
GRACE_S = 2.0


class StartFailed(RuntimeError):
    """A part of the stack could not be made ready; the message shows its output."""


class Stack:
    """The running pipeline; a context manager that starts it and stops it.

    Args:
        folder: for data and logs, made fresh: what it held is deleted.
        say: gets a line for each part that is ready.
    """

    def __init__(self, folder: Path, *, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.say = say
        self.api_port, self.flower_port = free_port(), free_port()
        self._fingerprint_key = secrets.token_hex(16)
        self._borrowed: Path | None = None
        shutil.rmtree(folder, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.emulator = Emulator(folder / "emulator")
        self.postgres = LocalPostgres(self._database_folder() / "postgres")
        self._ticker: Ticker | None = None
        self._children: list[Child] = []

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.folder / "logs"

    @property
    def api_url(self) -> str:
        """Where the API answers."""
        return f"http://{LOOPBACK}:{self.api_port}"

    @property
    def flower_url(self) -> str:
        """Where the dashboard is."""
        return f"http://{LOOPBACK}:{self.flower_port}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of our own processes and functions."""
        endpoint = self.emulator.endpoint_url
        return {
            **self.emulator.env,
            "DATABASE_URL": self.postgres.url("s3scan"),
            "S3SCAN_QUEUE_URL_PREFIX": queue_url_prefix(endpoint),
            "S3SCAN_STATE_MACHINE_ARN": state_machine_arn(),
            "S3SCAN_FINGERPRINT_KEY": self._fingerprint_key,
            # Short turns and waits: the sample is small, and somebody is watching.
            "S3SCAN_FEED_TURN_S": "20",
            "S3SCAN_FEED_WAIT_S": "1",
            "MAX_WORKERS": str(commands.WORKER_CONCURRENCY),
            # Packs of rules that their user named, for all processes alike.
            **{name: os.environ[name] for name in ("S3SCAN_RULES",) if name in os.environ},
        }

    def __enter__(self) -> Self:
        """Start everything; when a part fails, stop what runs and raise."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.stop()

    def check(self) -> None:
        """Raise ChildFailed or SettleFailed when a part is no longer running as it should."""
        started = [*self._children, self.emulator.child, self.postgres.child]
        for child in started:
            child.check()
        if self._ticker:
            self._ticker.check()

    def log_tail(self, name: str) -> str:
        """The last lines of a part's log."""
        return "\n".join(child.log_tail() for child in self._children if child.name == name)

    def stop(self) -> None:
        """Stop every part, those that use others first; the logs stay."""
        if self._ticker:
            self._ticker.stop()
        ours = [child for child in self._children if child.pid]
        with ThreadPoolExecutor(max(len(ours), 2)) as pool:
            list(pool.map(Child.stop, ours))
            list(pool.map(lambda part: part.stop(), (self.emulator, self.postgres)))
        if self._borrowed:
            shutil.rmtree(self._borrowed, ignore_errors=True)

    def _start(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            aws = pool.submit(self._start_aws)
            database = pool.submit(self._start_database)
            aws.result()
            self._spawn("API", commands.api(self.api_port))  # needs the database at its first request only
            database.result()
        for number in range(1, WORKERS + 1):
            self._spawn(f"worker-{number}", commands.worker(f"worker-{number}"))
        self._spawn(
            "Flower",
            commands.flower(self.flower_port, self.folder / "flower"),
            {"FLOWER_UNAUTHENTICATED_API": "true"},  # loopback only
        )
        self._ticker = Ticker(self.emulator.endpoint_url).start()
        wait_until(lambda: is_open(self.api_port), what="the API", timeout_s=60, check=self.check)
        self.say(f"API ready at {self.api_url}; {WORKERS} workers and Flower are starting")

    def _start_aws(self) -> None:
        began = time.monotonic()
        self.emulator.start()
        deploy(self.emulator.endpoint_url, self.settings)
        self.say(
            f"emulated AWS ready in {time.monotonic() - began:.1f} s: {lanes.DEFAULT_LANE_COUNT} lanes, dead letter"
            " queue, Lambda functions, state machine"
        )

    def _start_database(self) -> None:
        began = time.monotonic()
        self.postgres.start()
        self._create_database()
        self._run("migration", commands.migrate())
        self.say(f"PostgreSQL ready in {time.monotonic() - began:.1f} s: schema made by Alembic")

    def _create_database(self) -> None:
        import psycopg2  # noqa: PLC0415 (slow to import, and needed once)

        connection = psycopg2.connect(self.postgres.url().replace("+psycopg2", ""))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE s3scan")
        connection.close()

    def _environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        # Loopback must not go through a proxy; a clock in UTC makes logs comparable.
        return {**kept, "NO_PROXY": "*", "no_proxy": "*", "TZ": "UTC", **self.settings, **(more or {})}

    def _spawn(self, name: str, argv: list[str], more: dict[str, str] | None = None) -> None:
        child = Child(
            name=name,
            argv=argv,
            env=self._environment(more),
            log=self.logs / f"{name.lower()}.log",
            cwd=REPOSITORY,
            grace_s=GRACE_S,
        )
        self._children.append(child.start())

    def _run(self, name: str, argv: list[str]) -> None:
        log = self.logs / f"{name}.log"
        with log.open("ab") as output:
            done = subprocess.run(
                argv, env=self._environment(), cwd=REPOSITORY, stdout=output, stderr=output, check=False
            )
        if done.returncode:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            msg = f"The {name} ended with status {done.returncode}; its log is {log}:\n{tail}"
            raise StartFailed(msg)

    def _database_folder(self) -> Path:
        """A folder that PostgreSQL may enter: as root it runs as another user, whom root's home keeps out."""
        if os.geteuid() != 0 or is_open_to_all(self.folder):
            return self.folder
        shared = next((p for p in map(Path, (tempfile.gettempdir(), "/tmp", "/var/tmp")) if is_open_to_all(p)), None)  # noqa: S108
        self._borrowed = Path(tempfile.mkdtemp(prefix="s3scan-demo-", dir=shared))
        self._borrowed.chmod(0o755)
        return self._borrowed
