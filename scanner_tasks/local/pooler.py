"""PgBouncer in transaction mode before a PostgreSQL on loopback: the stand-in for RDS Proxy in tests and benchmarks.

Like RDS Proxy it hands a server connection to whoever begins a transaction, and refuses start-up ``options``. Unlike
it, it does not pin: what pins a session there (SET, temporary tables, prepared statements) goes wrong here.
"""

from __future__ import annotations

import os
import pwd
import shutil
from typing import TYPE_CHECKING

from scanner_tasks.local.child import Child
from scanner_tasks.local.ports import LOOPBACK, free_port, is_open, wait_until
from scanner_tasks.local.rights import unprivileged_user, without_root

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from scanner_tasks.local.postgres import LocalPostgres

_CONFIGURATION = """
[databases]
* = host={host} port={server_port} user=postgres

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = {clients}
default_pool_size = {servers}
server_round_robin = 1
server_login_retry = 1
query_wait_timeout = 120
log_connections = 0
log_disconnections = 0
"""


class LocalPooler:
    """One PgBouncer with at most ``servers`` connections to the database, for at most ``clients`` of its own."""

    def __init__(self, folder: Path, postgres: LocalPostgres, *, servers: int = 20, clients: int = 2000) -> None:
        self.folder = folder
        self.port = free_port()
        self._postgres = postgres
        self._servers = servers
        self._clients = clients
        self._child: Child | None = None

    @staticmethod
    def is_installed() -> bool:
        """True where the program is found; it comes from the system's packages, no wheel holds it."""
        return _program() is not None

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy URL through the pooler."""
        return f"postgresql+psycopg2://postgres@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> Self:
        """Start it; returns when it accepts connections. Raises RuntimeError where it is not installed."""
        program = _program()
        if program is None:
            msg = "pgbouncer is not installed: install your system's package of that name"
            raise RuntimeError(msg)
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(
                host=LOOPBACK,
                port=self.port,
                server_port=self._postgres.port,
                clients=self._clients,
                servers=self._servers,
            )
        )
        if name := unprivileged_user():
            user = pwd.getpwnam(name)
            os.chown(configuration, user.pw_uid, user.pw_gid)
        self._child = Child(
            name="PgBouncer",
            argv=without_root([program, str(configuration)]),
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            log=self.folder / "pgbouncer.log",
        ).start()
        wait_until(lambda: is_open(self.port), what="PgBouncer", timeout_s=10, check=self._child.check)
        return self

    def stop(self) -> None:
        """Stop it; its clients are cut off."""
        if self._child:
            self._child.stop()


def _program() -> str | None:
    return shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")))
