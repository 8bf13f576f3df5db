"""A job's rules: its hash, workers with others, allowed occurrences, explanations; through a real Postgres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from scanner_tasks import bootstrap, settings
from scanner_tasks.core.errors import FindingNotFound, InvalidInput, RuleError
from scanner_tasks.core.model import Confidence
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect import explain as words
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.gate import AllowList
from scanner_tasks.detect.ruleset import Ruleset
from scanner_tasks.flow import load_rules as loading
from scanner_tasks.flow.explain import explain_finding
from scanner_tasks.flow.load_rules import load_rules, ruleset_hash
from scanner_tasks.flow.read_results import get_results
from scanner_tasks.rules import load_builtin
from scanner_tasks.settings import Settings
from scanner_tasks.store import progress
from scanner_tasks.store.engine import execute, transaction
from tests.flow.conftest import System

KEY = Fingerprinter(b"a key of the tests only", "k1")
SSN = b"ssn: 536-22-8726\n"
TABLE = b"id,amount\n" + b"1,512-44-1234\n"
MakeSystem = Callable[..., System]


def allowing(*values: bytes) -> Detector:
    allow = AllowList(name="ours", values=tuple(KEY.fingerprint(value) for value in values))
    rules = [replace(r, allow=(allow,)) if r.id == "us.ssn" else r for r in load_builtin().rules]
    return Detector(Ruleset(tuple(rules)), KEY)


def findings(system: System, job_id: UUID):
    page = get_results(job_id=job_id, bucket=None, key=None, rule=None, limit=100, cursor=None, using=system.feeder)
    return {finding.key: finding for finding in page.findings}


def test_allowed_occurrences_are_counted_apart_for_finding_and_job(make_system: MakeSystem) -> None:
    system = make_system()
    system.worker = replace(system.worker, detector=allowing(b"536228726"))
    system.put({"both": SSN + b"ssn: 512-44-1234\n", "only": SSN * 3, "none": b"nothing"})
    view = system.run(job_id := system.start())
    (found,) = findings(system, job_id).values()
    assert (found.key, found.count, found.allowed) == ("both", 1, 1)
    assert (view.progress.findings, view.progress.occurrences, view.progress.allowed) == (1, 1, 4)
    assert (view.progress.listed, view.progress.scanned) == (3, 3)
    with transaction(system.engine) as connection:
        progress.compact_deltas(connection)
        progress.refresh_view(connection)
        told = progress.view_progress(connection, [view.job.job_no])[view.job.job_no]
    assert (told.allowed, told.outcomes) == (4, {"scanned": 3})


def test_a_worker_with_other_rules_scans_and_the_job_says_so(make_system: MakeSystem) -> None:
    system = make_system()
    system.put({f"{n:03d}": SSN for n in range(250)})
    job_id = system.start()
    system.worker = replace(system.worker, ruleset_hash=lambda: "other")
    view = system.run(job_id)
    assert (view.job.status, view.progress.scanned) == ("succeeded", 250)
    assert (view.job.ruleset_hash, view.other_rulesets) == ("hash", ("other",))
    same = system.run(system.start())
    assert same.other_rulesets == ("other",)
    system.worker = replace(system.worker, ruleset_hash=lambda: "hash")
    assert system.run(system.start()).other_rulesets == ()


def test_evidence_comes_back_from_postgres_as_the_engine_gave_it(make_system: MakeSystem) -> None:
    system = make_system()
    system.put({"near": SSN, "far": b"x 512-44-1234\n", "table": b"Name,SSN\nx,536228726\n"})
    system.run(job_id := system.start())
    told = {key: finding.occurrences[0].evidence for key, finding in findings(system, job_id).items()}
    assert told == {
        "near": ("pattern", "validator us_ssn", "keyword ssn, 2 before", "confidence high"),
        "far": ("pattern", "validator us_ssn", "no keyword within 50", "confidence medium"),
        "table": ("weak pattern", "validator us_ssn", "column header ssn", "confidence high"),
    }
    with transaction(system.engine) as connection:
        row = execute(
            connection,
            "select occurrences from findings f join jobs using (job_no) where job_id = :id and object_key = 'near'",
            id=job_id,
        ).one()
    assert row.occurrences[0]["e"] == "p|v us_ssn|b2 ssn|Ch"
    assert "evidence" not in row.occurrences[0]


def test_a_column_is_one_profile_through_postgres_and_in_its_explanation(make_system: MakeSystem) -> None:
    system = make_system()
    rows = "".join(f"{n},536-22-{n}\n" for n in range(1000, 1100))
    system.put({"table.csv": f"id,ssn\n{rows}".encode()})
    system.run(job_id := system.start())
    (finding,) = findings(system, job_id).values()
    assert [(column.name, column.rows, column.valid) for column in finding.columns] == [("ssn", 100, 100)]
    told = explain_finding(finding.finding_id, using=system.feeder)
    assert "Column ssn: 100 % of 100 rows hold one." in told.lines


def test_a_finding_is_explained_with_what_keeps_it_from_more(make_system: MakeSystem) -> None:
    system = make_system()
    system.put({"far": b"x 512-44-1234\n" + b"." * 300 + b"ssn 512-44-1235\n"})
    system.run(job_id := system.start())
    (finding,) = findings(system, job_id).values()
    told = explain_finding(finding.finding_id, using=system.feeder)
    assert (told.confidence, told.number, told.rules_are_current) == (Confidence.MEDIUM, 1, True)
    assert [part.kind for part in told.parts] == ["pattern", "check", "no_keyword", "confidence"]
    assert told.why_not_higher.startswith("A keyword near it, or in its column's name, would make it high: ")
    assert told.why_severity == "Severity high: the rule's own."
    assert "512" not in "\n".join(told.lines)
    second = explain_finding(finding.finding_id, occurrence=2, job_id=job_id, using=system.feeder)
    assert second.why_not_higher == "It is the highest there is."
    assert [(part.name, part.distance) for part in second.parts if part.kind == "keyword"] == [("ssn", 1)]
    with pytest.raises(InvalidInput, match="occurrence: the finding keeps 2 of its 2: give 1 to 2"):
        explain_finding(finding.finding_id, occurrence=3, using=system.feeder)
    for wrong in ({"finding_id": uuid4()}, {"finding_id": finding.finding_id, "job_id": uuid4()}):
        with pytest.raises(FindingNotFound):
            explain_finding(**wrong, using=system.feeder)


def test_an_explanation_says_that_the_rules_have_changed_or_gone(make_system: MakeSystem) -> None:
    system = make_system()
    system.put({"far": b"x 512-44-1234\n"})
    system.run(job_id := system.start())
    (finding,) = findings(system, job_id).values()
    later = replace(system.feeder, ruleset_hash=lambda: "later", ruleset=lambda: Ruleset(()))
    told = explain_finding(finding.finding_id, using=later)
    assert (told.rule_name, told.rules_are_current) == (None, False)
    assert told.why_not_higher.startswith("Its rule no longer exists")
    assert told.lines[-1].startswith("The rules have changed since")


def test_the_youngest_jobs_finding_is_explained_and_the_plan_uses_its_index(make_system: MakeSystem) -> None:
    system = make_system()
    system.put({"a": SSN})
    first, second = (system.start() for _ in range(2))
    system.run(first)
    system.run(second)
    (finding,) = findings(system, second).values()
    assert explain_finding(finding.finding_id, using=system.feeder).finding.job_id == second
    assert explain_finding(finding.finding_id, job_id=first, using=system.feeder).finding.job_id == first
    with transaction(system.engine) as connection:
        execute(connection, "set local enable_seqscan = off")
        plan = "\n".join(
            row[0] for row in execute(connection, "explain select * from findings where finding_id = :id", id=uuid4())
        )
    assert "finding_id_idx" in plan


def test_packs_in_s3_and_in_files_run_beside_the_built_in_rules(make_system: MakeSystem, tmp_path) -> None:
    system = make_system()
    pack = tmp_path / "o.toml"
    pack.write_text('[[override]]\nrules = ["us.ssn"]\nenabled = false\n')
    gitleaks = b"[[rules]]\nid = 'acme'\nregex = 'acme_[a-z]{8}'\n"
    system.put({"rules/g.toml": gitleaks, "a": SSN + b"acme_abcdefgh\n"})
    names = (f"s3://{system.bucket}/rules/g.toml", str(pack))
    loaded = load_rules(names, lambda: system.objects)
    assert loaded.origins["gitleaks.acme"] == names[0]
    system.worker = replace(system.worker, detector=Detector(loaded.ruleset, KEY))
    system.run(job_id := system.start("a"))
    (found,) = findings(system, job_id).values()
    assert found.rule_id == "gitleaks.acme"
    for wrong, said in (("nope.toml", "cannot be read"), ("", "give the object's key too")):
        with pytest.raises(RuleError, match=said):
            load_rules([f"s3://{system.bucket}/{wrong}"], lambda: system.objects)


@pytest.mark.parametrize("form", ["{pack} s3://b/x.toml", ' ["{pack}", "s3://b/x.toml"]'])
def test_packs_are_named_with_spaces_or_as_json(form, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("S3SCAN_RULES", form.format(pack=tmp_path / "o.toml"))
    assert Settings().rules == (str(tmp_path / "o.toml"), "s3://b/x.toml")
    monkeypatch.setenv("S3SCAN_RULES", "[")
    settings.load.cache_clear()
    with pytest.raises(InvalidInput, match="Settings are wrong: rules: "):
        settings.load()
    settings.load.cache_clear()


def test_api_and_worker_of_the_same_settings_have_the_same_hash(tmp_path) -> None:
    pack = tmp_path / "o.toml"
    pack.write_text('[[override]]\nrules = ["us.ssn"]\nseverity = "low"\n')
    ours = Settings(rules=(str(pack),))
    read_at_start = bootstrap.load_rules(ours).ruleset
    assert bootstrap.ruleset_hash(ours) == bootstrap.ruleset_hash(ours, read_at_start)
    assert bootstrap.ruleset_hash(ours) != bootstrap.ruleset_hash(Settings())
    pack.write_text('[[override]]\nrules = ["us.ssn"]\nseverity = "medium"\n')
    assert bootstrap.ruleset_hash(ours) != bootstrap.ruleset_hash(ours, read_at_start)


def test_the_hash_covers_rules_budgets_and_code(make_system: MakeSystem, monkeypatch) -> None:
    ours = make_system().settings
    rules = load_builtin()
    made = {ruleset_hash(rules, ours)}
    made.add(ruleset_hash(Ruleset(rules.rules[1:]), ours))
    for name in loading._BUDGETS:
        made.add(ruleset_hash(rules, ours.model_copy(update={name: getattr(ours, name) + 1})))
    monkeypatch.setattr(loading, "code_hash", lambda: "another release")
    made.add(ruleset_hash(rules, ours))
    assert len(made) == 3 + len(loading._BUDGETS)
    assert ruleset_hash(rules, ours.model_copy(update={"log_level": "DEBUG"})) in made


def test_code_is_hashed_whatever_its_line_ends(tmp_path, monkeypatch) -> None:
    def hash_of(text: bytes) -> str:
        (tmp_path / "a.py").write_bytes(text)
        monkeypatch.setattr(loading.resources, "files", lambda _: tmp_path)
        return loading.code_hash.__wrapped__()

    assert hash_of(b"a = 1\r\n") == hash_of(b"a = 1\n") != hash_of(b"a = 2\n")


def test_why_not_higher_is_told_for_each_kind_of_rule() -> None:
    ssn = next(rule for rule in load_builtin().rules if rule.id == "us.ssn")
    bare = replace(ssn, keywords=(), keyword_confidence=None)
    flat = replace(ssn, keyword_confidence=None)
    far, near = ("pattern", "no keyword within 50"), ("pattern", "keyword ssn, 1 after")

    def why(evidence, rule):
        return words.explain(evidence, Confidence.MEDIUM, rule).why_not_higher

    assert why(far, ssn).startswith("A keyword near it, or in its column's name, would make it high: ")
    assert why(near, ssn) == "With a keyword this rule gives high, and no more."
    assert why(("pattern",), bare) == "The rule has no keywords: its pattern and checks alone are worth medium."
    assert why(far, flat) == "This rule gives medium, with a keyword or without."
    assert words.explain((), Confidence.MEDIUM, flat).parts[0].text == "So its confidence is medium."


def test_what_the_engine_says_beyond_our_words_is_repeated() -> None:
    told = words.explain(("column profile: 98 % valid",), Confidence.HIGH, None)
    assert [(part.kind, part.text) for part in told.parts] == [("other", "Column profile: 98 % valid.")]
