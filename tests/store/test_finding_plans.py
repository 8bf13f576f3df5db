"""Each query of findings uses the index that it names, and looks at no more than it gives: "none" costs nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from benchmarks.postgres.filling import EVERYWHERE, JOBS, ONCE, SECOND_HALF, fill, refresh_statistics
from scanner_tasks.core.model import Confidence, Severity, TriageStatus
from scanner_tasks.local.postgres import LocalPostgres
from scanner_tasks.store.engine import execute, make_engine
from scanner_tasks.store.findings import FindingFilter, find_finding, read_findings
from tests.conftest import migrate

from .plans import Plan, plan_of, recorded

LIMIT = 50
#: A page's rows of each of twelve scans, and the look for the place where the page begins.
MOST_ROWS = 12 * (LIMIT + 1) + 2


@pytest.fixture(
    scope="module",
    params=[(100_000, True), (100_000, False), pytest.param((1_000_000, True), marks=pytest.mark.slow)],
    ids=["100k", "100k-without-statistics", "1M"],
)
def filled(request: pytest.FixtureRequest, postgres: LocalPostgres) -> Iterator[Connection]:
    """A ledger of so many findings, four fifths of them in job 1; with statistics, or before there are any."""
    findings, has_statistics = request.param
    name = f"findings_{findings}_{has_statistics}".lower()
    server = make_engine(postgres.url(), pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        execute(connection, f"create database {name}")
    migrate(postgres.url(name), "upgrade", "head")
    ours = make_engine(postgres.url(name), pool_size=1)
    with ours.begin() as connection:
        execute(connection, "alter table findings_p0 set (autovacuum_enabled = false)")
        fill(connection, findings)
    with ours.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if has_statistics:
            refresh_statistics(connection)
        yield connection
    ours.dispose()
    with server.connect() as connection:
        execute(connection, f"drop database {name} with (force)")
    server.dispose()


def job_id(connection: Connection, job_no: int = 1):
    return execute(connection, "select job_id from jobs where job_no = :job_no", job_no=job_no).scalar_one()


def plans(connection: Connection, wanted: FindingFilter, *, pages: int = 1) -> tuple[int, list[Plan]]:
    """Findings on the last of so many pages, and the plans of what it asked the table of findings."""
    after = None
    for _ in range(pages):
        with recorded(connection) as sent:
            page = read_findings(connection, wanted, after=after, limit=LIMIT)
        after = page.after
    asked = [plan_of(connection, *one, of="findings") for one in sent if "from findings" in one[0]]
    assert asked
    return len(page.found), asked


def combinations() -> Iterator[dict[str, object]]:
    """Every combination of filters but the job's, each with a value that many findings of job 1 have."""
    choices: dict[str, object] = {
        "bucket": "bucket-1",
        "key": "exports/7/department-006/part-000000006.csv",
        "prefix": "exports/7/department-0",
        "rule": EVERYWHERE,
        "severities": (Severity.HIGH,),
        "confidences": (Confidence.MEDIUM, Confidence.LOW),
    }
    for chosen in itertools.product([False, True], repeat=len(choices)):
        yield {name: value for (name, value), is_in in zip(choices.items(), chosen, strict=True) if is_in}


@pytest.mark.parametrize("of_job", [True, False])
def test_every_combination_of_filters_uses_its_index_and_looks_at_what_it_gives(
    filled: Connection, of_job: bool
) -> None:
    ours = job_id(filled) if of_job else None
    for filters in combinations():
        index = "findings_by_rule" if "rule" in filters else "findings_by_severity"
        for pages in (1, 2):
            found, asked = plans(filled, FindingFilter(job_id=ours, **filters), pages=pages)
            assert found == LIMIT or "key" in filters or not of_job or pages == 2, filters
            for plan in asked:
                assert not plan.walked, (filters, plan.text)
                assert plan.indexes <= {index, "findings_pkey"}, (filters, plan.indexes)
                # Over jobs, each of the others is asked for one of what is wanted.
                assert plan.rows <= MOST_ROWS + (0 if of_job else 12 * 41), (filters, plan.rows, plan.text)
            if "key" in filters:
                break


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"rule": "no.such"}, "findings_by_rule"),
        ({"rule": EVERYWHERE, "severities": (Severity.LOW,)}, "findings_by_rule"),
        ({"rule": ONCE, "severities": (Severity.HIGH,)}, "findings_by_rule"),
        ({"severities": (Severity.LOW,)}, "findings_by_severity"),
        ({"severities": (Severity.CRITICAL,), "prefix": "exports/7"}, "findings_by_severity"),
        ({"confidences": (Confidence.LOW,)}, "findings_by_severity"),
        ({"prefix": "imports/"}, "findings_by_severity"),
        ({"key": "exports/5"}, "findings_by_severity"),
        # Many findings of the rule, many below the prefix, none of both.
        ({"rule": SECOND_HALF, "prefix": "exports/2/"}, "findings_by_rule"),
        ({"rule": SECOND_HALF, "prefix": "exports/2/", "confidences": (Confidence.HIGH,)}, "findings_by_rule"),
    ],
)
def test_none_is_said_without_walking_a_job(filled: Connection, filters: dict[str, object], index: str) -> None:
    found, asked = plans(filled, FindingFilter(job_id=job_id(filled), **filters))
    assert found == 0
    for plan in asked:
        assert not plan.walked, plan.text
        assert plan.indexes == {index}
        assert plan.rows == 0, plan.text


@pytest.mark.parametrize("rule", [None, EVERYWHERE])
def test_page_deep_within_a_job_costs_what_the_first_costs(filled: Connection, rule: str | None) -> None:
    from scanner_tasks.store.findings import FindingPlace  # noqa: PLC0415

    wanted = FindingFilter(job_id=job_id(filled), rule=rule, prefix="exports/")
    deep = execute(
        filled,
        """
        select job_no, batch_no, position, rule_id from findings
        where job_no = 1 and rule_id = :rule and object_key >= 'exports/8/' order by object_key limit 1
        """,
        rule=EVERYWHERE,
    ).one()
    with recorded(filled) as sent:
        page = read_findings(filled, wanted, after=FindingPlace(**deep._mapping), limit=LIMIT)
    assert len(page.found) == LIMIT
    assert page.found[0][1].key >= "exports/8/"
    for statement in sent:
        if "from findings" in statement[0]:
            assert plan_of(filled, *statement, of="findings").rows <= MOST_ROWS


def test_fingerprint_is_found_by_its_index(filled: Connection) -> None:
    (printed,) = execute(
        filled, "select occurrences -> 0 ->> 'fingerprint' from findings where job_no = 7 limit 1"
    ).scalars()
    found, asked = plans(filled, FindingFilter(fingerprint=printed))
    assert found == 1
    for plan in asked:
        assert not plan.walked, plan.text
        assert plan.indexes <= {"findings_by_fingerprint", "findings_pkey"}
        assert plan.rows <= 2
    assert plans(filled, FindingFilter(fingerprint="k1:" + "0" * 32))[0] == 0


@pytest.fixture
def marked(filled: Connection) -> Iterator[Connection]:
    """Some marks on findings of job 1, among many on what its bucket and others hold."""
    execute(
        filled,
        """
        insert into finding_marks (finding_id, bucket, object_key, rule_id, status, marked_by, reason, fingerprints,
          count)
        select finding_id, 'bucket-1', object_key, rule_id, case when number < 80 then 'accepted' else 'fixed' end,
          'ann', 'r', array(select o ->> 'fingerprint' from jsonb_array_elements(occurrences) o), count
        from (
          select *, row_number() over (order by object_key desc) as number
          from findings where job_no = 1 and rule_id = :rule
        ) numbered
        """,
        rule=EVERYWHERE,
    )
    filled.exec_driver_sql("analyze finding_marks")
    yield filled
    execute(filled, "delete from finding_marks")


def test_findings_of_a_mark_are_read_by_marks_of_that_status_alone(marked: Connection) -> None:
    wanted = FindingFilter(job_id=job_id(marked), triage=TriageStatus.ACCEPTED)
    with recorded(marked) as sent:
        page = read_findings(marked, wanted, after=None, limit=LIMIT)
    assert len(page.found) == LIMIT
    (asked,) = [one for one in sent if "from finding_marks" in one[0]]
    marks, of_findings = (plan_of(marked, *asked, of=table) for table in ("finding_marks", "findings"))
    assert (marks.indexes, marks.walked) == ({"finding_marks_of_status"}, set()), marks.text
    assert (of_findings.indexes, of_findings.walked) == ({"findings_by_rule"}, set()), of_findings.text
    assert max(marks.rows, of_findings.rows) < 80


def test_finding_is_found_by_its_id(filled: Connection) -> None:
    (finding_id,) = execute(filled, "select finding_id from findings where job_no = 7 limit 1").scalars()
    with recorded(filled) as sent:
        assert find_finding(filled, finding_id, job_id=None)
    plan = plan_of(filled, *sent[0], of="findings")
    assert "findings_of_id" in plan.indexes, plan.text
    assert not plan.walked, plan.text
    assert plan.rows <= JOBS, plan.text  # each job over the bucket may have it
