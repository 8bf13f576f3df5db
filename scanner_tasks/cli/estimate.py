"""``s3scan estimate``: what a scan would cost, before a byte is read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.options import ACCESS, SELECTION, with_options
from scanner_tasks.cli.screen import AsJson, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_PREFIXES = 10
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


@with_options(access=ACCESS, selection=SELECTION)
def estimate(
    bucket: Annotated[str, typer.Argument(help="Name of the bucket.", show_default=False)],
    prefix: Annotated[str, typer.Argument(help="Only keys that begin with it, as it stands.")] = "",
    most_objects: Annotated[
        int | None, typer.Option(min=1, help="List so many objects only; S3's daily count tells the rest.")
    ] = None,
    access: dict[str, Any] | None = None,
    selection: dict[str, Any] | None = None,
    as_json: AsJson = False,
) -> None:
    """Reckon what a scan would cost: objects, requests, minutes, dollars, and Macie's price beside it. Reads no object.

    It lists the whole bucket unless told otherwise: 1,000 LIST requests for 1,000,000 objects. Prices are list prices
    with a date (docs/settings.md), assumptions are told. With --json, in the form of POST /scan with dry_run.

    Example: s3scan estimate my-bucket --exclude-kinds media
    """
    told = backend().estimate(
        {"bucket": bucket, "prefix": prefix, "access": access or None, "selection": selection or None},
        most_objects=most_objects,
        listed=_counter(),
    )
    if as_json:
        print_json(told)
        return
    basis = told["basis"]
    if basis["is_complete"]:
        said = f"all {basis['listed_objects']:,} objects listed" + (
            ", up to the limit" if basis["limit_reached"] else ""
        )
    else:
        scaled = basis["scaled_by"]
        said = f"the first {basis['listed_objects']:,} objects" + (f", x {scaled:,.2f}" if scaled else " only")
    print(f"{told['bucket']}/{told['prefix']}: {said}.\n")
    _print_sums("what becomes of them", told["outcomes"])
    _print_sums("kind", told["kinds"])
    _print_sums("prefix", told["prefixes"], most=_PREFIXES)
    _print_costs(told)
    for remark in told["remarks"]:
        print(f"- {remark}")


def _counter() -> Callable[[int], None] | None:
    """Tells on a terminal how far the listing is."""
    if not sys.stderr.isatty():
        return None

    def tell(objects: int) -> None:
        print(f"\r{objects:,} objects listed", end="\r", file=sys.stderr, flush=True)

    return tell


def _print_sums(what: str, sums: Mapping[str, Mapping[str, int]], *, most: int | None = None) -> None:
    ordered = sorted(sums.items(), key=lambda item: item[1]["size_bytes"], reverse=True)
    shown, left = ordered[:most], ordered[len(ordered[:most]) :]
    rows: list[tuple[object, ...]] = [
        ("to be scanned" if name == "pending" else name or "(no prefix)", *_columns(one)) for name, one in shown
    ]
    if left:
        rows.append((f"{len(left):,} others", sum(one["objects"] for _, one in left), "", "", ""))
    print_table([what, "objects#", "size#", "scanned#", "size scanned#"], rows, empty="No object.")
    print()


def _columns(one: Mapping[str, int]) -> tuple[object, ...]:
    return one["objects"], size_text(one["size_bytes"]), one["scanned_objects"], size_text(one["scanned_bytes"])


def _print_costs(told: Mapping[str, Any]) -> None:
    floor, reckoned = told["monthly_floor"], told["assumptions"]
    object_ms, rate, asked = reckoned["object_s"] * 1000, reckoned["bytes_per_s"] / 1e6, told["requests"]
    minutes = ", ".join(f"{minutes:,.1f} with {tasks}" for tasks, minutes in told["minutes_by_tasks"].items())
    tagging = f" {asked['tagging']:,} GetObjectTagging," if asked["tagging"] else ""
    rows: list[tuple[object, ...]] = [
        ("requests", f"{asked['get']:,} GET,{tagging} {asked['list']:,} LIST, {asked['sqs']:,} SQS"),
        ("minutes", f"{minutes} tasks"),
        ("Fargate", f"{dollars(told['dollars'])}  ({_parts(told['parts'], 'compute')})"),
        ("Fargate Spot", f"{dollars(told['dollars_spot'])}  ({_parts(told['parts'], 'compute_spot')})"),
        ("Amazon Macie", f"{dollars(told['macie_dollars'])} for the same bytes"),
        ("CloudTrail", f"{dollars(told['cloudtrail_dollars'])} on top, if a trail logs the bucket's data events"),
        ("every month", f"{dollars(told['monthly_floor_dollars'])} though nothing is scanned ({_parts(floor, '')})"),
        ("reckoned with", f"{object_ms:g} ms an object, {rate:g} MB/s a vCPU"),
    ]
    print_table(["cost", ""], rows, empty="")
    print()


def _parts(parts: Mapping[str, float], compute: str) -> str:
    shown = {name: cost for name, cost in parts.items() if cost and name in ({*parts} - {"compute", "compute_spot"})}
    if compute:
        shown = {"compute": parts[compute], **shown}
    return ", ".join(f"{name.replace('_', ' ')} {dollars(cost)}" for name, cost in shown.items()) or "nothing"


def dollars(cost: float) -> str:
    """Dollars with as many places as it takes.

    Examples:
        >>> dollars(1234.5), dollars(0.01234), dollars(0.0000049), dollars(0)
        ('$1,234.50', '$0.0123', '$0.0000049', '$0.00')
    """
    if cost == 0 or cost >= 1:
        return f"${cost:,.2f}"
    return f"${cost:.4f}" if cost >= 0.001 else f"${float(f'{cost:.2g}'):.9f}".rstrip("0")  # noqa: PLR2004


def size_text(size_bytes: float) -> str:
    """Bytes as people read them.

    Examples:
        >>> size_text(0), size_text(1536), size_text(3 * 1024**4)
        ('0 B', '1.5 KB', '3.0 TB')
    """
    unit = 0
    while size_bytes >= 1024 and unit < len(_UNITS) - 1:  # noqa: PLR2004
        size_bytes, unit = size_bytes / 1024, unit + 1
    return f"{size_bytes:,.0f} B" if unit == 0 else f"{size_bytes:,.1f} {_UNITS[unit]}"
