"""Which extensions were heard on a day: quarters of an hour, counts that add up, a list that stays short."""

from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.avro import codec
from streams.contracts.snapshots import COVERAGE, HEARD, ROUNDS
from streams.domain.coverage import (
    MAX_LISTED,
    MEMORY_MS,
    ROUND_MS,
    Coverage,
    Heard,
    Rounds,
    Share,
    amend,
    coverage_row,
    hear,
    heard_due,
    is_heard_at,
    is_heard_in,
    next_due,
    take_stock,
)
from streams.domain.intervals.windows import DAY, SETTLE_MS, Window
from streams.domain.words import CoverageKind
from streams.pipeline.plan import MAX_OUTPUT_BYTES
from tests.builders import HOUR, T0

MIDNIGHT = T0 - T0 % (24 * HOUR)
TODAY = Window(DAY, MIDNIGHT, MIDNIGHT + 24 * HOUR)
KEYS = [f"+16505550100*{number}" for number in range(101, 121)]


def heard_at(*instants: int) -> Heard:
    """Return an extension that was heard at these instants, in this order."""
    heard = Heard()
    for at in instants:
        hear(heard, at)
    return heard


instants = st.lists(st.integers(MIDNIGHT, MIDNIGHT + 90 * HOUR), min_size=1, max_size=12)
windows = st.builds(
    lambda start, hours: Window(DAY, MIDNIGHT + start * ROUND_MS, MIDNIGHT + start * ROUND_MS + hours * HOUR),
    st.integers(-100, 400),
    st.sampled_from([23, 24, 25]),
)


@given(instants, windows)
def test_a_day_knows_whether_an_event_fell_into_it(at: list[int], day: Window) -> None:
    """Exactly, for every day that begins with a quarter of an hour and can still be amended."""
    heard = heard_at(*at)
    if day.start >= max(at) - 51 * HOUR:
        assert is_heard_in(heard, day) == any(day.start <= one < day.end for one in at)


@given(st.data(), instants, windows)
def test_the_order_of_events_does_not_matter(data: st.DataObject, at: list[int], day: Window) -> None:
    """Whatever came first: the same days were heard, and the same is asked again at the same time."""
    one, other = heard_at(*at), heard_at(*data.draw(st.permutations(at)))
    assert is_heard_in(one, day) == is_heard_in(other, day)
    assert heard_due(one) == heard_due(other)
    assert all(is_heard_at(one, instant) == is_heard_at(other, instant) for instant in at)


@given(st.sets(st.sampled_from(KEYS)), st.sets(st.sampled_from(KEYS)), st.sets(st.sampled_from(KEYS)))
def test_heard_and_not_heard_are_the_directory(directory: set[str], heard: set[str], later: set[str]) -> None:
    """When a day is counted and when it is amended; an amendment makes nobody silent and nobody new."""
    coverage = Coverage("16", TODAY)
    take_stock(coverage, Share(None, sorted(directory), "v"), heard.__contains__)
    assert (coverage.extensions, coverage.not_heard) == (len(directory), sorted(directory - heard))
    assert coverage.heard + len(coverage.not_heard) == coverage.extensions
    assert amend(coverage, later.__contains__) == bool((directory - heard) & later)
    assert coverage.not_heard == sorted(directory - heard - later)
    assert coverage.heard + len(coverage.not_heard) == coverage.extensions


def test_a_long_list_is_cut_and_counts_stay_exact() -> None:
    """A row takes any number of extensions, and stays below what a topic takes."""
    keys = [f"+441632960{number:06}*{number:06}" for number in range(MAX_LISTED + 5)]
    coverage = Coverage("16", TODAY)
    take_stock(coverage, Share(None, keys, "v"), lambda _: False)
    assert (coverage.extensions, coverage.heard, len(coverage.not_heard)) == (MAX_LISTED + 5, 0, MAX_LISTED)
    row = codec("CaptureCoverage").encode(coverage_row(coverage, CoverageKind.EARLY, 3, T0))
    assert len(row) < MAX_OUTPUT_BYTES
    assert amend(coverage, {keys[0], keys[-1]}.__contains__)
    assert (coverage.extensions, coverage.heard) == (MAX_LISTED + 5, 1)


def test_a_day_is_told_every_quarter_and_finally() -> None:
    """News wait for the next quarter, or for the day's own end; a day that is over is forgotten."""
    coverage = Coverage("16", TODAY)
    assert next_due(coverage) == TODAY.end + SETTLE_MS
    coverage.changed_at = MIDNIGHT + 1
    assert next_due(coverage) == MIDNIGHT + ROUND_MS
    coverage.changed_at = TODAY.end + 1
    assert next_due(coverage) == TODAY.end + SETTLE_MS
    coverage.is_final = True
    assert next_due(coverage) == TODAY.end + ROUND_MS
    coverage.changed_at = None
    assert next_due(coverage) == TODAY.end + MEMORY_MS


@given(instants)
def test_saved_state_is_read_as_it_was(at: list[int]) -> None:
    """Every field."""
    heard = heard_at(*at)
    assert HEARD.read(HEARD.save(heard, 7)) == heard
    coverage = Coverage("16", TODAY, "v", 3, 1, KEYS[:2], 4, True, at[0])
    assert COVERAGE.read(COVERAGE.save(coverage, 7)) == coverage
    rounds = Rounds(at[0], ["16\x1f5"])
    assert ROUNDS.read(ROUNDS.save(rounds, 7)) == rounds
