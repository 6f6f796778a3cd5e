"""A worker says when its brokers fall silent, once, and when they answer again."""

import pytest

from streams.engine.hearing import SILENT_SECONDS, Hearing

T0 = 1_772_442_000.0
LATE = T0 + SILENT_SECONDS + 1.0


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return level and text of what was logged, and forget it."""
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return lines


def test_silence_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """One line each, however often it is looked at."""
    caplog.set_level("INFO")
    hearing = Hearing()
    hearing.begin(T0)
    hearing.look(T0 + SILENT_SECONDS)
    assert said(caplog) == []
    for seconds in (0.0, 1.0, 2.0):
        hearing.look(LATE + seconds)
    assert said(caplog) == [("WARNING", "kafka.silent seconds=31")]
    assert hearing.silent_seconds(LATE) == SILENT_SECONDS + 1.0
    hearing.heard(LATE + 3.0)
    hearing.look(LATE + 3.5)
    hearing.look(LATE + 4.5)
    assert said(caplog) == [("INFO", "kafka.answered")]
    assert hearing.silent_seconds(LATE + 4.5) == 0.0


def test_an_older_answer_makes_nothing_younger_or_older() -> None:
    """Every partition tells when it was last heard of; the latest counts."""
    hearing = Hearing()
    hearing.begin(T0)
    hearing.heard(T0 - 100.0)
    assert hearing.silent_seconds(T0 + SILENT_SECONDS) == 0.0
    assert hearing.silent_seconds(LATE) == SILENT_SECONDS + 1.0


def test_who_reads_nothing_waits_for_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A worker without partitions does not fetch, so silence says nothing."""
    hearing = Hearing()
    hearing.heard(T0)
    assert hearing.silent_seconds(LATE) == 0.0
    hearing.begin(T0)
    hearing.end()
    hearing.look(LATE)
    assert hearing.silent_seconds(LATE) == 0.0
    assert said(caplog) == []
