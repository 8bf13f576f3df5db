"""A line plot as SVG text: two axes, a legend; nothing to install, the same bytes each time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

WIDTH, HEIGHT = 760, 320
LEFT, RIGHT, TOP, BOTTOM = 60, 690, 54, 270
FONT = 'font-family="sans-serif" font-size="12"'
COLOURS = ("#1f6fb2", "#8ab6dc", "#c0562b", "#4c8a4c")


@dataclass(frozen=True)
class Line:
    """One line; ``x`` ascends."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    axis: Literal["left", "right"] = "left"
    is_dashed: bool = False


def ticks(highest: float) -> list[float]:
    """Round numbers from 0 to at least ``highest``, four to eight of them.

    Examples:
        >>> ticks(20), ticks(0)
        ([0.0, 5.0, 10.0, 15.0, 20.0], [0.0, 1.0])
    """
    if highest <= 0:
        return [0.0, 1.0]
    step = 10 ** math.floor(math.log10(highest))
    for divisor in (1, 2, 4, 5, 10):
        if highest / (step / divisor) >= 3.5:  # noqa: PLR2004 (intervals)
            step /= divisor
            break
    return [step * n for n in range(math.ceil(highest / step - 1e-9) + 1)]


def plot(title: str, lines: Sequence[Line], *, x_title: str) -> str:
    """The picture."""
    x_ticks = ticks(max(max(line.x) for line in lines))
    scales = {
        axis: ticks(max((max(line.y) for line in lines if line.axis == axis), default=1.0))
        for axis in ("left", "right")
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for tick in x_ticks:
        x = _across(tick, x_ticks[-1])
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{BOTTOM}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{x:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 38}" text-anchor="middle">{escape(x_title)}</text>')
    for axis, x, anchor in (("left", LEFT - 8, "end"), ("right", RIGHT + 8, "start")):
        for tick in scales[axis]:
            y = _up(tick, scales[axis][-1])
            parts.append(f'<text x="{x}" y="{y + 4:.1f}" text-anchor="{anchor}">{tick:,g}</text>')
    at = LEFT
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="5 3"' if line.is_dashed else ""
        top = scales[line.axis][-1]
        points = " ".join(f"{_across(x, x_ticks[-1]):.1f},{_up(y, top):.1f}" for x, y in _thin(line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        parts.append(f'<line x1="{at}" x2="{at + 22}" y1="38" y2="38" stroke="{colour}" stroke-width="2"{dash}/>')
        name = f"{line.name} ({line.axis})"
        parts.append(f'<text x="{at + 28}" y="42">{escape(name)}</text>')
        at += 50 + 7 * len(name)
    parts.append(f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}V{TOP}" fill="none" stroke="#666"/>')
    return "\n".join([*parts, "</svg>", ""])


def _thin(line: Line) -> list[tuple[float, float]]:
    """Of points that follow one another on one height the first and the last."""
    pairs = list(zip(line.x, line.y, strict=True))
    return [
        pair
        for number, pair in enumerate(pairs)
        if number in (0, len(pairs) - 1) or not pairs[number - 1][1] == pair[1] == pairs[number + 1][1]
    ]


def _across(x: float, highest: float) -> float:
    return LEFT + (RIGHT - LEFT) * x / highest


def _up(y: float, highest: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * y / highest
