"""A base under other rules: what their change cannot touch is taken over, and is what a whole scan finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.gate import AllowList
from scanner_tasks.detect.ruleset import Rule, Ruleset
from scanner_tasks.flow import retention
from scanner_tasks.flow.load_rules import ruleset_parts
from scanner_tasks.flow.read_results import JobView, get_results
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.rules import load_builtin
from scanner_tasks.store import rulesets
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.verify import read_accounts

from .conftest import System

SSN, CARD, PASSWORD = b"ssn: 519-72-4836\n", b"card: 4111 1111 1111 1111\n", b"password=Tr4v3l-9xQ\n"
MAIL = b"mail: jane.roe@corp.example.net\n"
#: Few, so that they are soon ready.
_WANTED = {"us.ssn", "payment.card", "contact.email", "generic.password", "generic.api_key"}
RULES = {rule.id: rule for rule in load_builtin().rules if rule.id in _WANTED}


def use(system: System, rules: dict[str, Rule], **budgets: object) -> None:
    """From now on jobs begin, and workers scan, with these."""
    ours = system.settings.model_copy(update=budgets)
    parts = ruleset_parts(Ruleset(tuple(rules.values())), ours)
    told = {"settings": ours, "ruleset_hash": lambda: parts.ruleset_hash, "ruleset_parts": lambda: parts}
    system.feeder = replace(system.feeder, **told)
    detector = Detector(
        Ruleset(tuple(rules.values())),
        Fingerprinter(b"a key of the tests", "k1"),
        occurrences_kept=ours.occurrences_kept,
    )
    system.worker = replace(system.worker, **told, detector=detector)


def run(system: System, base_job: str | None = None) -> JobView:
    view = system.run(start_job(system.bucket, base_job=base_job, using=system.feeder).job_id)
    with transaction(system.engine) as connection:
        assert read_accounts(connection, view.job.job_no).agree
    return view


def found(system: System, view: JobView) -> dict[tuple[str, str], tuple[object, ...]]:
    page = get_results(job_id=view.job.job_id, limit=1000, cursor=None, using=system.feeder)
    return {(f.key, f.rule_id): (f.severity, f.confidence, f.count, f.occurrences, f.columns) for f in page.findings}


@pytest.fixture
def scanned(make_system: Callable[..., System]) -> System:
    system = make_system(text_max_bytes=4096)
    use(system, RULES)
    system.put(
        {f"a/{n:03d}": b"nothing\n" for n in range(120)}
        | {"ssn": SSN * 3, "card": CARD, "mail": MAIL * 2, "password": PASSWORD, "all": SSN + CARD + MAIL + PASSWORD}
        | {"long": b"x " * 4000 + SSN}
    )
    assert run(system).progress.outcomes == {"scanned": 125, "partial(bytes)": 1}
    return system


def test_what_the_change_cannot_touch_is_not_read_and_is_as_a_whole_scan_finds_it(scanned: System) -> None:
    system = scanned
    mail, password = RULES["contact.email"], RULES["generic.password"]
    rules = {
        **{rule_id: rule for rule_id, rule in RULES.items() if rule_id != "generic.api_key"},
        "us.ssn": replace(RULES["us.ssn"], enabled=False),
        "contact.email": replace(mail, severity=Severity.LOW, severity_by_count=((2, Severity.CRITICAL),)),
        "generic.password": replace(password, allow=(AllowList(name="known", words=("tr4v3l",)),)),
    }
    use(system, rules, text_max_bytes=2**20)
    second = run(system, "last")
    assert second.job.base is not None
    # Read again: two with a password, and the one that was too large.
    assert second.progress.outcomes == {"scanned": 3, "unchanged": 123}
    assert second.job.base.refusal is None
    for told in ("us.ssn", "contact.email", "generic.password", "text_max_bytes"):
        assert told in str(second.job.base.reason)
    whole = run(system)
    assert found(system, second) == found(system, whole)
    severities = {key: values[0] for (key, rule_id), values in found(system, whole).items() if rule_id == mail.id}
    assert severities == {"mail": Severity.CRITICAL, "all": Severity.LOW}
    # A third job goes on from the second.
    third = run(system, str(second.job.job_id))
    assert (third.progress.unchanged, found(system, third)) == (126, found(system, whole))


@pytest.mark.parametrize(
    ("change", "again"),
    [({"occurrences_kept": 2}, 4), ({"ranges_above_bytes": 30}, 3), ({"range_bytes": 2**20, "members_max": 10**6}, 0)],
)
def test_budgets_whose_effect_is_known_read_what_they_touch_again(
    scanned: System, change: dict[str, int], again: int
) -> None:
    use(scanned, RULES, **change)
    second = run(scanned, "last")
    assert second.progress.unchanged == 125 - again


def test_what_only_the_content_tells_is_scanned_again_and_the_job_says_why(scanned: System) -> None:
    system = scanned
    rule = replace(RULES["us.ssn"], id="acme.word", pattern="acme-[0-9]{4}")
    for rules, told in (
        ({**RULES, rule.id: rule}, "acme.word"),
        ({**RULES, "us.ssn": replace(RULES["us.ssn"], threshold=Confidence.LOW)}, "us.ssn"),
        ({rule_id: rule for rule_id, rule in RULES.items() if rule_id != "us.ssn"}, "turned off"),
    ):
        use(system, rules)
        started = start_job(system.bucket, base_job="last", using=system.feeder)
        assert started.base is not None
        assert told in str(started.base.refusal)
        assert "every object is scanned again" in str(started.base.reason)
    assert system.run(started.job_id).progress.unchanged == 0


def test_rulesets_stay_as_long_as_a_job_has_them(scanned: System) -> None:
    system = scanned
    parts = system.feeder.ruleset_parts()
    assert parts is not None
    with transaction(system.engine) as connection:
        assert rulesets.read_ruleset(connection, parts.ruleset_hash) == parts
        execute(connection, "update rulesets set used_at = now() - interval '2 days'")
        rulesets.drop_unused(connection)
        assert rulesets.read_ruleset(connection, parts.ruleset_hash) is not None
    view = run(system)
    with transaction(system.engine) as connection:
        execute(connection, "update rulesets set used_at = now() - interval '2 days'")
        jobs = execute(connection, "select job_id from jobs where ruleset_hash = :h", h=parts.ruleset_hash).scalars()
    for job_id in jobs:
        retention.delete_job(job_id, using=system.feeder)
    while retention.retire(using=system.feeder).jobs:
        pass
    with transaction(system.engine) as connection:
        assert rulesets.read_ruleset(connection, view.job.ruleset_hash) is None


def test_nothing_is_taken_over_where_a_ruleset_is_not_known_any_more(scanned: System) -> None:
    system = scanned
    use(system, {**RULES, "us.ssn": replace(RULES["us.ssn"], enabled=False)})
    started = start_job(system.bucket, base_job="last", using=system.feeder)
    assert started.base is not None
    assert started.base.refusal is None
    with transaction(system.engine) as connection:
        execute(connection, "delete from rulesets")
    assert system.run(started.job_id).progress.unchanged == 0
    use(system, RULES)
    again = start_job(system.bucket, base_job="last", using=system.feeder)
    assert again.base is not None
    assert "not known any more" in str(again.base.refusal)
