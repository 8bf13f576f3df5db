"""The whole fleet's switch: one row that every claim reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute

if TYPE_CHECKING:
    from sqlalchemy import Connection


def is_paused(connection: Connection) -> bool:
    """True while nothing is sent and no batch can be claimed."""
    return bool(execute(connection, "select paused from fleet").scalar_one())


def set_paused(connection: Connection, *, paused: bool) -> bool:
    """Turn the switch; False when it stands there already."""
    changed = execute(connection, "update fleet set paused = :paused where paused <> :paused", paused=paused)
    return changed.rowcount == 1
