"""Objects of a job by prefix, kind and outcome, as its selection counts them: rows are only added, then summed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.choosing import Stratum
from scanner_tasks.core.kinds import kind_of
from scanner_tasks.core.model import Outcome
from scanner_tasks.core.sampling import Drawn
from scanner_tasks.store.engine import execute, insert_rows
from scanner_tasks.store.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

#: More strata of one job are summed up to their kinds: prefixes of hashes would make one for each object.
MAX_STRATA = 1000


def add_strata(connection: Connection, job_no: int, strata: Iterable[Stratum]) -> None:
    """Add what one page gave, in the transaction that records the page."""
    rows = ((job_no, to_text(s.prefix), s.kind, int(s.outcome), s.objects, s.size_bytes) for s in strata)
    insert_rows(
        connection,
        "insert into job_strata (job_no, prefix, kind, code, objects, bytes) values ",
        "(%s, %s, %s, %s, %s, %s)",
        rows,
    )


def read_strata(connection: Connection, job_no: int) -> tuple[Stratum, ...]:
    """The job's strata, summed (index job_strata_of_job); by kind alone when there are more than MAX_STRATA."""
    rows = execute(
        connection,
        """
        with sums as (
          select prefix, kind, code, sum(objects) objects, sum(bytes) bytes
          from job_strata where job_no = :job_no group by prefix, kind, code
        ), many as (select count(*) > :most or bool_or(prefix = '*') as is_many from sums)
        select case when is_many then '*' else prefix end as prefix, kind, code,
          sum(objects)::bigint as objects, sum(bytes)::bigint as bytes
        from sums cross join many group by 1, 2, 3 order by 1, 2, 3
        """,
        job_no=job_no,
        most=MAX_STRATA,
    )
    return tuple(
        Stratum(
            prefix=from_text(row.prefix),
            kind=row.kind,
            outcome=Outcome(row.code),
            objects=row.objects,
            size_bytes=row.bytes,
        )
        for row in rows
    )


def compact_strata(connection: Connection) -> None:
    """Sum up each job's strata in place, in one statement; prefixes of a job that has too many become ``*``.

    A row that is inserted meanwhile is not seen and stays for the next time. Sums never change.
    """
    execute(
        connection,
        """
        with crowded as (
          select job_no, count(distinct (prefix, kind, code)) > :most or bool_or(prefix = '*') as is_many
          from job_strata group by job_no
          having count(*) > count(distinct (prefix, kind, code)) or count(distinct (prefix, kind, code)) > :most
        ), taken as (
          delete from job_strata s using crowded c where s.job_no = c.job_no returning s.*, c.is_many
        )
        insert into job_strata (job_no, prefix, kind, code, objects, bytes)
        select job_no, case when is_many then '*' else prefix end, kind, code, sum(objects), sum(bytes)
        from taken group by 1, 2, 3, 4
        """,
        most=MAX_STRATA,
    )


def read_drawn(connection: Connection, job_no: int, *, below: str, by_kind: bool) -> tuple[Drawn, ...]:
    """What was found in the objects of each stratum; strata without findings are missing.

    Reads every finding of the job once (its primary key): for when the job has ended.
    """
    rows = execute(
        connection,
        r"""
        with objects as (
          select object_key, count(*)::float8 as findings, sum(count)::float8 as occurrences,
            position('/' in substr(object_key, :depth + 1)) as slash
          from findings where job_no = :job_no group by object_key
        )
        select case when :by_kind then '*' when slash > 0 then left(object_key, :depth + slash) else '' end as prefix,
          coalesce(substring(lower(regexp_replace(object_key, '^.*/', '')) from '((\.[^.]*)?\.[^.]*)$'), '') as suffix,
          count(*) as with_findings, sum(findings) as findings, sum(occurrences) as occurrences,
          sum(findings * findings) as findings_squared, sum(occurrences * occurrences) as occurrences_squared
        from objects group by 1, 2
        """,
        job_no=job_no,
        depth=len(below),
        by_kind=by_kind,
    )
    return tuple(
        Drawn(
            prefix=from_text(row.prefix),
            kind=kind_of(f"x{from_text(row.suffix)}"),
            with_findings=row.with_findings,
            findings=int(row.findings),
            occurrences=int(row.occurrences),
            findings_squared=row.findings_squared,
            occurrences_squared=row.occurrences_squared,
        )
        for row in rows
    )
