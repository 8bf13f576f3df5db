"""Shared services for the tests: a real PostgreSQL and the AWS emulator, one of each for a test process, on loopback.

A missing service skips on a laptop and fails in CI, where nothing may be passed over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from scanner_tasks.local.emulator import Emulator
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store.engine import make_engine
from tests import pooler_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


pooler_rules.watch()


def unavailable(what: str, error: Exception) -> NoReturn:
    """Skip the test on a laptop, fail it in CI."""
    message = f"{what} is not available: {error}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder outside pytest's own tree that every user may enter (PostgreSQL may run as another one)."""
    folder = Path(tempfile.mkdtemp(prefix="s3scan-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(scratch: Path) -> Iterator[LocalPostgres]:
    """A running PostgreSQL with no database of ours in it yet."""
    server = LocalPostgres(scratch / "postgres")
    try:
        server.start()
    except (RuntimeError, TimeoutError) as error:
        unavailable("PostgreSQL", error)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def emulator(scratch: Path) -> Iterator[Emulator]:
    """A running AWS emulator."""
    server = Emulator(scratch / "emulator") if (Path(__file__).parents[1] / ".venv-emulator").exists() else None
    if server is None:
        unavailable("the AWS emulator", RuntimeError("no .venv-emulator: run `make setup`"))
    server.start()
    yield server
    server.stop()


def migrate(url: str, *arguments: str) -> None:
    """Run Alembic against the database, as an operator does."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def database_url(postgres: LocalPostgres) -> str:
    """URL of a database with our schema in it, shared by the tests of this process."""
    url = postgres.url()
    migrate(url, "upgrade", "head")
    return url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """Connections to that database."""
    engine = make_engine(database_url, pool_size=10)
    yield engine
    engine.dispose()
