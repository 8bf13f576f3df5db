"""Drafts the next numbered migration from the models: ``python -m scanner_tasks.local.migration "what changes"``.

A database of its own is brought to the newest schema and compared with the models; read the draft before you commit it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from scanner_tasks.local import commands
from scanner_tasks.local.emulator import REPOSITORY
from scanner_tasks.local.postgres import LocalPostgres


def next_number(folder: Path) -> str:
    """Four digits: one more than the highest number of the migrations in the folder.

    Examples:
        >>> next_number(Path("/nowhere"))
        '0001'
    """
    numbers = [int(found.group(1)) for path in folder.glob("*.py") if (found := re.match(r"(\d{4})_", path.name))]
    return f"{max(numbers, default=0) + 1:04d}"


def main(argv: list[str]) -> int:
    """Write the draft; the exit status."""
    if len(argv) != 1 or not argv[0].strip():
        print('Say what changes: make migration m="add finding location"', file=sys.stderr)
        return 2
    number = next_number(REPOSITORY / "alembic" / "versions")
    with tempfile.TemporaryDirectory(prefix="s3scan-migration-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # PostgreSQL may run as another user
        server = LocalPostgres(folder / "postgres").start()
        try:
            env = {**os.environ, "DATABASE_URL": server.url()}
            draft = [*commands.alembic("revision"), "--autogenerate", "--rev-id", number, "--message", argv[0]]
            for command in (commands.migrate(), draft):
                status = subprocess.run(command, env=env, cwd=REPOSITORY, check=False).returncode
                if status:
                    return status
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
