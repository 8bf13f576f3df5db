"""The labelled sets: names, families, seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from benchmarks.detection import adversarial, code, documents, logs, sentences, structured, tables
from benchmarks.detection.labels import Labelled

Maker = Callable[[Random], Labelled]
#: The family that rules are tuned on.
DEVELOPMENT: dict[str, Maker] = {
    "sentences": sentences.text,
    "documents": documents.text,
    "tables": tables.text,
    "structured": structured.text,
    "code": code.text,
    "logs": logs.text,
    "adversarial": adversarial.text,
}
FAMILIES: dict[str, dict[str, Maker]] = {"development": DEVELOPMENT}


def texts(makers: dict[str, Maker], name: str, seed: int, count: int) -> Iterator[Labelled]:
    """So many texts of a set. Each has chance of its own: a longer set begins with the shorter one."""
    for at in range(count):
        yield makers[name](Random(f"{name}/{seed}/{at}"))
