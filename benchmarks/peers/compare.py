"""Precision and recall of s3scan, Presidio, Kingfisher and CredSweeper on the same labelled texts.

Run: python -m benchmarks.peers.compare [--family NAME] [--seed N] [--texts N]

A value is found when a finding of the corresponding kind touches it; ends need not agree, since each tool tells
others. A finding is right when it touches a value of its kind; what people would disagree about ("graded" in
docs/evaluation.md) counts neither way. Presidio's findings carry scores: for each kind the threshold is taken
that suits it best on these very texts (greatest F1), which its users could not know. AWS key ids that AWS could
not have issued (not base 32) are left out for all. The peers are installed into .venv-peers from
requirements/peers.in; nothing of them is part of s3scan.
"""

# ruff: noqa: RUF001
from __future__ import annotations

import argparse
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.detection import sets
from benchmarks.detection.evaluate import table
from benchmarks.detection.labels import Labelled, Mark, Status
from benchmarks.peers.detectors import CLAIMS, DETECTORS, GENERIC, Found, Run

ROOT = Path(__file__).parents[2]
RULES = (
    "us.ssn", "payment.card", "contact.phone", "contact.email", "bank.iban", "aws.access_key_id",
    "aws.secret_access_key", "token.jwt", "github.token", "slack.token", "crypto.private_key",
)  # fmt: skip
#: What people write, and what programs write; what hides on purpose is left out.
GROUPS = {"prose": ("sentences", "documents"), "data": ("tables", "structured", "code", "logs")}
ISSUED = re.compile(r"A[A-Z]{3}[A-Z2-7]{16}$")


@dataclass(frozen=True)
class Ratio:
    """One detector's figures for one rule."""

    precision: float
    recall: float
    threshold: float

    @property
    def f1(self) -> float:
        """The harmonic mean."""
        return 2 * self.precision * self.recall / ((self.precision + self.recall) or 1)


def _touch(found: Found, mark: Mark) -> bool:
    return found[1] < mark.end and found[2] > mark.start


def _counted(mark: Mark) -> bool:
    impossible = mark.rule == "aws.access_key_id" and not ISSUED.match(mark.value)
    return mark.status is Status.VALUE and not impossible


def ratio(rule: str, texts: Sequence[Labelled], findings: Sequence[Iterable[Found]], threshold: float) -> Ratio:
    """Precision and recall of one rule at a threshold of the detector's own scores."""
    values = hit = right = wrong = 0
    for labelled, all_found in zip(texts, findings, strict=True):
        kept = [f for f in all_found if f[3] >= threshold]
        same = [f for f in kept if f[0] == rule]
        for mark in labelled.marks:
            if mark.rule == rule and _counted(mark):
                values += 1
                hit += any(_touch(f, mark) for f in kept if f[0] in {rule, GENERIC})
        for found in same:
            under = [m for m in labelled.marks if m.rule == rule and _touch(found, m)]
            if any(_counted(m) for m in under):
                right += 1
            elif not any(m.status is Status.GRADED or m.status is Status.VALUE for m in under):
                wrong += 1
    return Ratio(right / ((right + wrong) or 1), hit / (values or 1), threshold)


def best(rule: str, texts: Sequence[Labelled], run: Run) -> Ratio:
    """At the threshold with the greatest F1."""
    thresholds = sorted({round(f[3], 2) for text in run.findings for f in text if f[0] == rule}) or [0.0]
    return max((ratio(rule, texts, run.findings, at) for at in thresholds), key=lambda told: told.f1)


def environment() -> Path:
    """The peers' environment, made where it is missing."""
    home = ROOT / ".venv-peers"
    if not (home / "bin" / "kingfisher").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "pip", "install", "-q", "-r", ROOT / "requirements" / "peers.in"], check=True)
    return home


def compare(title: str, texts: Sequence[Labelled], home: Path) -> None:
    """Runs every detector over the texts and prints its figures."""
    size = sum(len(t.text.encode()) for t in texts) / 1e6
    print(f"\n{title}; {len(texts)} texts, {size:.2f} MB\n")
    runs = {name: find([t.text for t in texts], home) for name, find in DETECTORS.items()}
    rows = []
    for rule in RULES:
        values = sum(m.rule == rule and _counted(m) for t in texts for m in t.marks)
        cells = [f"`{rule}`", str(values)]
        for name, run in runs.items():
            if name in CLAIMS and rule not in CLAIMS[name]:
                cells.append("–")
                continue
            told = best(rule, texts, run)
            cells.append(f"{told.precision:.3f} / {told.recall:.3f}")
        if values:
            rows.append(cells)
    rows.append(["MB a CPU second", "", *(f"{size / run.cpu_s:.2f}" if run.cpu_s else "?" for run in runs.values())])
    print(table(["rule: P / R", "values", *runs], rows, markdown=True))


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.compare", description=__doc__)
    parser.add_argument("--family", choices=list(sets.FAMILIES), default="heldout")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--texts", type=int, default=100, help="texts of each set")
    options = parser.parse_args(arguments)
    home = environment()
    makers = sets.FAMILIES[options.family]
    print(f"{platform.machine()}, Python {platform.python_version()}; family {options.family}, seed {options.seed}")
    for group, names in GROUPS.items():
        texts = [t for name in names if name in makers for t in sets.texts(makers, name, options.seed, options.texts)]
        compare(f"{group}: {', '.join(names)}", texts, home)


if __name__ == "__main__":
    main()
