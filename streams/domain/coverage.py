"""Capture coverage: which extensions of the directory were heard from on a day, and which were not.

A day is that of the account's time zone (CONTRACT 7, DECISIONS 39). An extension was heard on it when an event of it
was read whose event time falls in the day. Whether it told something new does not matter: an event that is accepted
or a duplicate by the order of arrival shows all the same that the extension is captured.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.domain.intervals.windows import HOUR_MS, QUARTER, Window, final_at
from streams.domain.postings import Row
from streams.domain.words import CoverageKind

ROUND_MS = QUARTER * 1000
"""Rows of a day that goes on are told at multiples of this, in stream time."""
MEMORY_MS = 26 * HOUR_MS
"""A day can be amended so long after its end: what is admitted is at most 24 h late."""
_KEPT = 52 * HOUR_MS // ROUND_MS
"""Quarters of an hour that are remembered of an extension: a day of 25 h and its memory."""
MAX_LISTED = 20_000
"""So many keys stand in a row at most: it has to stay below the brokers' limit of 1 MB."""


@dataclass(slots=True)
class Heard:
    """In which quarters of an hour of event time an extension was heard: days begin with one in every time zone."""

    first: int = 0
    """Number of the earliest quarter since the epoch."""
    quarters: int = 0
    """Bit n: it was heard in the quarter `first` + n."""


def is_heard_at(heard: Heard, at: int) -> bool:
    """Tell whether the quarter of an instant is known already."""
    place = at // ROUND_MS - heard.first
    return place >= 0 and heard.quarters >> place & 1 == 1


def is_heard_in(heard: Heard, window: Window) -> bool:
    """Tell whether the extension was heard between the start and the end of a window."""
    start = max(0, window.start // ROUND_MS - heard.first)
    length = -(-window.end // ROUND_MS) - heard.first - start
    return length > 0 and heard.quarters >> start & ((1 << length) - 1) != 0


def hear(heard: Heard, at: int) -> None:
    """Take note of an event at this event time; what is too old beside the newest is left out."""
    quarter = at // ROUND_MS
    newest = heard.first + heard.quarters.bit_length() - 1
    if not heard.quarters or quarter >= newest + _KEPT:
        heard.first, heard.quarters = quarter, 1
    elif quarter < heard.first:
        if quarter > newest - _KEPT:
            heard.quarters = heard.quarters << heard.first - quarter | 1
            heard.first = quarter
    else:
        heard.quarters |= 1 << quarter - heard.first
        surplus = max(0, heard.quarters.bit_length() - _KEPT)
        heard.quarters >>= surplus
        heard.first += surplus


def heard_due(heard: Heard) -> int:
    """Return the stream time at which no day asks any more when the extension was heard."""
    return (heard.first + heard.quarters.bit_length() + _KEPT) * ROUND_MS


class Share(NamedTuple):
    """What the directory has of one account in one partition of the extensions."""

    zone: str | None
    """Time zone of the account; None: UTC."""
    keys: list[str]
    """Extension keys, sorted."""
    version: str
    """Digest of what the directory says of them; empty when there is none."""


NO_SHARE = Share(None, [], "")


@dataclass(slots=True)
class Coverage:
    """What was told of one account and day in one partition."""

    account_id: str
    window: Window
    version: str = ""
    extensions: int = 0
    heard: int = 0
    not_heard: list[str] = field(default_factory=list)
    """The first MAX_LISTED extension keys, sorted."""
    revision: int = 0
    is_final: bool = False
    changed_at: int | None = None
    """Stream time of the first news since the last row, ms since the epoch."""


@dataclass(slots=True)
class Rounds:
    """When a partition looks at the directory again, and which days it has not told finally."""

    due: int
    open: list[str] = field(default_factory=list)
    """Names of days (`day_name`)."""


def next_round(at: int) -> int:
    """Return the next moment at which days that go on are told, later than `at`."""
    return at - at % ROUND_MS + ROUND_MS


def rounds_due(rounds: Rounds) -> int:
    """Return the stream time of the next round."""
    return rounds.due


def next_due(coverage: Coverage) -> int:
    """Return the stream time at which a day is told again, or forgotten."""
    told = None if coverage.changed_at is None else next_round(coverage.changed_at)
    if coverage.is_final:
        return coverage.window.end + MEMORY_MS if told is None else told
    return final_at(coverage.window) if told is None else min(told, final_at(coverage.window))


def day_name(account_id: str, start: int) -> str:
    """Return the name of an account's day."""
    return f"{account_id}\x1f{start}"


def take_stock(coverage: Coverage, share: Share, is_heard: Callable[[str], bool]) -> bool:
    """Count the directory's extensions of a day anew; tell whether that is other than before."""
    silent = [key for key in share.keys if not is_heard(key)]
    before = coverage.version, coverage.heard, coverage.not_heard
    coverage.version, coverage.extensions = share.version, len(share.keys)
    coverage.heard, coverage.not_heard = len(share.keys) - len(silent), silent[:MAX_LISTED]
    return before != (coverage.version, coverage.heard, coverage.not_heard)


def amend(coverage: Coverage, is_heard: Callable[[str], bool]) -> bool:
    """Take those off the list of a day that is over who were heard on it after all; tell whether there are any.

    The directory of that day stays as it was: who came later is nobody who was not heard.
    """
    silent = [key for key in coverage.not_heard if not is_heard(key)]
    found = len(coverage.not_heard) - len(silent)
    coverage.heard, coverage.not_heard = coverage.heard + found, silent
    return found > 0


def coverage_row(coverage: Coverage, kind: CoverageKind, partition: int, now: int) -> Row:
    """Return the CaptureCoverage row of a day at stream time now."""
    return {
        "account_id": coverage.account_id,
        "partition": partition,
        "window_start": coverage.window.start,
        "window_end": coverage.window.end,
        "kind": kind.value,
        "revision": coverage.revision,
        "updated_at": now,
        "directory_version": coverage.version or None,
        "extensions": coverage.extensions,
        "heard": coverage.heard,
        "not_heard": coverage.not_heard,
    }
