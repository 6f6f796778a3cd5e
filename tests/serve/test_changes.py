"""Who follows the changes misses nothing, or is told that it did."""

from hypothesis import given
from hypothesis import strategies as st

from streams.serve.changes import Changes, Interest, Kind, told
from streams.serve.held import NOWHERE, tags

SALES, NORTH = tags("sales", None, ()), tags("sales", "north", ())


@given(st.integers(1, 8), st.integers(0, 30), st.integers(0, 30))
def test_a_version_goes_on_without_a_hole_or_not_at_all(kept: int, before: int, after: int) -> None:
    """Everything after the version in order, or None as soon as one change is gone."""
    changes = Changes("a1", kept)
    for number in range(before):
        changes.add(Kind.PRESENCE, str(number), b"{}", NOWHERE)
    version = changes.version
    for number in range(before, before + after):
        changes.add(Kind.PRESENCE, str(number), b"{}", NOWHERE)
    position = changes.position(version)
    if after > kept:
        assert position is None
        assert changes.since(before) is None
    else:
        assert position == before
        assert [change.number for change in changes.since(before) or ()] == list(range(before + 1, before + after + 1))


def test_versions_of_others_are_not_gone_on_with() -> None:
    """Another copy, a made-up number, another text."""
    changes = Changes("a1")
    for version in ("b2-0", "a1-1", "a1--1", "a1", "", "a1-0x", "a1-" + "9" * 40):
        assert changes.position(version) is None
    assert changes.position("a1-0") == 0


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from([Kind.ACTIVE_CALL, Kind.ACTIVE_CALL_ENDED, Kind.PRESENCE]))
    )
)
def test_of_several_changes_of_a_row_the_last_is_told(steps: list[tuple[str, Kind]]) -> None:
    """In the order of the log; an end replaces what came before it."""
    changes = Changes("a1")
    for key, kind in steps:
        changes.add(kind, key, b"{}", NOWHERE)
    shown = told(changes.since(0) or (), Interest())
    tables = [("presence" if kind is Kind.PRESENCE else "call", key) for key, kind in steps]
    last = {place: number for number, place in enumerate(tables, 1)}
    assert [change.number for change in shown] == sorted(last.values())


def test_a_viewer_is_told_what_has_all_its_tags() -> None:
    """And of summaries the one of exactly its scope."""
    changes = Changes("a1")
    changes.add(Kind.ACTIVE_CALL, "1", b"{}", NORTH)
    changes.add(Kind.ACTIVE_CALL, "2", b"{}", NOWHERE)
    changes.add(Kind.SUMMARY, "", b"{}", NOWHERE)
    changes.add(Kind.SUMMARY, "team:sales", b"{}", SALES)
    everything = changes.since(0) or []
    assert [one.number for one in told(everything, Interest(tags=SALES))] == [1, 4]
    assert [one.number for one in told(everything, Interest())] == [1, 2, 3]
    assert [one.number for one in told(everything, Interest(frozenset({Kind.SUMMARY})))] == [3]
