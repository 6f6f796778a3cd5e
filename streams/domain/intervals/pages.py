"""The windows of one scope as they are kept: an hour of them on a page, a day on a page of its own."""

from bisect import insort
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from streams.domain.intervals.numbers import Numbers, add
from streams.domain.intervals.windows import DAY, HOUR_MS, Window, page_end

MAX_LONGEST = 32
"""So many of the longest are remembered: amendments have to take all of them away before the longest is unknown."""


@dataclass(slots=True)
class Entry:
    """What is known of one window."""

    numbers: Numbers = field(default_factory=dict)
    rings: list[int] = field(default_factory=list)
    """The longest rings of inbound legs, ms, ascending."""
    holds: list[int] = field(default_factory=list)
    legs: int = 0
    """Most legs at once."""
    revision: int = 0
    """How many rows were told."""
    is_final: bool = False
    is_dirty: bool = False
    """Changed since the last row, where changes do not wait elsewhere."""
    written: dict[str, bytes] = field(default_factory=dict, compare=False)
    """What was written of groups that did not change since: not saved."""
    saved: bytes | None = field(default=None, compare=False)
    """What was saved of it, None if it changed since: most windows of a page are over when one of them changes."""

    def add(self, numbers: Numbers) -> None:
        """Add numbers."""
        self.saved = None
        add(self.numbers, numbers)
        if self.written:
            for group in numbers:
                self.written.pop(group, None)


@dataclass(slots=True)
class Page:
    """Windows that are saved together."""

    end: int
    entries: dict[str, Entry] = field(default_factory=dict)
    """By `seconds:start`."""


class Pages(Protocol):
    """The pages of one scope. What is handed out may be changed, and the change is kept."""

    def find(self, window: Window) -> Entry | None:
        """Return what is known of a window, or None."""

    def open(self, window: Window) -> Entry:
        """Return what is known of a window; a new one is begun."""


@lru_cache(maxsize=10_000)
def place_of(window: Window) -> tuple[str, str]:
    """Return the name of the page that a window is kept on, and its own name there."""
    seconds, start, _ = window
    page = f"d{start}" if seconds == DAY else f"h{start // HOUR_MS}"
    return page, f"{seconds}:{start}"


def new_page(window: Window) -> Page:
    """Return an empty page for a window."""
    return Page(page_end(window))


def note_longest(values: list[int], value: int | None, sign: int) -> None:
    """Add a value to the longest ones, or take it away with sign -1."""
    if value is None:
        return
    if sign > 0:
        insort(values, value)
        del values[:-MAX_LONGEST]
    elif value in values:
        values.remove(value)
