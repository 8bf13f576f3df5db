"""Rulesets by their parts, one for each hash that jobs have: what a later job needs to tell what has changed since.

A ruleset is written by the first job that begins with it, in the job's own transaction, and goes when no job has it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scanner_tasks.core.rule_changes import RulePart, RulesetParts
from scanner_tasks.store.engine import execute, insert_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

_INSERT = (
    "insert into ruleset_rules"
    " (ruleset_hash, rule_id, looks_for, yields, by_chance, is_on, severities, threshold, allow, mask) values "
)
_ROW = "(%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s::text[], %s)"


def keep_ruleset(connection: Connection, parts: RulesetParts) -> None:
    """Write it where it is not there yet; in either case it stays while this transaction lasts."""
    is_new = execute(
        connection,
        """
        insert into rulesets (ruleset_hash, code, budgets) values (:ruleset_hash, :code, cast(:budgets as jsonb))
        on conflict (ruleset_hash) do update set used_at = now() returning xmax = 0
        """,
        ruleset_hash=parts.ruleset_hash,
        code=parts.code,
        budgets=json.dumps(dict(parts.budgets)),
    ).scalar_one()
    if not is_new:
        return
    rows = (
        (
            parts.ruleset_hash,
            rule_id,
            rule.looks_for,
            rule.yields,
            rule.by_chance,
            rule.is_on,
            json.dumps(rule.severities),
            rule.threshold,
            list(rule.allow),
            rule.mask,
        )
        for rule_id, rule in parts.rules.items()
    )
    insert_rows(connection, _INSERT, _ROW, rows)


def read_ruleset(connection: Connection, ruleset_hash: str) -> RulesetParts | None:
    """The ruleset with this hash; None when no job that kept it is left."""
    head = execute(
        connection, "select code, budgets from rulesets where ruleset_hash = :hash", hash=ruleset_hash
    ).first()
    if head is None:
        return None
    rows = execute(connection, "select * from ruleset_rules where ruleset_hash = :hash", hash=ruleset_hash)
    return RulesetParts(
        ruleset_hash=ruleset_hash,
        code=head.code,
        budgets=head.budgets,
        rules={
            row.rule_id: RulePart(
                looks_for=row.looks_for,
                yields=row.yields,
                by_chance=row.by_chance,
                is_on=row.is_on,
                severities=tuple((count, severity) for count, severity in row.severities),
                threshold=row.threshold,
                allow=tuple(row.allow),
                mask=row.mask,
            )
            for row in rows
        },
    )


def drop_unused(connection: Connection) -> int:
    """Remove rulesets that no job has and that none began with for a day; how many."""
    done = execute(
        connection,
        """
        delete from rulesets r where used_at < now() - interval '1 day'
          and not exists (select 1 from jobs j where j.ruleset_hash = r.ruleset_hash)
        """,
    )
    return done.rowcount
