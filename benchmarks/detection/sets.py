"""The labelled sets: names, families, seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from benchmarks.detection import (
    adversarial,
    code,
    documents,
    fourth_files,
    fourth_tables,
    fourth_texts,
    heldout_adversarial,
    heldout_code,
    heldout_documents,
    heldout_logs,
    heldout_sentences,
    heldout_structured,
    heldout_tables,
    logs,
    sentences,
    structured,
    tables,
    third_files,
    third_texts,
)
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
#: The family that figures are quoted from: other templates, other notations. Nobody tunes on it.
HELD_OUT: dict[str, Maker] = {
    "sentences": heldout_sentences.text,
    "documents": heldout_documents.text,
    "tables": heldout_tables.text,
    "structured": heldout_structured.text,
    "code": heldout_code.text,
    "logs": heldout_logs.text,
    "adversarial": heldout_adversarial.text,
}
#: A third family, of another author in mind: its figures were told before anything was mended for it.
THIRD: dict[str, Maker] = {
    "sentences": third_texts.sentences,
    "documents": third_texts.documents,
    "tables": third_texts.table,
    "structured": third_files.structured,
    "code": third_files.code,
    "logs": third_texts.logs,
    "adversarial": third_files.hostile,
}
#: A fourth, of the notations and the style of public labelled sets; measured before anything was mended for it.
FOURTH: dict[str, Maker] = {
    "sentences": fourth_texts.sentences,
    "documents": fourth_texts.documents,
    "tables": fourth_tables.table,
    "structured": fourth_files.structured,
    "code": fourth_files.code,
    "logs": fourth_texts.logs,
    "adversarial": fourth_files.hostile,
}
FAMILIES: dict[str, dict[str, Maker]] = {
    "development": DEVELOPMENT,
    "heldout": HELD_OUT,
    "third": THIRD,
    "fourth": FOURTH,
}


def texts(makers: dict[str, Maker], name: str, seed: int, count: int) -> Iterator[Labelled]:
    """So many texts of a set. Each has chance of its own: a longer set begins with the shorter one."""
    for at in range(count):
        maker = makers[name]
        own = (
            f"{maker.__module__}.{maker.__name__}" if maker in (*THIRD.values(), *FOURTH.values()) else maker.__module__
        )
        yield maker(Random(f"{own}/{seed}/{at}"))
