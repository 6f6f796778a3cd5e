"""What was measured: each figure with its unit, its target and how busy the machine was."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Target:
    """What a figure has to reach."""

    value: float
    at_least: bool
    """False: it must stay below."""

    def met(self, measured: float) -> bool:
        """Tell whether a figure reaches it."""
        return measured >= self.value if self.at_least else measured < self.value

    def __str__(self) -> str:
        """Say it in the words of the table."""
        return f"{'>=' if self.at_least else '<'} {shown(self.value)}"


def at_least(value: float) -> Target:
    """Return a target that a figure must reach."""
    return Target(value, at_least=True)


def below(value: float) -> Target:
    """Return a target that a figure must stay below."""
    return Target(value, at_least=False)


@dataclass
class Figure:
    """One quantity, measured once or several times."""

    name: str
    unit: str
    target: Target | None = None
    note: str = ""
    """What it is a ratio to, or what was counted."""
    values: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    """Load average of the last minute, when each value was taken."""

    def add(self, value: float) -> None:
        """Take one measured value."""
        self.values.append(value)
        self.loads.append(os.getloadavg()[0])

    @property
    def median(self) -> float:
        """The median of the values."""
        return median(self.values)

    @property
    def verdict(self) -> str:
        """Whether the target is met, in words."""
        if self.target is None:
            return ""
        if self.target.met(self.median):
            return "met"
        return "below target" if self.target.at_least else "above target"

    def as_json(self) -> dict[str, object]:
        """Return all of it for a file."""
        return {
            "name": self.name,
            "unit": self.unit,
            "target": None if self.target is None else str(self.target),
            "median": self.median,
            "verdict": self.verdict,
            "note": self.note,
            "values": self.values,
            "load_average": self.loads,
        }


HEAD = ("Figure", "Unit", "Target", "Median", "Lowest to highest", "Runs", "Load", "Verdict", "Note")


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Return the cells of the table, a row each."""
    return [
        (
            figure.name,
            figure.unit,
            "" if figure.target is None else str(figure.target),
            shown(figure.median),
            f"{shown(min(figure.values))} to {shown(max(figure.values))}" if len(figure.values) > 1 else "",
            str(len(figure.values)),
            f"{max(figure.loads):.1f}",
            figure.verdict,
            figure.note,
        )
        for figure in figures
    ]


def table(figures: Sequence[Figure]) -> str:
    """Return the table as plain text."""
    lines = [HEAD, *rows(figures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def shown(value: float) -> str:
    """Return a number with as many digits as it deserves."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
