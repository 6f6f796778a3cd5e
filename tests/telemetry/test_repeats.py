"""An outage does not fill the log with one library's line."""

import logging

from streams.telemetry.repeats import MAX_TEXTS, WITHIN_SECONDS, RepeatFilter


def a_line(text: str, at: float, name: str = "aiokafka", level: int = logging.ERROR) -> logging.LogRecord:
    line = logging.LogRecord(name, level, "", 0, text, (), None)
    line.created = at
    return line


def test_a_line_passes_once_and_its_repeats_are_counted() -> None:
    """Fifty lines a second become one in ten seconds, and the next says how many there were."""
    only, held = RepeatFilter(), 0
    for number in range(100):
        held += not only.filter(a_line(f"Unable to connect to node {number}", number / 50))
    later = a_line("Unable to connect to node 1", 1.98 + WITHIN_SECONDS)
    assert only.filter(later)
    assert held == 99
    assert later.getMessage() == "Unable to connect to node 1 (99 more like it since)"


def test_other_lines_pass() -> None:
    """Another text, another level, another library and our own lines are not held back."""
    only = RepeatFilter()
    first = a_line("lost", 0)
    others = [a_line("found", 0), a_line("lost", 0, level=logging.WARNING), a_line("lost", 0, name="mode")]
    ours = [a_line("membership.lost", 0, name="streams.engine") for _ in range(3)]
    assert all(only.filter(line) for line in [first, *others, *ours])
    assert not only.filter(a_line("lost", 0))


def test_its_memory_is_bounded() -> None:
    """A library that never says the same thing twice does not fill the memory."""
    only = RepeatFilter()
    assert all(only.filter(a_line("x" * number, 0)) for number in range(3 * MAX_TEXTS))
    assert len(only._passed) <= MAX_TEXTS
