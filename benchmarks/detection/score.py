"""Precision and recall by rule on seeded sets, and false alarms on files of this machine. Development sets only.

Run: python -m benchmarks.detection.score [--texts 1500] [--negatives DIR --mb 4]
"""

# ruff: noqa: PLR2004
from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.detection import values
from scanner_tasks.cli.detect import detector, findings_of

KINDS = {
    "us.ssn": values.ssn,
    "payment.card": values.card,
    "contact.email": values.email,
    "contact.phone": lambda r: r.choice((values.phone, values.phone, values.foreign_phone))(r),
    "aws.access_key_id": values.access_key_id,
    "aws.secret_access_key": values.secret_key,
    "bank.iban": values.iban,
    "token.jwt": values.jwt,
    "github.token": values.github_token,
    "slack.token": values.slack_token,
    "crypto.private_key": values.private_key,
}
LABELS = {
    "us.ssn": ("ssn", "SSN", "social security number", "socialSecurity", "tax id (SSN)", ""),
    "payment.card": ("card", "cardNumber", "credit card", "PAN", "payment_card", ""),
    "contact.email": ("email", "mail", "contact", "e-mail", "userEmail", ""),
    "contact.phone": ("phone", "tel", "mobile", "Telephone", "call", ""),
    "aws.access_key_id": ("aws_access_key_id", "AccessKeyId", "AWS_KEY", ""),
    "aws.secret_access_key": ("aws_secret_access_key", "SecretAccessKey", "AWS_SECRET", "aws-secret"),
    "bank.iban": ("iban", "IBAN", "account", "bankAccount", ""),
}
FORMS = ("{k}: {v}", "{k}={v}", '"{k}": "{v}",', "<{k}>{v}</{k}>", 'export {k}="{v}"', "{k} is {v}.", "- {k}: '{v}'")
BARE = ("{v}", "({v})", "see {v} for this", "{v};")


def decoy(r: Random) -> str:
    """Something that only looks like a value."""
    number = values.card_number(r)
    return r.choice(
        (
            f"order {values.digits(r, 9)}",
            f"id={r.getrandbits(128):032x}",
            f"{r.getrandbits(32):08x}-{r.getrandbits(16):04x}-4{r.getrandbits(12):03x}-9abc-{r.getrandbits(48):012x}",
            f"v{r.randrange(9)}.{r.randrange(99)}.{r.randrange(9999)}",
            f"2024-0{r.randrange(1, 10)}-1{r.randrange(10)}T10:{r.randrange(10, 60)}:00.{values.digits(r, 6)}Z",
            f"ts={r.randrange(10**12, 2 * 10**12)}",
            f"sum 0.{values.digits(r, 16)}",
            f"card {number[:-1]}{(int(number[-1]) + 1) % 10}",
            f"ssn 9{values.digits(r, 2)}-00-{values.digits(r, 4)}",
            f"invoice INV-{values.digits(r, 3)}-{values.digits(r, 2)}-{values.digits(r, 4)}",
            f"icon@{r.randrange(2, 4)}x.png",
            f"git@github.com:{r.choice(values.LAST).lower()}/x.git",
            f"sha1 {values.chars(r, '0123456789abcdef', 40)}",
        )
    )


def text(r: Random) -> tuple[str, list[tuple[str, int, int]]]:
    """A text of a few lines, and the places of the values in it."""
    whole, truth = "", []
    for _ in range(r.randrange(4, 14)):
        if r.random() < 0.5:
            whole += decoy(r) + "\n"
            continue
        rule = r.choice(list(KINDS))
        value, label = KINDS[rule](r), r.choice(LABELS.get(rule, ("token", "key", "")))
        before, after = r.choice(FORMS if label else BARE).replace("{k}", label).split("{v}", 1)
        truth.append((rule, len(whole) + len(before), len(whole) + len(before) + len(value)))
        whole += before + value + after + r.choice(("\n", "\n", "  # note\n", "\r\n"))
    return whole, truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1500)
    parser.add_argument("--negatives", type=Path, default=Path(json.__file__).parent.parent)
    parser.add_argument("--mb", type=float, default=2)
    args = parser.parse_args()
    using, r = detector(), Random(11)
    hits, missed, alarms, worst = Counter[str](), Counter[str](), Counter[str](), []
    for _ in range(args.texts):
        whole, truth = text(r)
        found = findings_of(using, whole)
        for rule, start, end in truth:
            # A finding that overlaps the value names it.
            if any(f["rule"] == rule and f["start"] < end and f["end"] > start for f in found):
                hits[rule] += 1
            else:
                missed[rule] += 1
                worst.append(
                    f"missed {rule}: {''.join('9' if c.isdigit() else c for c in whole[start - 12 : start + 12])!r}"
                )
        for f in found:
            if f["rule"] in KINDS and not any(
                rule == f["rule"] and f["start"] < end and f["end"] > start for rule, start, end in truth
            ):
                alarms[f["rule"]] += 1
                worst.append(f"alarm {f['rule']}: {f['masked']!r}")
    print(f"{args.texts} texts, seed 11, threshold medium")
    for rule in KINDS:
        right = hits[rule]
        print(
            f"{rule:<22} values {right + missed[rule]:>5}  "
            f"P {right / max(1, right + alarms[rule]):.3f}  R {right / max(1, right + missed[rule]):.3f}"
        )
    print("\n".join(worst[:20]))
    size, negatives = 0, Counter[str]()
    for path in sorted(args.negatives.rglob("*.py")):
        content = path.read_bytes()[:200_000].decode("utf-8", "replace")
        size += len(content)
        negatives.update(f["rule"] for f in findings_of(using, content))
        if size > args.mb * 10**6:
            break
    print(f"source code, {size / 10**6:.1f} MB: {dict(negatives.most_common(15))}")


if __name__ == "__main__":
    main()
