"""What a benchmark ran on: printed beside every figure."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner_tasks.store.engine import execute, transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine


def machine(engine: Engine) -> dict[str, Any]:
    """Commit, processor, cores, and the versions of PostgreSQL, SQLAlchemy and psycopg2."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    with transaction(engine) as connection:
        server: str = execute(connection, "show server_version").scalar_one()
    return {
        "commit": commit.stdout.strip() or "unknown",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "PostgreSQL": server,
        "SQLAlchemy": version("sqlalchemy"),
        "psycopg2": version("psycopg2-binary"),
    }
