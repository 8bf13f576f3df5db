"""``s3scan estimate``: what a scan would cost, before a byte is read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner_tasks.cli.options import ACCESS, SELECTION, with_options
from scanner_tasks.cli.screen import AsJson, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner_tasks.core.workload import Sum
    from scanner_tasks.flow.estimate import Estimated

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
    from scanner_tasks import estimate as estimate_scan  # noqa: PLC0415

    told = estimate_scan(
        bucket, prefix, selection=selection, most_objects=most_objects, listed=_counter(), **(access or {})
    )
    if as_json:
        print_json(told.to_json())
        return
    if told.is_complete:
        basis = f"all {told.listed:,} objects listed" + (", up to the limit" if told.work.is_full else "")
    else:
        basis = f"the first {told.listed:,} objects" + (f", x {told.scaled_by:,.2f}" if told.scaled_by else " only")
    print(f"{told.bucket}/{told.prefix}: {basis}.\n")
    _print_sums("what becomes of them", told.work.outcomes)
    _print_sums("kind", told.work.kinds)
    _print_sums("prefix", told.work.prefixes, most=_PREFIXES)
    _print_costs(told)
    for remark in told.remarks:
        print(f"- {remark}")


def _counter() -> Callable[[int], None] | None:
    """Tells on a terminal how far the listing is."""
    if not sys.stderr.isatty():
        return None

    def tell(objects: int) -> None:
        print(f"\r{objects:,} objects listed", end="\r", file=sys.stderr, flush=True)

    return tell


def _print_sums(what: str, sums: Mapping[str, Sum], *, most: int | None = None) -> None:
    ordered = sorted(sums.items(), key=lambda item: item[1].size_bytes, reverse=True)
    shown, left = ordered[:most], ordered[len(ordered[:most]) :]
    rows: list[tuple[object, ...]] = [
        ("to be scanned" if name == "pending" else name or "(no prefix)", *_columns(one)) for name, one in shown
    ]
    if left:
        rows.append((f"{len(left):,} others", sum(one.objects for _, one in left), "", "", ""))
    print_table([what, "objects#", "size#", "scanned#", "size scanned#"], rows, empty="No object.")
    print()


def _columns(one: Sum) -> tuple[object, ...]:
    return one.objects, size_text(one.size_bytes), one.scanned_objects, size_text(one.scanned_bytes)


def _print_costs(told: Estimated) -> None:
    costs, floor = told.estimate, sum(told.floor.values())
    object_ms, rate = costs.assumptions["object_s"] * 1000, costs.assumptions["bytes_per_s"] / 1e6
    asked = costs.requests
    rows: list[tuple[object, ...]] = [
        ("requests", f"{asked.get:,} GET, {asked.list:,} LIST, {asked.sqs:,} SQS"),
        (
            "minutes",
            ", ".join(f"{minutes:,.1f} with {tasks}" for tasks, minutes in costs.minutes_by_tasks.items()) + " tasks",
        ),
        ("Fargate", f"{dollars(costs.dollars)}  ({_parts(costs.parts, 'compute')})"),
        ("Fargate Spot", f"{dollars(costs.dollars_spot)}  ({_parts(costs.parts, 'compute_spot')})"),
        ("Amazon Macie", f"{dollars(costs.macie_dollars)} for the same bytes"),
        ("CloudTrail", f"{dollars(costs.cloudtrail_dollars)} on top, if a trail logs the bucket's data events"),
        ("every month", f"{dollars(floor)} though nothing is scanned ({_parts(told.floor, '')})"),
        (
            "reckoned with",
            f"{object_ms:g} ms an object, {rate:g} MB/s a vCPU",
        ),
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
