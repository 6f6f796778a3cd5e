"""When an event happened: skew of a browser's clock, arrivals that count, and what is too late (CONTRACT 5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.event_time import (
    MAX_LATENESS_MS,
    NETWORK_DELAY_MS,
    WINDOW,
    Skew,
    effective_received_at,
    estimate,
    sample,
    too_late,
)

T0 = 1_772_442_000_000
DELAYS = st.lists(st.integers(0, 30_000), min_size=1, max_size=2 * WINDOW)


def sampled(delays: list[int], ahead: int = 0) -> Skew:
    """Return the skew after posts with these network delays, from a browser whose clock is `ahead` of ours."""
    skew = Skew()
    for index, delay in enumerate(delays):
        sent_at = T0 + index * 1_000
        sample(skew, sent_at + ahead, sent_at + delay)
    return skew


@given(DELAYS, st.integers(-(10**9), 10**9))
def test_a_clock_that_is_wrong_shifts_the_skew_and_nothing_else(delays: list[int], ahead: int) -> None:
    """An hour ahead gives an hour less, and the same uncertainty."""
    right, uncertainty = estimate(sampled(delays))
    assert estimate(sampled(delays, ahead)) == (right - ahead, uncertainty)


@given(DELAYS)
def test_the_skew_is_one_of_the_small_delays(delays: list[int]) -> None:
    """Never more than the median, so that a slow network is not taken for a slow clock; the uncertainty covers it."""
    low, uncertainty = estimate(sampled(delays))
    recent = sorted(delays[-WINDOW:])
    assert recent[0] <= low <= recent[len(recent) // 2]
    assert uncertainty == NETWORK_DELAY_MS + recent[len(recent) // 2] - low


def test_one_absurdly_small_sample_among_many_does_not_decide() -> None:
    """A clock that was set back for a moment."""
    assert estimate(sampled([40] * 30 + [-3_600_000]))[0] == 40


def test_old_samples_are_forgotten() -> None:
    """A laptop that woke up with another clock is believed after a while."""
    assert estimate(sampled([5_000] * WINDOW + [40] * WINDOW))[0] == 40


def test_the_envelopes_of_one_request_count_once() -> None:
    """A backlog of a hundred events is one measurement."""
    skew = Skew()
    for _ in range(100):
        sample(skew, T0, T0 + 9_000)
    assert len(skew.samples) == 1


@pytest.mark.parametrize(
    ("received_at", "kafka", "counts", "doubtful"),
    [
        (T0, T0 + 60_000, T0, False),
        (T0, T0 - 60_000, T0, False),
        (T0, T0 + 60_001, T0 + 60_001, True),
        (T0, T0 - 60_001, T0 - 60_001, True),
        (None, T0, T0, False),
        (T0, -1, T0, False),
        (None, -1, 0, False),
        (0, T0, T0, True),
    ],
)
def test_a_gateway_clock_far_off_kafkas_does_not_count(
    received_at: int | None, kafka: int, counts: int, doubtful: bool
) -> None:
    """One bad clock must not move stream time (CONTRACT 3)."""
    assert effective_received_at(received_at, kafka) == (counts, doubtful)


@pytest.mark.parametrize(("age", "late"), [(MAX_LATENESS_MS, False), (MAX_LATENESS_MS + 1, True), (-1, False)])
def test_more_than_a_day_is_too_late(age: int, late: bool) -> None:
    """Compared with the record's own arrival, so that other traffic does not matter (DECISIONS 5)."""
    assert too_late(T0 + age, T0) is late
