"""What a comparison of two jobs reads: objects in the order of their keys, objects by key, values that have moved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.comparing import ObjectState
from scanner_tasks.core.model import Outcome
from scanner_tasks.store.base_jobs import INDEXED_CHARACTERS, batches_of_keys
from scanner_tasks.store.engine import execute, literal_bytes
from scanner_tasks.store.packing import unpack_etags
from scanner_tasks.store.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row

    from scanner_tasks.core.model import Finding

#: Batches of each job that one step reads.
_BATCHES = 20
#: Values by which a moved finding is looked for, and bytes of one look.
_FINGERPRINTS, _LOOK_BYTES = 3, 6_000

#: Stored key and version → its state.
Objects = dict[tuple[str, str | None], ObjectState]


def object_states(connection: Connection, job_no: int, keys: Sequence[str]) -> dict[str, ObjectState]:
    """These objects as the job's ledger has them, by key; one that is not in it is missing."""
    wanted = {to_text(key) for key in keys}
    found: dict[str, ObjectState] = {}
    if wanted:
        for row in batches_of_keys(connection, job_no, sorted(wanted)):
            found |= {from_text(key): state for (key, _), state in _objects(row) if key in wanted}
    return found


def read_window(connection: Connection, job_nos: Sequence[int], *, low: str) -> tuple[list[Objects], str | None]:
    """Each job's objects from ``low`` up to a key that bounds what was read of every job; that key, None at the end.

    ``low`` and the answer are cut to the characters that job_batches_by_key holds. Reads a bounded number of batches,
    more only where so many begin with the same characters.
    """
    many = _BATCHES
    while True:
        read = [_read(connection, job_no, low=low, many=many) for job_no in job_nos]
        bounds = [rows[-1].first_key for rows, is_all in read if not is_all]
        bound = min(bounds, default=None)
        if bound is None or bound > low:
            break
        many *= 4
    return [_within(rows, low, bound) for rows, _ in read], bound


def _read(connection: Connection, job_no: int, *, low: str, many: int) -> tuple[list[Row[Any]], bool]:
    """The batch before ``low`` and the following ones, in order; whether these are all."""
    rows = execute(
        connection,
        """
        (select batch_no, outcomes, keys, sizes, etags, version_ids, left(keys[1], 128) as first_key
          from job_batches where job_no = :job_no and objects > 0 and left(keys[1], 128) < :low
          order by left(keys[1], 128) desc, keys[1] desc limit 1)
        union all
        (select batch_no, outcomes, keys, sizes, etags, version_ids, left(keys[1], 128) as first_key
          from job_batches where job_no = :job_no and objects > 0 and left(keys[1], 128) >= :low
          order by left(keys[1], 128), batch_no limit :many)
        """,
        job_no=job_no,
        low=low,
        many=many,
    ).all()
    rows = sorted(rows, key=lambda row: (row.first_key, row.batch_no))
    return list(rows), sum(row.first_key >= low for row in rows) < many


def _within(rows: Sequence[Row[Any]], low: str, bound: str | None) -> Objects:
    found: Objects = {}
    for row in rows:
        for place, state in _objects(row):
            start = place[0][:INDEXED_CHARACTERS]
            if low <= start and (bound is None or start < bound):
                found[place] = state
    return found


def _objects(row: Row[Any]) -> Iterator[tuple[tuple[str, str | None], ObjectState]]:
    etags, outcomes = unpack_etags(bytes(row.etags)), bytes(row.outcomes)
    for n, key in enumerate(row.keys):
        state = ObjectState(etag=etags[n], size_bytes=row.sizes[n], outcome=Outcome(outcomes[n]))
        yield (key, row.version_ids[n] if row.version_ids else None), state


def moved(connection: Connection, findings: Sequence[Finding], *, of: int, other: int) -> dict[int, str]:
    """Of job ``of``'s findings, by position: where job ``other`` has the same values that ``of`` lacks there; the key.

    The same rule, the same count and the first few values in another object. By findings_by_fingerprint: a value
    that stands in very many objects costs as many look-ups.
    """
    found: dict[int, str] = {}
    asked: list[tuple[int, str, int, str]] = []
    size = 0
    for n, finding in enumerate(findings):
        prints = list(dict.fromkeys(place.fingerprint for place in finding.occurrences))[:_FINGERPRINTS]
        if not prints:
            continue
        one = (n, finding.rule_id, finding.count, json.dumps(prints))
        length = 60 + literal_bytes(one[1]) + 2 * literal_bytes(one[3])
        if asked and size + length > _LOOK_BYTES:
            found |= _moved(connection, asked, of=of, other=other)
            asked, size = [], 0
        asked.append(one)
        size += length
    return found | (_moved(connection, asked, of=of, other=other) if asked else {})


def _moved(
    connection: Connection, asked: Sequence[tuple[int, str, int, str]], *, of: int, other: int
) -> dict[int, str]:
    rows = execute(
        connection,
        """
        select a.n, f.object_key
        from unnest(cast(:places as int[]), cast(:rules as text[]), cast(:counts as bigint[]), cast(:prints as text[]))
          a (n, rule_id, count, prints)
        cross join lateral (
          select f.object_key from findings f
          where f.job_no = :other and f.rule_id = a.rule_id and f.count = a.count
            and jsonb_path_query_array(f.occurrences, '$[*].fingerprint') @> cast(a.prints as jsonb)
            and not exists (select 1 from findings g where g.job_no = :of and g.finding_id = f.finding_id)
          limit 1
        ) f
        """,
        of=of,
        other=other,
        places=[one[0] for one in asked],
        rules=[one[1] for one in asked],
        counts=[one[2] for one in asked],
        prints=[one[3] for one in asked],
    )
    return {row.n: from_text(row.object_key) for row in rows}
