"""No statement of ours pins a session of RDS Proxy: watched in every test that reaches Postgres in its own process."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import psycopg2.extensions
from sqlalchemy import Engine, event

from scanner_tasks.store.engine import MAX_STATEMENT_BYTES

ROOT = Path(__file__).parents[1]
_OURS = tuple(f"{ROOT / package}/" for package in ("scanner_tasks", "api_lambda", "stepfunctions"))
#: What hands a statement on; migrations run on the database's own endpoint.
_PASSED_OVER = (str(ROOT / "scanner_tasks/store/engine.py"), str(ROOT / "scanner_tasks/store/indexes.py"))
_OTHERS = (f"{ROOT / 'tests'}/", f"{ROOT / 'alembic'}/")

#: What RDS Proxy pins a session for (its documentation, "Avoiding pinning"), and what a pooler does not carry over.
PINS = re.compile(
    r"""
    \A\s*(?:set|reset|discard|prepare|execute|deallocate|declare|fetch|move|close|listen|unlisten|notify|load)\b
    | \bcreate\s+(?:(?:global|local)\s+)?temp(?:orary)?\b | \binto\s+temp(?:orary)?\b
    | \b(?:nextval|setval|currval|lastval|set_config|pg_notify|pg_try_advisory\w*|pg_advisory\w*)\s*\(
    """,
    re.IGNORECASE | re.VERBOSE,
)

#: Statements of ours that were sent in this process, without their values.
seen: set[str] = set()


class Pinned(AssertionError):
    """A statement of ours would pin its session: by what it says, or by its length."""


class WatchedCursor(psycopg2.extensions.cursor):
    """Looks at what our own code sends, whatever tests send themselves."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 (psycopg2's name)
        if not _is_ours():
            super().execute(query, vars)
            return
        text = query.decode(errors="replace") if isinstance(query, bytes) else str(query)
        seen.add(re.sub(r"\s+", " ", text))
        if PINS.search(text):
            raise Pinned(text)
        super().execute(query, vars)
        if len(self.query) > MAX_STATEMENT_BYTES:
            raise Pinned(f"{len(self.query)} bytes: {text}")


def watch() -> None:
    """Watch every connection that SQLAlchemy opens from now on."""

    def with_cursor(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        parameters.setdefault("cursor_factory", WatchedCursor)

    event.listen(Engine, "do_connect", with_cursor)


def _is_ours() -> bool:
    """Whether the nearest code of the project that sends this is the product's, no test's and no migration's."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_OURS) and name not in _PASSED_OVER:
            return True
        if name.startswith(_OTHERS):
            return False
        frame = frame.f_back
    return False
