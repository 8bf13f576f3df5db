"""Which rules a command works with: ``--rules`` and ``--no-builtin``, or what the settings name."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from scanner_tasks.core.model import Confidence
    from scanner_tasks.core.redact import Fingerprinter
    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.rules.load import Loaded

Packs = Annotated[
    list[str] | None,
    typer.Option(
        "--rules",
        metavar="PACK",
        help="A pack of rules beside the built-in ones, a path or s3://bucket/key; may be given again. "
        "Without it, those of S3SCAN_RULES.",
    ),
]
NoBuiltin = Annotated[bool, typer.Option("--no-builtin", help="Leave the built-in rules out.")]


def load(packs: list[str] | None, *, no_builtin: bool = False) -> Loaded:
    """The rules; RuleError or InvalidInput says what is wrong with a pack or the command line."""
    from scanner_tasks import bootstrap, settings  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.flow.load_rules import load_rules  # noqa: PLC0415

    names = packs or list(settings.load().rules)
    if no_builtin and not names:
        raise InvalidInput("--no-builtin: without --rules no rule is left.")
    return load_rules(names, lambda: bootstrap.api().objects, builtin=not no_builtin)


def make_detector(
    loaded: Loaded, *, threshold: Confidence, test_values: bool = False, occurrences_kept: int = 10
) -> Detector:
    """The rules made ready. Fingerprints have a key that nobody keeps, unless an allow list needs the real one."""
    from scanner_tasks.detect.engine import Detector  # noqa: PLC0415

    present, *former = _fingerprinters(loaded)
    return Detector(
        loaded.ruleset,
        present,
        occurrences_kept,
        threshold=threshold,
        test_values=test_values,
        former=former,
    )


def _fingerprinters(loaded: Loaded) -> tuple[Fingerprinter, ...]:
    from scanner_tasks.core.redact import Fingerprinter  # noqa: PLC0415

    if any(allow.values for rule in loaded.ruleset.rules for allow in rule.allow):
        from scanner_tasks import bootstrap, settings  # noqa: PLC0415

        return bootstrap.fingerprinters(settings.load())
    return (Fingerprinter(secrets.token_bytes(32), "none"),)
