"""When a window gets a row and what the row says: EARLY, FINAL, AMENDED (CONTRACT 7, DECISIONS 39)."""

from streams.domain.intervals.call_numbers import TAKEN, WITHIN_SECONDS
from streams.domain.intervals.numbers import COUNTS, WITHIN
from streams.domain.intervals.pages import Entry
from streams.domain.intervals.scopes import parts_of
from streams.domain.intervals.windows import Window, final_at
from streams.domain.outputs import Emission, Output
from streams.domain.postings import Row
from streams.domain.words import IntervalKind, ScopeType

DISTINCT = ("distinct_calls_offered", "distinct_calls_answered", "distinct_calls_abandoned")

STEPS = tuple(map(str, WITHIN_SECONDS))


def publish(scope: str, window: Window, entry: Entry, at: int) -> Emission | None:
    """Return the next row of a window at stream time `at`; None while there is nothing to tell."""
    if not entry.revision and not entry.numbers:
        return None
    kind = _kind(window, entry, at)
    entry.revision += 1
    entry.is_final, entry.is_dirty = kind is not IntervalKind.EARLY, False
    scope_type, scope_id = parts_of(scope)
    row: Row = {
        "scope_type": scope_type,
        "scope_id": scope_id,
        "window_seconds": window.seconds,
        "window_start": window.start,
        "window_end": window.end,
        "kind": kind,
        "revision": entry.revision,
        "updated_at": at,
    }
    counts = entry.numbers.get(COUNTS, {})
    row.update(entry.numbers)
    if counts:
        del row[COUNTS]
        row.update(counts)
        row.pop(TAKEN, None)
    if within := entry.numbers.get(WITHIN):
        row[WITHIN] = _cumulative(within)
    row.update(_alone(entry) if scope_type == ScopeType.EXTENSION else _above(counts))
    return Emission(Output.INTERVAL_METRICS, f"{scope}:{window.seconds}:{window.start}", row)


def _kind(window: Window, entry: Entry, at: int) -> IntervalKind:
    due = final_at(window)
    if at < due:
        return IntervalKind.EARLY
    return IntervalKind.FINAL if at == due and not entry.is_final else IntervalKind.AMENDED


def _cumulative(within: dict[str, int]) -> dict[str, int]:
    total = 0
    return {step: (total := total + within.get(step, 0)) for step in STEPS}


def _alone(entry: Entry) -> Row:
    """Return what only rows of extensions have: a maximum cannot be added up."""
    return {
        "longest_ring_ms": entry.rings[-1] if entry.rings else 0,
        "longest_hold_ms": entry.holds[-1] if entry.holds else 0,
        "max_concurrent_calls": entry.legs,
    }


def _above(counts: dict[str, int]) -> Row:
    return {name: counts.get(name, 0) for name in DISTINCT}
