"""Each detector as one function: texts in, findings by text and the processor's seconds out.

A finding is (rule of ours that its kind corresponds to, start, end, score). ``GENERIC`` stands for a kind that names no
vendor: it counts as having seen a secret, and as no false alarm.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner_tasks.cli.detect import detector, findings_of

GENERIC = "generic"
Found = tuple[str, int, int, float]

#: Kingfisher's rules by a part of their ids.
KINGFISHER = {
    "aws-access-token": "aws.access_key_id",
    "jwt": "token.jwt",
    "github": "github.token",
    "slack-webhook": "slack.webhook",
    "slack": "slack.token",
    "private-key": "crypto.private_key",
}
CREDSWEEPER = {
    "AWS Client ID": "aws.access_key_id",
    "JSON Web Token": "token.jwt",
    "Github Classic Token": "github.token",
    "Github Fine-granted Token": "github.token",
    "Github Old Token": "github.token",
    "Slack Token": "slack.token",
    "Slack Webhook": "slack.webhook",
    "PEM Private Key": "crypto.private_key",
}
PRESIDIO = {
    "US_SSN": "us.ssn",
    "CREDIT_CARD": "payment.card",
    "PHONE_NUMBER": "contact.phone",
    "EMAIL_ADDRESS": "contact.email",
    "IBAN_CODE": "bank.iban",
}


@dataclass(frozen=True)
class Run:
    """What a detector found in each text, and what it took."""

    findings: list[list[Found]]
    cpu_s: float  #: without loading its rules, where that can be told apart


def ours(texts: Sequence[str], _home: Path) -> Run:
    """s3scan at its default threshold, in this process."""
    using = detector()
    for text in texts:
        findings_of(using, text)  # rules are compiled when they first meet a candidate
    began = time.process_time()
    found = [[(f["rule"], f["start"], f["end"], 1.0) for f in findings_of(using, text)] for text in texts]
    return Run(found, time.process_time() - began)


def presidio(texts: Sequence[str], home: Path) -> Run:
    """Presidio's default recognizers for the five kinds, every score that it gives."""
    lines = "".join(json.dumps({"id": at, "text": text}) + "\n" for at, text in enumerate(texts))
    script = Path(__file__).with_name("presidio_lines.py")
    done = subprocess.run(
        [home / "bin" / "python", script], input=lines, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found: list[list[Found]] = [[] for _ in texts]
    for row in rows[:-1]:
        found[row["id"]] = [(PRESIDIO[kind], start, end, score) for kind, start, end, score in row["findings"]]
    return Run(found, rows[-1]["cpu_s"])


def _files(texts: Sequence[str], folder: Path) -> None:
    for at, text in enumerate(texts):
        (folder / f"{at:06d}.txt").write_text(text, encoding="utf-8", newline="")


def _timed(command: list[Any], empty: list[Any]) -> float:
    """Processor seconds of the command beyond those over an empty folder, second runs (what is cached is cached)."""
    seconds = []
    for each in (empty, command):
        subprocess.run(each, capture_output=True, check=False, env={**os.environ, "NO_COLOR": "1"})
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(each, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return max(0.0, seconds[1] - seconds[0])


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts += [at + 1 for at, character in enumerate(text) if character == "\n"]
    return starts


def kingfisher(texts: Sequence[str], home: Path) -> Run:
    """Kingfisher's whole catalogue without validation, lowest confidence, each place told."""
    with tempfile.TemporaryDirectory() as name:
        folder, empty = Path(name, "texts"), Path(name, "empty")
        folder.mkdir()
        empty.mkdir()
        _files(texts, folder)
        options = [
            *("--no-validate", "--no-update-check", "--no-dedup", "--no-ignore"),
            *("--confidence", "low", "--format", "jsonl", "-j", "1"),
        ]
        command = [home / "bin" / "kingfisher", "scan", folder, *options]
        cpu_s = _timed(command, [home / "bin" / "kingfisher", "scan", empty, *options])
        done = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
    found: list[list[Found]] = [[] for _ in texts]
    for line in done.stdout.splitlines():
        if not line.startswith('{"rule"'):
            continue
        row = json.loads(line)
        place = row["finding"]
        at = int(Path(place["path"]).stem)
        rule = next((ours for part, ours in KINGFISHER.items() if part in row["rule"]["id"]), GENERIC)
        starts = _line_starts(texts[at])
        start = starts[min(place["line"], len(starts)) - 1] + max(0, place["column_start"] - 1)
        snippet = place["snippet"]
        seen = texts[at].find(snippet.split("\\n")[0][:40], max(0, start - 40))
        start = seen if 0 <= seen < start + 400 else start
        found[at].append((rule, start, start + max(1, min(len(snippet), 4000)), 1.0))
        # A key id is told only where its secret is near, and the secret with it.
        secret = place.get("dependent_captures", {}).get("AWS_SECRET_ACCESS_KEY", "")
        if rule == "aws.access_key_id" and secret and (seen := texts[at].find(secret)) >= 0:
            found[at].append(("aws.secret_access_key", seen, seen + len(secret), 1.0))
    return Run(found, cpu_s)


def credsweeper(texts: Sequence[str], home: Path) -> Run:
    """CredSweeper with its defaults, its model included."""
    with tempfile.TemporaryDirectory() as name:
        folder, empty, answer = Path(name, "texts"), Path(name, "empty"), Path(name, "found.json")
        folder.mkdir()
        empty.mkdir()
        _files(texts, folder)
        start = [home / "bin" / "python", "-m", "credsweeper", "--log", "critical", "--path"]
        cpu_s = _timed([*start, folder], [*start, empty])
        subprocess.run([*start, folder, "--save-json", answer], capture_output=True, check=True)
        rows = json.loads(answer.read_text(encoding="utf-8"))
    found: list[list[Found]] = [[] for _ in texts]
    lines = [text.split("\n") for text in texts]
    for row in rows:
        for order, place in enumerate(row["line_data_list"]):
            at = int(Path(place["path"]).stem)
            rule = CREDSWEEPER.get(row["rule"], GENERIC)
            if row["rule"] == "AWS Multi":
                rule = ("aws.access_key_id", "aws.secret_access_key")[min(order, 1)]
            before = sum(len(line) + 1 for line in lines[at][: place["line_num"] - 1])
            seen = texts[at].find(place["value"], before)
            start_at = seen if seen >= 0 else before + max(0, place["value_start"])
            found[at].append((rule, start_at, start_at + len(place["value"]), 1.0))
    return Run(found, cpu_s)


DETECTORS: dict[str, Callable[[Sequence[str], Path], Run]] = {
    "s3scan": ours,
    "Presidio": presidio,
    "Kingfisher": kingfisher,
    "CredSweeper": credsweeper,
}
#: What each is made for: what it does not claim to find is not held against it.
CLAIMS: dict[str, frozenset[str]] = {
    "Presidio": frozenset(PRESIDIO.values()),
    "Kingfisher": frozenset({*KINGFISHER.values(), "aws.secret_access_key"}),
    "CredSweeper": frozenset({*CREDSWEEPER.values(), "aws.secret_access_key"}),
}
