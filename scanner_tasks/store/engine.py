"""The connection to Postgres, kept within what RDS Proxy multiplexes.

No SET, session lock, temporary table, server cursor or prepared statement; every transaction is short. psycopg2 sends
each statement with its values inlined, so MAX_STATEMENT_BYTES bounds what goes over the wire.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psycopg2
from sqlalchemy import create_engine, event, exc, text

from scanner_tasks.core.errors import StatementRefused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Connection, CursorResult, Engine, TextClause

#: RDS Proxy pins a session on a longer statement (facts: 16,384 bytes); the rest is margin.
MAX_STATEMENT_BYTES = 16_000
_RECYCLE_S = 600
_CONNECT_TIMEOUT_S = 5


def make_engine(
    url: str,
    *,
    pool_size: int,
    pre_ping: bool = True,
    recycle_s: float = _RECYCLE_S,
    ca_file: str = "",
    password: Callable[[], str] | None = None,
) -> Engine:
    """A pool of at most ``pool_size`` connections; it opens none before it is asked for one.

    Args:
        url: SQLAlchemy's, with psycopg2.
        pool_size: connections at most; a caller waits a minute for one.
        pre_ping: ask each connection that is taken whether it lives; proxies close idle ones without a word.
        recycle_s: connections older than this are renewed when they are taken.
        ca_file: certificates of the authorities that may sign the server's; with it, TLS is insisted on and the
            server's name is checked (``sslmode=verify-full``), whatever the URL says.
        password: gives the password of each new connection, such as a token that expires.
    """
    tls = {"sslmode": "verify-full", "sslrootcert": ca_file} if ca_file else {}
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=pre_ping,
        pool_recycle=recycle_s,
        pool_timeout=60,
        hide_parameters=True,  # an error's text must not quote keys or masks
        connect_args={"connect_timeout": _CONNECT_TIMEOUT_S, "keepalives_idle": 30, "application_name": "s3scan"} | tls,
    )
    if password is not None:
        _give_password(engine, password)
    return engine


def _give_password(engine: Engine, password: Callable[[], str]) -> None:
    def connect_with(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        parameters["password"] = password()

    event.listen(engine, "do_connect", connect_with)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One short transaction.

    Raises Unavailable when Postgres could not be reached or ended the session, StatementRefused for any other error of
    the database. The driver's own error is not chained: its text quotes statements with their values.
    """
    with _own_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def statement_alone(engine: Engine) -> Iterator[tuple[Connection, Callable[[], None]]]:
    """A connection without a transaction, for what Postgres refuses in one, and how another thread cancels it.

    Raises as ``transaction``; a cancelled statement is StatementRefused with SQLSTATE 57014.
    """
    with _own_errors(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        session: Any = connection.connection.dbapi_connection
        yield connection, session.cancel


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except exc.DBAPIError as error:
        raise _told(error.orig, is_lost=error.connection_invalidated) from None
    except psycopg2.Error as error:  # from insert_rows, which speaks to psycopg2 itself
        raise _told(error, is_lost=False) from None
    except exc.TimeoutError:
        raise Unavailable("Every connection to Postgres is in use: try again.") from None


def _told(error: BaseException | None, *, is_lost: bool) -> Unavailable | StatementRefused:
    if error is None or is_lost or is_transient(error):
        return Unavailable("Postgres is not reachable just now: try again.")
    where = getattr(error, "diag", None)
    names = [getattr(where, f"{kind}_name", None) for kind in ("table", "column", "constraint")]
    about = "".join(f" {name}" for name in names if name)
    return StatementRefused(f"Postgres refused a statement: SQLSTATE {getattr(error, 'pgcode', None)}{about}.")


def is_transient(error: BaseException) -> bool:
    """True for lost connections, shutdowns, deadlocks and serialisation failures: worth another try."""
    code = getattr(error, "pgcode", None)
    if code is None:  # the server did not answer
        return isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError))
    # SQLSTATE classes: 08 connection, 40 rollback, 53 resources, 57P shutdown; 55P03 lock not available.
    return code[:2] in {"08", "40", "53"} or code.startswith("57P") or code == "55P03"


def execute(connection: Connection, statement: str, **values: Any) -> CursorResult[Any]:
    """Run one SQL statement with named values."""
    return connection.execute(_parsed(statement), values)


@lru_cache(maxsize=512)  # a dozen times the statements that one process sends
def _parsed(statement: str) -> TextClause:
    return text(statement)


def literal_bytes(value: str) -> int:
    """Bytes that a text takes as an SQL literal, its outer quotes left out: quotes and backslashes are doubled."""
    return len(value.encode()) + value.count("'") + value.count("\\")


def insert_rows(connection: Connection, head: str, row: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows in as few statements as MAX_STATEMENT_BYTES allows.

    Args:
        connection: within a transaction.
        head: ``insert into t (a, b) values``.
        row: the template of one row, ``(%s, %s)``.
        rows: values for the template.
    """
    cursor = connection.connection.cursor()
    try:
        for statement in _statements(head.encode(), rows, lambda values: cursor.mogrify(row, values)):
            cursor.execute(statement)
    finally:
        cursor.close()


def _statements(
    head: bytes, rows: Iterable[tuple[Any, ...]], encode: Callable[[tuple[Any, ...]], bytes]
) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = len(head)
    for values in rows:
        encoded = encode(values)
        if parts and size + len(encoded) + 1 > MAX_STATEMENT_BYTES:
            yield head + b",".join(parts)
            parts, size = [], len(head)
        parts.append(encoded)
        size += len(encoded) + 1
    if parts:
        yield head + b",".join(parts)
