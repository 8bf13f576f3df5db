"""The application's own user in PostgreSQL: owner of the schema, without any right beyond it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


def make_owner(connection: Connection, *, name: str, password: str) -> bool:
    """Make the user, or give it this password, and make it owner of the database; True when it was not there.

    The session is of an administrator who may create roles, on the database's own endpoint. What is sent is the
    password's SCRAM verifier, which the server's log may show; the password itself stays here.
    """
    if not _NAME.match(name):
        raise InvalidInput("The owner's name: small letters, digits and _, a letter first, 63 characters at most.")
    raw = connection.connection.driver_connection
    if raw is None:  # pragma: no cover (SQLAlchemy's type allows it; a connection in use has one)
        raise InvalidInput("The database is not connected.")
    verifier = encrypt_password(password, name, scope=raw, algorithm="scram-sha-256")
    user = sql.Identifier(name)
    with raw.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", (name,))
        is_new = cursor.fetchone() is None
        change = sql.SQL("create role {} login password {}" if is_new else "alter role {} login password {}")
        cursor.execute(change.format(user, sql.Literal(verifier)))
        # Without being a member nobody but a superuser gives something to a role; RDS's administrator is none.
        cursor.execute(sql.SQL("grant {} to current_user").format(user))
        cursor.execute("select current_database()")
        row = cursor.fetchone()
        database = sql.Identifier(row[0])
        cursor.execute(sql.SQL("alter database {} owner to {}").format(database, user))
        cursor.execute(sql.SQL("revoke connect, temporary on database {} from public").format(database))
    return is_new
