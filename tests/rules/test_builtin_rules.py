"""Every example in the rules' TOML is a test, and so is every negative example."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner_tasks.core.errors import RuleError
from scanner_tasks.core.model import Confidence
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.detect.ruleset import Ruleset
from scanner_tasks.rules import load_builtin, load_files
from scanner_tasks.rules.catalogue import catalogue
from scanner_tasks.rules.check import Problem, check, count

REPOSITORY = Path(__file__).parents[2]
RULES = load_builtin().rules
FINGERPRINTER = Fingerprinter(b"a key for the tests", "t")
DETECTORS = {
    rule.id: Detector(Ruleset((rule,)), FINGERPRINTER, threshold=Confidence.LOW, test_values=True) for rule in RULES
}
STRICT = {rule.id: Detector(Ruleset((rule,)), FINGERPRINTER, threshold=Confidence.LOW) for rule in RULES}
GOOD = """
[[rule]]
id = "custom.ticket"
name = "Ticket"
category = "custom"
severity = "low"
confidence = "low"
pattern = 'TICKET-\\d{4}'
references = ["none"]
examples = ["TICKET-1234"]
negative_examples = ["TICKET-123"]
"""


@pytest.mark.parametrize(
    ("rule_id", "text"), [pytest.param(r.id, t, id=f"{r.id}-{n}") for r in RULES for n, t in enumerate(r.examples, 1)]
)
def test_example_is_found(rule_id, text):
    assert count(DETECTORS[rule_id], text) >= 1


@pytest.mark.parametrize(
    ("rule_id", "text"),
    [pytest.param(r.id, t, id=f"{r.id}-{n}") for r in RULES for n, t in enumerate(r.negative_examples, 1)],
)
def test_negative_example_is_not_found(rule_id, text):
    assert count(STRICT[rule_id], text) == 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_literal_of_a_rule_changes_nothing_but_speed(rule):
    # What the engine may skip is what no match holds: every example is found without the literal too.
    for text in rule.examples:
        found = DETECTORS[rule.id].rules[0].regex.search(text.encode())
        assert found is not None
        assert rule.literal.encode() in text.encode()[slice(*found[0])]


# Ids that others rely on: they are stored with findings and named in allow lists, so they never change.
FIXED_IDS = """
us.ssn us.itin us.ein us.passport us.drivers_license payment.card bank.iban bank.aba_routing bank.swift_bic
aws.access_key_id aws.secret_access_key aws.session_token contact.email contact.phone contact.postal_address
personal.date_of_birth personal.name crypto.private_key token.jwt github.token gitlab.token slack.token slack.webhook
stripe.key google.api_key gcp.service_account azure.storage_key azure.client_secret npm.token pypi.token twilio.key
sendgrid.key openai.key anthropic.key huggingface.token database.connection_string generic.password generic.api_key
network.ipv4
"""


def test_the_fixed_ids_are_there_and_ids_are_unique():
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids) >= 120
    assert set(FIXED_IDS.split()) <= set(ids)


def test_the_rule_files_hold_no_whole_token_of_a_vendor():
    # Such a file could not be pushed to a code host that looks for secrets: one character is written as an escape.
    folder = REPOSITORY / "scanner_tasks" / "rules"
    tokens = [
        rule.id
        for rule in RULES
        if rule.category == "credentials"
        and "(?i:" not in rule.pattern
        and not rule.id.startswith(("aws.", "token.", "crypto.", "generic.", "database."))
    ]
    assert len(tokens) > 80
    for path in [*folder.glob("*.toml"), REPOSITORY / "docs" / "rules.md"]:
        text = path.read_text(encoding="utf-8")
        assert [rule_id for rule_id in tokens if count(DETECTORS[rule_id], text)] == [], path.name


def test_builtin_rules_prove_themselves():
    assert check(load_builtin()) == []


def test_check_names_the_example_that_fails(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        GOOD.replace('["TICKET-1234"]', '["TICKET-1234", "TICKET-x"]').replace('TICKET-123"', 'TICKET-9999"')
    )
    assert check([path]) == [
        Problem("custom.ticket", "examples", "example 2 is not found"),
        Problem("custom.ticket", "negative_examples", "negative example 1 is found"),
    ]


def test_check_tells_a_file_that_is_no_rule_file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("[[rule]\n")
    (problem,) = check([path])
    assert problem.rule_id == ""
    assert problem.message.startswith("own.toml: not TOML: ")
    (problem,) = check([tmp_path / "missing.toml"])
    assert problem.message.startswith("missing.toml: cannot be read")


def test_an_id_used_in_two_files_is_an_error(tmp_path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(RuleError, match=r"rule custom\.ticket: field id: used twice"):
        load_files((tmp_path / "a.toml", tmp_path / "b.toml"))


def test_the_catalogue_in_the_documentation_is_current():
    assert (REPOSITORY / "docs" / "rules.md").read_text(encoding="utf-8") == catalogue(), (
        "run: python -m scanner_tasks.rules.catalogue > docs/rules.md"
    )
