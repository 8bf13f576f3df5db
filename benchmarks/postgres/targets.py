"""Figures beside what was promised of them: a table in Markdown, each line with met or missed."""

from __future__ import annotations

from dataclasses import dataclass, field

_AT_LEAST, _AT_MOST = "≥", "≤"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A bound: the ratio or value must be at least, or at most, this."""

    sign: str
    bound: float
    #: As it is written, such as ``1/10``.
    told: str

    def is_met_by(self, value: float) -> bool:
        """Whether the value keeps it."""
        return value >= self.bound if self.sign == _AT_LEAST else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.told}"


def at_least(bound: float, told: str = "") -> Target:
    """The value must not be less."""
    return Target(sign=_AT_LEAST, bound=bound, told=told or f"{bound:g}")


def at_most(bound: float, told: str = "") -> Target:
    """The value must not be more."""
    return Target(sign=_AT_MOST, bound=bound, told=told or f"{bound:g}")


@dataclass(slots=True)
class Table:
    """Lines of our figure, the plain design's, their ratio and its target."""

    lines: list[str] = field(default_factory=lambda: ["| step | ours | plain | ratio | target | |", "|---" * 6 + "|"])
    missed: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        value: float,
        *,
        ours: str = "",
        plain: str = "",
        target: Target | None = None,
    ) -> None:
        """A line; ``value`` is what the target is about."""
        verdict = "" if target is None else "met" if target.is_met_by(value) else "missed"
        if verdict == "missed":
            self.missed.append(name)
        self.lines.append(f"| {name} | {ours} | {plain} | {value:.3g} | {target or ''} | {verdict} |")

    def __str__(self) -> str:
        return "\n".join(self.lines)
