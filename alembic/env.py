"""Runs the migrations: each in its own transaction, one runner at a time, and never waiting long for a lock.

They run on the database's own endpoint, not through RDS Proxy: ``SET`` and advisory locks pin a proxied session.
"""

from __future__ import annotations

import re
import time

from alembic import context
from sqlalchemy import Connection, text

from scanner_tasks import settings
from scanner_tasks.database import database_engine
from scanner_tasks.store.schema import PARTITIONED, metadata

#: A migration that cannot get its lock gives up instead of queueing every writer behind itself.
LOCK_TIMEOUT = "4s"
LOCK_PATIENCE_S = 4.0
#: One lock for every runner; any fixed number will do.
LOCK_KEY = 5_337_221
PARTITION = re.compile(rf"(?:{'|'.join(PARTITIONED)})_p[0-9]+")


def include_name(name: str | None, type_: str, _parents: object) -> bool:
    """Leave partitions out of the comparison: settle makes them, the models know their parents."""
    return type_ != "table" or name is None or not PARTITION.fullmatch(name)


def _wait_for_turn(connection: Connection) -> None:
    """Take the runners' lock, or give up: asked for again and again.

    A transaction that waited for it would be waited for by the first runner's concurrent index build: a deadlock.
    """
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while not connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}).scalar():
        connection.rollback()
        if time.monotonic() > deadline:
            raise SystemExit("Another migration is running on this database: wait for its end, and repeat this one.")
        time.sleep(0.1)
    connection.commit()


def run() -> None:
    """Upgrade or downgrade as the command line says."""
    engine = database_engine(settings.load(), pool_size=1)
    with engine.connect() as connection:
        connection.execute(text("select set_config('lock_timeout', :timeout, false)"), {"timeout": LOCK_TIMEOUT})
        _wait_for_turn(connection)
        try:
            context.configure(
                connection=connection,
                target_metadata=metadata,
                transaction_per_migration=True,
                include_name=include_name,
                compare_server_default=False,
            )
            with context.begin_transaction():
                context.run_migrations()
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
            connection.commit()
    engine.dispose()


run()
