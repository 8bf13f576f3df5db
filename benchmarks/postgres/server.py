"""The PostgreSQL of a benchmark: its settings, its schema, and no log lines beside the figures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import structlog

ROOT = Path(__file__).parents[2]
#: fsync and synchronous commits stay on, as they are in production.
DURABLE = ("shared_buffers=256MB", "checkpoint_timeout=30s")


def quiet() -> None:
    """No log lines: the storm's faults are the point, and would be thousands."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def migrate(url: str) -> None:
    """Bring the database to the newest schema."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        capture_output=True,
    )
