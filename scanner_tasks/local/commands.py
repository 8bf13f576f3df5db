"""Every command line of the local stack, once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scanner_tasks.local.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

#: Threads of one worker, as on Fargate.
WORKER_CONCURRENCY = 20


def migrate() -> list[str]:
    """Bring the database to the newest schema."""
    return alembic("upgrade", "head")


def alembic(*arguments: str) -> list[str]:
    """An Alembic command; its settings are in pyproject.toml."""
    return [sys.executable, "-m", "alembic", *arguments]


def worker(name: str) -> list[str]:
    """One Celery worker, with a node name of its own."""
    return [
        *_celery("worker"),
        *("--pool=threads", f"--concurrency={WORKER_CONCURRENCY}", f"--hostname={name}@local", "--loglevel=INFO"),
        *("--without-gossip", "--without-mingle", "--heartbeat-interval=15"),
    ]


def flower(port: int, database: Path) -> list[str]:
    """The dashboard, on loopback; it reads the events queue and sends no commands to the workers."""
    return [
        *("nice", "-n", "10"),  # nobody looks at it before the first findings
        *(sys.executable, "-m", "scanner_tasks.sqs.flower", "-A", "scanner_tasks.app"),
        *(f"--address={LOOPBACK}", f"--port={port}", "--persistent=True", f"--db={database}"),
    ]


def api(port: int, handler: str = "api_lambda.handler:handler") -> list[str]:
    """The API's Lambda handler behind a loopback port."""
    return [sys.executable, "-m", "scanner_tasks.local.api_server", str(port), handler]


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app=scanner_tasks.app", command]
