"""What a detector found beside what was expected: exact spans first, overlapping ones beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.detection.labels import Labelled, Mark, Status

#: The rules that have targets on unseen material, with precision and recall: of public sets, of adversarial ones.
TARGETS: dict[str, tuple[tuple[float, float], tuple[float, float] | None]] = {
    "us.ssn": ((0.98, 0.98), (0.97, 0.97)),
    "payment.card": ((0.99, 0.98), (0.98, 0.98)),
    "aws.access_key_id": ((0.99, 0.99), (0.99, 1.0)),
    "aws.secret_access_key": ((0.98, 0.80), (0.99, 0.97)),
    "contact.phone": ((0.98, 0.95), None),
    "contact.email": ((0.99, 1.0), None),
    "bank.iban": ((0.99, 0.98), None),
    "token.jwt": ((0.97, 0.98), None),
    "github.token": ((0.99, 0.96), (1.0, 1.0)),
    "slack.token": ((0.99, 0.96), (1.0, 1.0)),
    "crypto.private_key": ((0.99, 0.96), (1.0, 1.0)),
}
#: Rules of fixed names without a target.
OTHERS = [
    "us.itin", "us.ein", "us.passport", "us.drivers_license", "bank.aba_routing", "bank.swift_bic",
    "aws.session_token", "gitlab.token", "slack.webhook", "stripe.key", "google.api_key", "gcp.service_account",
    "azure.storage_key", "azure.client_secret", "npm.token", "pypi.token", "twilio.key", "sendgrid.key",
    "openai.key", "anthropic.key", "huggingface.token", "database.connection_string", "generic.password",
    "generic.api_key", "network.ipv4", "contact.postal_address", "personal.date_of_birth", "personal.name",
]  # fmt: skip
#: Names and addresses stand in texts without being marked, so only their recall means something.
RECALL_ONLY = {"personal.name", "contact.postal_address", "gcp.service_account"}

Finding = dict[str, Any]


@dataclass
class Tally:
    """Counts of one rule in one set."""

    values: int = 0
    exact: int = 0
    overlapping: int = 0
    alarms: int = 0  #: findings that overlap no value of the rule
    off: int = 0  #: findings that overlap one, with other ends

    def add(self, other: Tally) -> None:
        """Sums of both."""
        self.values += other.values
        self.exact += other.exact
        self.overlapping += other.overlapping
        self.alarms += other.alarms
        self.off += other.off

    @property
    def precision(self) -> float:
        """Findings with the right ends, of all findings."""
        return self.exact / ((self.exact + self.off + self.alarms) or 1)

    @property
    def recall(self) -> float:
        """Values found with the right ends."""
        return self.exact / (self.values or 1)

    @property
    def loose_precision(self) -> float:
        """Findings that touch a value, of all findings."""
        right = self.exact + self.off
        return right / ((right + self.alarms) or 1)

    @property
    def loose_recall(self) -> float:
        """Values that a finding touches."""
        return self.overlapping / (self.values or 1)


@dataclass
class Score:
    """Counts of one set, and what went wrong by notation and kind."""

    texts: int = 0
    characters: int = 0
    rules: dict[str, Tally] = field(default_factory=dict)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)  #: rule, kind: values
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    decoys: Counter[str] = field(default_factory=Counter)
    alarms: Counter[tuple[str, str]] = field(default_factory=Counter)  #: rule, kind of decoy or what else it was
    graded: Counter[tuple[str, str]] = field(default_factory=Counter)
    graded_found: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def tally(self, rule: str) -> Tally:
        """The rule's counts, to be changed."""
        return self.rules.setdefault(rule, Tally())


def shape(text: str) -> str:
    """Digits as 9, letters as a and A: how it is written, not what it says.

    Examples:
        >>> shape("AKIA1b-2")
        'AAAA9a-9'
    """
    return "".join(
        "9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c if c.isprintable() else "·"
        for c in text
    )


def touches(found: Finding, mark: Mark) -> bool:
    """They share a character."""
    return bool(found["start"] < mark.end and found["end"] > mark.start)


def fits(found: Finding, mark: Mark) -> bool:
    """The finding's ends are right."""
    span = (found["start"], found["end"])
    return span in {(mark.start, mark.end), *mark.ways} or (mark.loose and touches(found, mark))


def what_it_was(found: Finding, marks: Iterable[Mark]) -> str:
    """What a false alarm stands on: a kind of decoy, another rule's value, or text without a mark."""
    under = [m for m in marks if touches(found, m)]
    for mark in under:
        if mark.status is Status.DECOY:
            return mark.kind
    return f"is {under[0].rule}" if under else "unmarked text"


def add(score: Score, labelled: Labelled, findings: list[Finding]) -> None:
    """Count one text's findings."""
    score.texts += 1
    score.characters += len(labelled.text)
    values = [m for m in labelled.marks if m.status is Status.VALUE]
    graded = [m for m in labelled.marks if m.status is Status.GRADED]
    taken: set[int] = set()

    def example(what: str, rule: str, kind: str, start: int, end: int) -> None:
        before = labelled.text[max(0, start - 30) : start]
        after = labelled.text[end : end + 12]
        seen = f"{labelled.template[:60]}: {before!r} ‹{shape(labelled.text[start:end])[:80]}› {after!r}"
        score.examples.setdefault((what, rule, kind), seen)

    for mark in values:
        same = [(at, f) for at, f in enumerate(findings) if f["rule"] == mark.rule and touches(f, mark)]
        right = [at for at, f in same if at not in taken and fits(f, mark)]
        tally = score.tally(mark.rule)
        tally.values += 1
        tally.overlapping += bool(same)
        score.kinds[mark.rule, mark.kind] += 1
        if right:
            tally.exact += 1
            taken.update(at for at, _ in same) if mark.loose else taken.add(right[0])
        else:
            score.missed[mark.rule, mark.kind + (" (other ends)" if same else "")] += 1
            example("miss", mark.rule, mark.kind + (" (other ends)" if same else ""), mark.start, mark.end)
    for mark in graded:
        score.graded[mark.rule, mark.kind] += 1
        score.graded_found[mark.rule, mark.kind] += any(f["rule"] == mark.rule and touches(f, mark) for f in findings)
    score.decoys.update(m.kind for m in labelled.marks if m.status is Status.DECOY)
    for at, found in enumerate(findings):
        rule = found["rule"]
        if at in taken or rule in RECALL_ONLY or (rule not in TARGETS and rule not in OTHERS):
            continue
        if any(touches(found, m) and (m.rule == rule or rule.startswith("generic.")) for m in graded):
            continue
        if rule.startswith("generic.") and any(touches(found, m) for m in values):
            continue  # A password that is also a vendor's token is both.
        if any(m.rule == rule and touches(found, m) for m in values):
            score.tally(rule).off += 1
            continue
        score.tally(rule).alarms += 1
        kind = what_it_was(found, labelled.marks)
        score.alarms[rule, kind] += 1
        example("alarm", rule, kind, found["start"], found["end"])


def score_of(texts: Iterable[Labelled], find: Callable[[str], list[Finding]]) -> Score:
    """The counts of a set."""
    score = Score()
    for labelled in texts:
        add(score, labelled, find(labelled.text))
    return score
