"""Saved pages of windows: what did not change is not written anew, what did is."""

from collections.abc import Callable

import pytest

from streams.contracts.snapshots import PAGE
from streams.domain.intervals.numbers import COUNTS
from streams.domain.intervals.pages import Entry, Page
from streams.domain.intervals.publishing import publish
from streams.domain.intervals.windows import MINUTE, fixed

WINDOW = fixed(MINUTE, 0)


def page() -> Page:
    """Return a page of two windows that was saved."""
    saved = Page(3_600_000, {"60:0": Entry({COUNTS: {"logins": 1}}), "60:60000": Entry({COUNTS: {"logins": 7}})})
    PAGE.save(saved, 0)
    return saved


def more(entry: Entry) -> None:
    """Let something happen in a window."""
    entry.add({COUNTS: {"logins": 2}})


def told(entry: Entry) -> None:
    """Let a row of a window be written."""
    entry.legs = 2
    assert publish("EXTENSION:somebody", WINDOW, entry, 10_000) is not None


def nothing(entry: Entry) -> None:
    """Let a window be touched of which there is nothing to tell."""
    entry.numbers.clear()
    assert publish("EXTENSION:somebody", WINDOW, entry, 10_000) is None


@pytest.mark.parametrize("change", [more, told, nothing])
def test_a_window_that_changed_is_saved_as_it_is_now(change: Callable[[Entry], None]) -> None:
    """Whatever changed; the other window of the page stays what it was."""
    changed = page()
    before = PAGE.read(PAGE.save(changed, 0))
    change(changed.entries["60:0"])
    after = PAGE.read(PAGE.save(changed, 0))
    assert after == changed
    assert after != before
    assert after.entries["60:60000"] == before.entries["60:60000"]


def test_saving_again_gives_the_same_bytes() -> None:
    """A page that did not change is no change of the state."""
    saved = page()
    assert PAGE.save(saved, 0) == PAGE.save(saved, 0) == PAGE.save(PAGE.read(PAGE.save(saved, 0)), 0)
