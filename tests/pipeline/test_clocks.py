"""Stream time: the minimum of all sources, also after what was heard is taken back."""

from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.snapshots import CLOCK
from streams.pipeline.clocks import Clocks
from streams.pipeline.store import Store

SOURCES = 3
HEARD = st.lists(st.tuples(st.integers(0, SOURCES - 1), st.integers(0, 50), st.sampled_from(["keep", "undo", "go on"])))


@given(heard=HEARD)
def test_stream_time_is_the_minimum_of_all_sources(heard: list[tuple[int, int, str]]) -> None:
    """Asked after each word, with batches that are saved and batches that fail."""
    store = Store({b"C": (CLOCK, None)}, {})
    clocks = Clocks(store, SOURCES)
    saved: dict[int, int] = {}
    now: dict[int, int] = {}
    for source, time, then in heard:
        clocks.hear(source, time)
        now = {**now, source: max(time, now.get(source, 0))}
        assert clocks.stream_time == (min(now.values()) if len(now) == SOURCES else 0)
        if then == "keep":
            store.save()
            saved = now
        elif then == "undo":
            store.undo()
            now = saved
        assert clocks.stream_time == (min(now.values()) if len(now) == SOURCES else 0)
        assert clocks.told == now
