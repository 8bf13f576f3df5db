"""Precision and recall of the built-in rules at their default threshold, and their false alarms on look-alikes.

Run: python -m benchmarks.detection.evaluate [--set NAME …] [--family development|heldout|third] [--seed N] [--texts N]
[--negatives MB] [--markdown] [--export FILE]
"""

# ruff: noqa: RUF001
from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.detection import negatives, sets
from benchmarks.detection.scoring import OTHERS, TARGETS, Score, Tally, score_of
from scanner_tasks.cli.detect import detector, findings_of

Row = list[str]


def table(head: Row, rows: list[Row], *, markdown: bool) -> str:
    """A table as Markdown or in columns."""
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
        return "\n".join(lines) + "\n"
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]]
    return "\n".join(lines) + "\n"


def figures(tally: Tally) -> Row:
    """Values; exact precision and recall; overlapping ones."""
    ratios = (tally.precision, tally.recall, tally.loose_precision, tally.loose_recall)
    return [str(tally.values), *(f"{ratio:.3f}" for ratio in ratios)]


def asked(pair: tuple[float, float] | None) -> str:
    """A target in words."""
    return f"{pair[0]:.2f} / {pair[1]:.2f}" if pair else "–"


def together(scores: dict[str, Score], rule: str, names: list[str]) -> Tally:
    """A rule's counts over sets."""
    total = Tally()
    for name in names:
        total.add(scores[name].rules.get(rule, Tally()))
    return total


def by_rule(scores: dict[str, Score], *, markdown: bool) -> str:
    """The rules that have targets: all sets but the adversarial one together, and that one."""
    plain = [name for name in scores if name != "adversarial"]
    head = ["rule", "sets", "values", "P", "R", "P overlap", "R overlap", "asked P / R", "met"]
    rows = []
    for rule, (public, adversarial) in TARGETS.items():
        for names, label, pair in (
            (plain, "all but adversarial", public),
            (["adversarial"], "adversarial", adversarial),
        ):
            total = together(scores, rule, [n for n in names if n in scores])
            if total.values:
                met = "–" if pair is None else "yes" if total.precision >= pair[0] and total.recall >= pair[1] else "NO"
                rows.append([f"`{rule}`", label, *figures(total), asked(pair), met])
    return table(head, rows, markdown=markdown)


def by_set(scores: dict[str, Score], rules: list[str], *, markdown: bool) -> str:
    """Exact precision and recall of each rule in each set, with the number of values."""
    rows = []
    for rule in rules:
        row = [f"`{rule}`"]
        for score in scores.values():
            tally = score.rules.get(rule)
            row.append(f"{tally.precision:.3f} / {tally.recall:.3f} ({tally.values})" if tally else "")
        if any(row[1:]):
            rows.append(row)
    return table(["rule", *scores], rows, markdown=markdown)


def worst(scores: dict[str, Score], what: str, count: int, *, markdown: bool) -> str:
    """The most frequent misses (by notation) or false alarms (by what they stand on), with one example."""
    rows = []
    found: Counter[tuple[str, str, str]] = Counter()
    for name, score in scores.items():
        for (rule, kind), times in (score.missed if what == "miss" else score.alarms).items():
            if what == "alarm" or rule in TARGETS or rule in OTHERS:
                found[name, rule, kind] = times
    ordered = sorted(found.items(), key=lambda item: (item[0][1] not in TARGETS, -item[1], item[0]))
    for (name, rule, kind), times in ordered[:count]:
        score = scores[name]
        of = score.kinds[rule, kind.removesuffix(" (other ends)")] if what == "miss" else score.decoys[kind]
        rows.append(
            [
                f"`{rule}`",
                name,
                kind,
                f"{times} of {of}" if of else str(times),
                score.examples[what, rule, kind].replace("|", "¦"),
            ]
        )
    return table(["rule", "set", "kind", "times", "example"], rows, markdown=markdown)


def graded_kind(rule: str, kind: str) -> str:
    """Kinds that differ by notation only are one."""
    if kind.endswith("no header"):
        return "in a table without header"
    if rule == "payment.card" and kind.endswith("plain"):
        return "bare digits"
    return "body does not parse" if kind.endswith("noise") else "cut off" if kind.endswith("cut") else kind


def graded(scores: dict[str, Score], *, markdown: bool) -> str:
    """What people would disagree about: how much of it is told."""
    total, found = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for score in scores.values():
        for (rule, kind), times in score.graded.items():
            key = rule, graded_kind(rule, kind)
            total[key] += times
            found[key] += score.graded_found[rule, kind]
    rows = [
        [f"`{rule}`", kind, str(times), f"{found[rule, kind] / times:.2f}"]
        for (rule, kind), times in sorted(total.items())
    ]
    return table(["rule", "kind", "places", "told"], rows, markdown=markdown)


def alarms(sources: dict[str, negatives.Source], *, markdown: bool) -> str:
    """False alarms a MB by rule and kind of text."""
    rows = []
    for kind, source in sources.items():
        row = [kind, f"{source.characters / 1e6:.1f}", str(source.files)]
        for rule in negatives.COUNTED:
            rate = source.alarms[rule] / (source.characters / 1e6 or 1)
            over = rate > negatives.LIMITS[rule][kind != "random numbers"]
            row.append(f"{rate:.1f}{' !' if over else ''}" if rate else "0")
        rows.append(row)
    limits = [
        f"{a:g}; {b:g}" if a != b else f"{b:g}" for a, b in (negatives.LIMITS[rule] for rule in negatives.COUNTED)
    ]
    rows.append(["allowed (random numbers; elsewhere)", "", "", *limits])
    return table(["kind", "MB", "texts", *(f"`{rule}`" for rule in negatives.COUNTED)], rows, markdown=markdown)


def shapes(sources: dict[str, negatives.Source], count: int, *, markdown: bool) -> str:
    """The most frequent false alarms, masked."""
    seen = Counter({(kind, *key): times for kind, source in sources.items() for key, times in source.shapes.items()})
    rows = [
        [f"`{rule}`", kind, str(times), f"`{form.replace('|', '¦')}`"]
        for (kind, rule, form), times in seen.most_common(count)
    ]
    return table(["rule", "kind", "times", "shape"], rows, markdown=markdown)


def export(path: Path, makers: dict[str, sets.Maker], names: list[str], seed: int, count: int) -> None:
    """Writes lines {"id", "text", "labels"}: what `s3scan detect --jsonl` and other detectors read, and the truth."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for name in names:
            for at, labelled in enumerate(sets.texts(makers, name, seed, count)):
                labels = [
                    {"rule": m.rule, "start": m.start, "end": m.end, "kind": m.kind, "status": m.status}
                    for m in labelled.marks
                ]
                line = {"id": f"{name}/{seed}/{at}", "text": labelled.text, "labels": labels}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection.evaluate", description=__doc__)
    parser.add_argument("--set", action="append", choices=list(sets.DEVELOPMENT), help="only these sets")
    parser.add_argument("--family", choices=list(sets.FAMILIES), default="development")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", type=int, default=400, help="texts of each set")
    parser.add_argument("--negatives", type=float, default=14.5, help="MB of look-alikes; 0 for none")
    parser.add_argument("--worst", type=int, default=10, help="misses and false alarms told (development only)")
    parser.add_argument(
        "--details",
        action="store_true",
        help="tell the misses of the held-out family too: not for whoever writes rules",
    )
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--export", type=Path, metavar="FILE", help="write the texts and their labels, and end")
    options = parser.parse_args(arguments)
    if options.export:
        makers = sets.FAMILIES[options.family]
        export(options.export, makers, options.set or list(makers), options.seed, options.texts)
        return
    using, began = detector(), time.process_time()
    style: dict[str, Any] = {"markdown": options.markdown}

    def find(text: str) -> list[dict[str, Any]]:
        return findings_of(using, text)

    makers = sets.FAMILIES[options.family]
    scores = {
        name: score_of(sets.texts(makers, name, options.seed, options.texts), find) for name in options.set or makers
    }
    title = "## {}\n" if options.markdown else "== {}\n"
    print(
        f"Family {options.family}, seed {options.seed}, {options.texts} texts a set, threshold medium, exact spans.\n"
    )
    print(title.format("Rules with targets"), by_rule(scores, **style), sep="\n")
    print(title.format("By set: precision / recall (values)"), by_set(scores, list(TARGETS), **style), sep="\n")
    print(title.format("Other rules"), by_set(scores, OTHERS, **style), sep="\n")
    print(title.format("Graded: reported, not counted"), graded(scores, **style), sep="\n")
    if options.family != "heldout" or options.details:
        print(title.format("Worst misses"), worst(scores, "miss", options.worst, **style), sep="\n")
        print(title.format("Worst false alarms"), worst(scores, "alarm", options.worst, **style), sep="\n")
    if options.negatives:
        sources = negatives.measure(find, options.negatives, options.seed)
        print(title.format("False alarms a MB of look-alikes"), alarms(sources, **style), sep="\n")
        print(title.format("Most frequent shapes there"), shapes(sources, options.worst, **style), sep="\n")
    print(f"{time.process_time() - began:.0f} s of CPU", file=sys.stderr)


if __name__ == "__main__":
    main()
