"""While a release is rolled out, workers of the former one go on: its statements run on this release's schema.

former_release.json holds every statement of one job's life as the release with migration 0002 sent it, values included:
a listing, claims, results, an error, a dead letter, a retry, settle, results read back.
"""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Engine

from scanner_tasks.store import progress
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.findings import FindingFilter, read_findings

from .test_migrations import empty, fresh, migrated, template

__all__ = ["empty", "fresh", "migrated", "template"]
STATEMENTS = json.loads(Path(__file__).with_name("former_release.json").read_text())


def test_statements_of_the_former_release_run_on_this_schema(migrated: Engine) -> None:
    assert len(STATEMENTS) > 100
    given = []
    for statement in STATEMENTS:
        with transaction(migrated) as connection:
            cursor = connection.connection.cursor()
            cursor.execute(statement)
            if "from jobs j cross join lateral" in statement:
                given.append(len(cursor.fetchall()))
            cursor.close()
    # What it read back then: everything, from a place on, by key, by rule.
    assert given == [5, 5, 1, 0, 5, 5, 5, 5]
    with transaction(migrated) as connection:
        sums = progress.live_progress(connection, [1])[1]
        assert (sums.scanned, sums.findings, sums.occurrences, sums.open_batches) == (250, 13, 91, 0)
        found = read_findings(connection, FindingFilter(bucket="former"), after=None, limit=99).found
    assert len(found) == 13
