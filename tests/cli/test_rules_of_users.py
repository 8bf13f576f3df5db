"""Rules from the command line: packs, near misses, allow lists, detection, explanations."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from api_lambda import finding_shapes
from scanner_tasks import explain, results, settings
from scanner_tasks.cli import program
from scanner_tasks.core.errors import FindingNotFound, InvalidInput
from tests.flow.conftest import System

PACK = """
[[rule]]
id = "custom.ticket"
name = "Ticket"
category = "custom"
severity = "low"
confidence = "medium"
pattern = 'TICKET-\\d{4}'
ignore = ["0000"]
severity_by_count = { 3 = "high" }
references = ["none"]
examples = ["TICKET-1234"]
negative_examples = ["TICKET-123"]

[[override]]
rules = ["contact.*"]
enabled = false
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S3SCAN_FINGERPRINT_KEY", "a key of the tests only")
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def run_it(*arguments: object, text: str = "") -> SimpleNamespace:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        capsys.readouterr()
        status = program.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return SimpleNamespace(status=status, out=said.out, err=said.err.strip())

    return run_it


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "ours.toml"
    path.write_text(PACK)
    return path


def test_a_pack_runs_beside_the_built_in_rules_or_alone(run, pack, monkeypatch) -> None:
    assert run("rules", "check", pack).out == "Every rule is proven.\n"
    listed = run("rules", "list", "--rules", pack).out
    assert "us.ssn" in listed
    assert "low, high from 3" in listed
    assert "Turned off by overrides: contact.email" in listed
    pack.write_text(PACK.partition("[[override]]")[0])
    assert "us.ssn" not in run("rules", "list", "--rules", pack, "--no-builtin").out
    alone = run("rules", "list", "--no-builtin")
    assert (alone.status, alone.err) == (2, "s3scan: --no-builtin: without --rules no rule is left.")
    monkeypatch.setenv("S3SCAN_RULES", f'["{pack}"]')
    settings.load.cache_clear()
    assert json.loads(run("rules", "list", "--no-builtin", "--json").out)["source"] == "ours.toml"
    shown = run("rules", "show", "custom.ticket").out
    assert "severity by count: high from 3" in shown
    assert "ignore: 0000" in shown


def test_what_is_wrong_with_a_pack_is_one_line(run, pack) -> None:
    pack.write_text("[[rules]]\nid = 'a'\nregex = 'b(?!c)'")
    checked = run("rules", "check", pack)
    assert checked.status == 1
    assert checked.out == "ours.toml: rule 'a': its pattern cannot be carried: negative lookahead (?!…) is not RE2's\n"
    for command in (("rules", "list"), ("detect",)):
        done = run(*command, "--rules", pack)
        assert (done.status, done.err) == (2, f"s3scan: {checked.out.strip()}")
    pack.write_text("[[rules]]\nid = 'a'\nregex = 'b+'\ntags = ['x']")
    noted = run("rules", "check", pack)
    assert noted.status == 0
    assert "note: ours.toml: a: tags are not carried" in noted.out
    assert noted.out.endswith("Nothing is wrong; see the notes.\n")
    kinds = [json.loads(line)["kind"] for line in run("rules", "check", pack, "--json").out.splitlines()]
    assert kinds == ["note"] * 3


MISSES = [
    ("us.ssn", "ssn 536-22-8726", "is found: pattern; validator us_ssn; keyword ssn, 1 before; confidence high."),
    ("us.ssn", "ssn 000-22-8726", "its area, group or serial number is never given out"),
    ("us.ssn", "ssn 12-536-22-8726", "what stands directly beside it makes it part of something else"),
    ("us.ssn", "x 536228726", "no keyword stands within 50 characters before it"),
    ("us.ssn", "order # 536-22-8726", "the word directly before it names it as something else (order, "),
    ("us.ssn", "id,order_id\n1,536-22-8726\n", "the name of its column speaks of something else"),
    ("us.ssn", "ssn 078-05-1120", "it is a value that was published as an example"),
    ("payment.card", "card 4012 8888 8888 1882", "its check digit (Luhn) does not fit"),
    ("bank.iban", "GB82 WEST 1234 5698 7654 33", "check digits (modulus 97) do not fit"),
    ("custom.ticket", "TICKET-0000", "it holds a word that the rule ignores"),
    ("custom.ticket", "TICKET-7777", "the allow list 'sevens' allows it"),
    ("custom.low", "LOW-1", "its confidence is low, and medium is the least that is reported"),
    ("custom.ticket", "nothing", "Nothing in it has the shape of custom.ticket: TICKET-"),
]


@pytest.mark.parametrize(("rule", "text", "words"), MISSES)
def test_a_near_miss_is_told_with_the_check_that_said_no(run, pack, rule, text, words) -> None:
    low = PACK.partition("[[override]]")[0].replace("custom.ticket", "custom.low").replace("TICKET", "LOW")
    low = (
        low.replace('confidence = "medium"', 'confidence = "low"').replace("{4}", "").replace('["LOW-123"]', '["LOW"]')
    )
    pack.write_text(PACK + low + '\n[[allow]]\nname = "sevens"\nrules = ["custom.ticket"]\nregexes = ["7777"]\n')
    done = run("rules", "test", rule, "--rules", pack, text=text)
    assert done.status == 0
    assert words in done.out
    assert done.out.endswith(".\n") or "Nothing in it" in done.out
    assert not any(part in done.out for part in ("22-8726", "228726", "8888 1882", "05-1120", "7654 33"))
    told = [
        json.loads(line) for line in run("rules", "test", rule, "--rules", pack, "--json", text=text).out.splitlines()
    ]
    assert [each["is_found"] for each in told] == ([] if "Nothing" in words else [words.startswith("is found")])


def test_a_rule_is_tried_on_files_too(run, tmp_path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("ssn 536-22-8726 and ssn 000-22-8726")
    lines = run("rules", "test", "us.ssn", text).out.splitlines()
    assert [line.partition(" is ")[0] for line in lines] == [
        "line 1, column 5: ***-**-****",
        "line 1, column 25: ***-**-****",
    ]


def test_values_are_allowed_without_reaching_the_disk(run, tmp_path, monkeypatch) -> None:
    file = tmp_path / "allowed.toml"
    done = run(
        "rules", "allow", file, "--rule", "us.ssn", "--name", "our “test” people", text="536-22-8726\n\n536 22 8727\n"
    )
    assert done.out == f"{file}: 2 values read, 2 hashes of them added.\n"
    held = file.read_text()
    assert not any(part in held for part in ("536", "8726", "8727"))
    again = run("rules", "allow", file, "--rule", "us.ssn", "--json", text="536228726\n512-44-1234")
    assert json.loads(again.out)["added"] == 1
    text = "ssn 536-22-8726, ssn 536228727, ssn 512-44-1234, ssn 512-44-1235"
    found = run("detect", "--rules", file, text=text).out
    assert found == "1:54\tus.ssn\thigh\t***-**-1235\n"
    people = tmp_path / "people.txt"
    people.write_text(text)
    assert run("rules", "test", people, "--rules", file).out.endswith("Allow lists allow 3 more occurrences.\n")
    monkeypatch.setenv("S3SCAN_FINGERPRINT_KEY", "another key of this year")
    monkeypatch.setenv("S3SCAN_FINGERPRINT_KEY_ID", "k2")
    settings.load.cache_clear()
    rotated = run("detect", "--rules", file, text=text)
    assert (rotated.status, "made with key 'k1', which is not here" in rotated.err) == (2, True)
    monkeypatch.setenv("S3SCAN_FORMER_FINGERPRINT_KEYS", '{"k1": "a key of the tests only"}')
    settings.load.cache_clear()
    assert run("detect", "--rules", file, text=text).out == found


def test_what_a_finding_shows_can_be_allowed_without_its_value(run, tmp_path) -> None:
    file = tmp_path / "allowed.toml"
    mark = "k1:" + "0f" * 16
    assert run("rules", "allow", file, "--fingerprints", text=mark).status == 0
    assert mark in file.read_text()
    wrong = run("rules", "allow", file, "--fingerprints", text=f"{mark}\n536-22-8726")
    assert wrong.err == "s3scan: Line 2 is no fingerprint: they look like k1: and 32 hex digits."
    for arguments, said in (
        ((tmp_path / "x.yaml",), "its name must end with .toml"),
        ((file, "--rule", "us.nope"), "'us.nope' names no rule"),
        ((file, "--name", "a\nb"), "one line of characters"),
    ):
        done = run("rules", "allow", *arguments, text="536-22-8726")
        assert (done.status, said in done.err) == (2, True)
    assert run("rules", "allow", file).err == "s3scan: Standard input holds no value: give one a line."


def test_detect_explains_reads_packs_and_answers_json(run, pack) -> None:
    done = run("detect", "--explain", "--rules", pack, "--no-builtin", "--threshold", "low", text="é TICKET-1234")
    assert done.status == 2  # its override names rules that are not there
    assert "'contact.*' names no rule" in done.err
    done = run("detect", "--explain", "--rules", pack, text="é TICKET-1234 TICKET-0000")
    assert done.out.splitlines()[0] == "1:3\tcustom.ticket\tmedium\t******-****"
    assert done.out.splitlines()[-1] == (
        "    Why not higher: The rule has no keywords: its pattern and checks alone are worth medium."
    )
    (line,) = run("detect", "--json", "--explain", text="ssn 536-22-8726").out.splitlines()
    assert json.loads(line)["evidence"][-1] == "confidence high"
    assert run("detect", "--include-test-values", text="ssn 078-05-1120").out.startswith("1:5\tus.ssn\t")
    assert run("detect", "--threshold", "sure").err == "s3scan: --threshold: one of low, medium, high."


def test_bad_lines_are_answered_told_and_end_with_status_1(run) -> None:
    lines = [
        '{"id": 1, "text": "ssn 536-22-8726"}',
        "nonsense",
        "[]",
        '{"text": "x"}',
        '{"id": 5}',
        '{"id": 6, "text": 7}',
    ]
    done = run("detect", "--jsonl", "--explain", text="\n".join(lines) + "\n\n")
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [(a["id"], "error" in a) for a in answers] == [
        (1, False),
        (None, True),
        (None, True),
        (None, True),
        (5, True),
        (6, True),
    ]
    assert answers[0]["findings"][0]["evidence"]
    assert done.status == 1
    assert [line.rpartition(": ")[2] for line in done.err.splitlines()] == [
        "not JSON",
        "not a JSON object",
        "it has no id",
        "it has no text",
        "its text is no string",
    ]


def test_a_finding_is_explained_by_command_and_in_python(run, system: System) -> None:
    system.put({"a": b"x 512-44-1234\n"})
    system.run(job_id := system.start())
    (finding,) = results(job_id=job_id)
    done = run("explain", finding.finding_id)
    assert done.out.splitlines() == list(explain(finding).lines)
    assert "Why not higher: A keyword near it" in done.out
    assert "512" not in done.out
    as_json = json.loads(run("explain", finding.finding_id, "--job", job_id, "--json").out)
    finding_shapes.Explanation.model_validate(as_json)
    assert set(as_json) == set(finding_shapes.Explanation.model_fields)
    assert explain(str(finding.finding_id), job_id=str(job_id)).finding == finding
    assert run("explain", finding.finding_id, "--occurrence", 2).status == 2
    assert "FINDING: give the UUID that" in run("explain", "x").err
    with pytest.raises(FindingNotFound):
        explain(job_id)
    with pytest.raises(InvalidInput, match="finding: give a UUID"):
        explain("x")
    shown = run("jobs", "show", job_id).out
    assert "ruleset" in shown
