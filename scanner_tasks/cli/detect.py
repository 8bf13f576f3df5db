"""`s3scan detect`: text on standard input, findings on standard output; nothing leaves this process.

With --jsonl, each line {"id", "text"} is answered by a line {"id", "findings"} in the same order; offsets count Unicode
code points, the end is exclusive, and every occurrence is listed. A line that is no such object is answered by
{"id": null, "error": …}, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.model import Confidence
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.rules import load_builtin
from scanner_tasks.rules.prepared import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO


def detector(*, threshold: Confidence = Confidence.MEDIUM, test_values: bool = False) -> Detector:
    """The built-in rules; fingerprints, which are not printed, have a key that nobody keeps."""
    fingerprinter = Fingerprinter(secrets.token_bytes(32), "none")
    return Detector(load_builtin(), fingerprinter, threshold=threshold, test_values=test_values)


def findings_of(using: Detector, text: str) -> list[dict[str, Any]]:
    """Every occurrence in a text, in order of its place.

    Examples:
        >>> findings_of(detector(), "é: jane@corp.example")
        [{'rule': 'contact.email', 'start': 3, 'end': 20, 'confidence': 'high', 'masked': 'j***@corp.example'}]
    """
    return [
        {
            "rule": found.rule_id,
            "start": found.start,
            "end": found.end,
            "confidence": found.confidence.value,
            "masked": found.masked,
        }
        for found in using.find_all(text)
    ]


def jsonl(using: Detector, lines: TextIO, out: TextIO) -> int:
    """Answers line by line; the number of lines that could not be read."""
    wrong = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = json.loads(line)
            answer = {"id": asked["id"], "findings": findings_of(using, asked["text"])}
        except (ValueError, KeyError, TypeError, AttributeError):
            wrong += 1
            answer = {"id": None, "error": f'line {number} is not {{"id": …, "text": "…"}}'}
        out.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="s3scan detect", description=__doc__)
    parser.add_argument("--jsonl", action="store_true", help="lines of JSON in, lines of JSON out")
    parser.add_argument("--threshold", choices=[*Confidence], default=Confidence.MEDIUM, help="least confidence told")
    parser.add_argument("--test-values", action="store_true", help="tell values published as examples too")
    asked = parser.parse_args(arguments)
    using = detector(threshold=Confidence(asked.threshold), test_values=asked.test_values)
    prepare(using)
    for stream in (sys.stdin, sys.stdout):
        # A lone surrogate, which JSON may spell, must not end the command.
        stream.reconfigure(encoding="utf-8", errors="replace", newline="\n")  # type: ignore[union-attr]
    if asked.jsonl:
        return 1 if jsonl(using, sys.stdin, sys.stdout) else 0
    for found in using.find_all(sys.stdin.read()):
        print(f"{found.line}:{found.column}\t{found.rule_id}\t{found.confidence}\t{found.masked}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
