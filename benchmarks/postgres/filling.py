"""A ledger of findings made in the database, in seconds: for plans and for figures at sizes that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.store.engine import execute
from scanner_tasks.store.schema import JOBS_IN_A_PARTITION

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Jobs that are made; the first holds four fifths of the findings, the others share the rest.
JOBS = 41
#: A rule that every object has, one of the second half of a job's keys alone, and one that is found once in all.
EVERYWHERE, SECOND_HALF, ONCE = "family.rule-00", "family.late", "family.once"
RULES = 20

_JOBS = """
insert into jobs (job_id, bucket, lane, ruleset_hash, status, listed_at, finished_at)
select md5('job ' || n)::uuid, 'bucket-' || n % 3, 'scan-0', 'r', 'succeeded', now(), now()
from generate_series(1, :jobs) n
"""

# Every object has two findings: rule 0, and one of the others. In the first job nothing is critical but one finding.
_FINDINGS = """
insert into findings (job_no, batch_no, position, rule_id, finding_id, object_key, severity, confidence, count,
  occurrences)
select job_no, of_job / 200, of_job / 2 % 100, rule, md5(bucket || object_key || rule)::uuid, object_key,
  case when rule = 'family.once' or (job_no > 1 and n % 50 = 0) then 'critical' when rule = 'family.late' then 'medium'
    else 'high' end,
  case when n % 3 = 0 then 'high' else 'medium' end,
  1 + n % 5,
  (('[{"masked": "***-**-1234", "context": "ssn: ***-**-1234", "line": 3, "column": 6, "offset": 40, "evidence":'
    || ' ["pattern", "keyword, 3 words before", "confidence 0.9"], "fingerprint": "k1:')
    || md5(n::text) || '"}]')::jsonb
from (
  select *, 'bucket-' || job_no % 3 as bucket,
    'exports/' || of_job * 10 / share || '/department-' || lpad((of_job / 200 % 100)::text, 3, '0') || '/part-'
      || lpad((of_job / 2)::text, 9, '0') || '.csv' as object_key,
    case when of_job % 2 = 0 then 'family.rule-00' when n = 77 then 'family.once'
      when of_job * 2 > share and of_job % 20 = 1 then 'family.late'
      else 'family.rule-' || lpad((1 + of_job / 2 % 18)::text, 2, '0') end as rule
  from (
    select n, case when n < :first then 1 else 2 + (n - :first) % (:jobs - 1) end as job_no,
      case when n < :first then n else (n - :first) / (:jobs - 1) end as of_job,
      case when n < :first then :first else :findings / (5 * (:jobs - 1)) end as share
    from generate_series(cast(:low as int), :high) n
  ) numbered
) named
"""


def fill(connection: Connection, findings: int) -> None:
    """Make JOBS jobs with ``findings`` findings in an empty ledger: numbers 1 to JOBS, all in the first partition."""
    make_jobs(connection)
    fill_part(connection, findings, range(findings))


def make_jobs(connection: Connection) -> None:
    """The jobs alone."""
    assert JOBS < JOBS_IN_A_PARTITION
    execute(connection, _JOBS, jobs=JOBS)


def fill_part(connection: Connection, findings: int, part: range) -> None:
    """Of so many findings in all, those of these numbers."""
    values = {"first": findings * 4 // 5, "findings": findings, "jobs": JOBS}
    execute(connection, _FINDINGS, low=part[0], high=part[-1], **values)


def refresh_statistics(connection: Connection) -> None:
    """As autovacuum does (in autocommit mode)."""
    connection.exec_driver_sql("vacuum analyze findings")
    connection.exec_driver_sql("analyze jobs")
