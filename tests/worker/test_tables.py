"""The tables of active calls and presence: read-only mappings over the state of a worker (ENGINE 2.13)."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from streams.contracts.snapshots import SavedStateError
from streams.domain.words import State
from streams.pipeline.extensions import ExtensionsPartition
from streams.worker.tables import ActiveCalls, Presence
from tests.builders import LOGIN, Both, Tab, reads

OTHER = "+16505550100*102"


def a_partition(login: str = LOGIN, *, ended: bool = False) -> ExtensionsPartition:
    """Return a partition in which somebody is in one call and another rings."""
    both, tab = Both(), Tab(login, login=login)
    first, second = tab.call(1), tab.call(2)
    posts = [tab.presence(0), first.ring(10), first.start(20), second.ring(30)]
    both.take(reads([*posts, *([first.end(40), second.end(50)] if ended else [])]))
    return both.extensions


def calls_of(*partitions: ExtensionsPartition) -> ActiveCalls:
    """Return the table over partitions."""
    return ActiveCalls(lambda: partitions)


def test_active_calls_are_found_by_their_leg() -> None:
    """As a Faust table is read: by key, by iteration, by membership."""
    table = calls_of(a_partition())
    assert isinstance(table, Mapping)
    assert table.name == "active_calls"
    assert len(table) == 2
    assert {leg.state for leg in table.values()} == {State.CONNECTED, State.RINGING}
    for leg_id, leg in table.items():
        assert table[leg_id].leg_id == leg.leg_id == leg_id
        assert leg_id in table
    assert sorted(table.states()) == sorted(leg.state for leg in table.values() if leg.state)


def test_calls_that_have_ended_are_not_active() -> None:
    """Their legs stay in the state for a while."""
    assert dict(calls_of(a_partition(ended=True))) == {}


def test_presence_is_found_by_its_extension() -> None:
    """The published row, as on the topic."""
    table = Presence(lambda: [a_partition()])
    assert table.name == "presence"
    assert list(table) == [LOGIN]
    assert table[LOGIN]["activity"] == "ON_CALL"
    assert table.get(OTHER) is None


@pytest.mark.parametrize("table", [ActiveCalls, Presence])
def test_a_key_that_is_not_here_is_a_key_error(table: Callable[[Any], Mapping[str, object]]) -> None:
    """It may be on another worker."""
    with pytest.raises(KeyError, match="nobody"):
        table(lambda: [a_partition()])["nobody"]


def test_a_lookup_reads_no_row_but_its_own() -> None:
    """Rows that cannot be read are not in its way, only in that of who reads the whole table."""
    both = Both()
    for login in (LOGIN, OTHER):
        tab = Tab(login, login=login)
        both.take(reads([tab.presence(0), tab.call(1).ring(10)]))
    calls = {leg.extension_key: leg_id for leg_id, leg in calls_of(both.extensions).items()}
    broken = {key: value[:12] if OTHER.encode() in key else value for key, value in both.saved["extensions"].items()}
    partition = ExtensionsPartition(both.plan, 0, broken)
    active, presence = calls_of(partition), Presence(lambda: [partition])
    assert active[calls[LOGIN]].extension_key == LOGIN
    assert presence[LOGIN]["activity"] == "RINGING"
    for table, key in ((active, calls[OTHER]), (presence, OTHER)):
        with pytest.raises(SavedStateError):
            table[key]
        with pytest.raises(SavedStateError):
            len(table)


def test_a_call_that_came_or_ended_after_a_lookup_is_seen() -> None:
    """What the table remembers is where legs are stored, not which are open."""
    both, tab = Both(), Tab()
    first, second = tab.call(1), tab.call(2)
    table = calls_of(both.extensions)
    both.take(reads([first.ring(10)]))
    (one,) = table
    assert table[one].state is State.RINGING
    both.take(reads([first.end(20), second.ring(30)]))
    (other,) = table
    assert table[other].leg_id == other
    assert one not in table


@pytest.mark.parametrize("table", [ActiveCalls, Presence])
def test_a_table_cannot_be_written(table: Callable[[Any], Mapping[str, object]]) -> None:
    """The stage alone writes its state."""
    rows = cast(dict[str, object], table(lambda: [a_partition()]))
    with pytest.raises(TypeError):
        rows["leg"] = None
    with pytest.raises(TypeError):
        del rows[LOGIN]
    for name in ("clear", "pop", "update", "setdefault"):
        assert not hasattr(rows, name)


def test_tables_cover_what_is_assigned_at_the_moment() -> None:
    """A rebalance changes what they show, not the tables."""
    held = [a_partition()]
    calls, presence = ActiveCalls(lambda: held), Presence(lambda: held)
    held.append(a_partition(OTHER))
    assert len(calls) == 4
    assert set(presence) == {LOGIN, OTHER}
    held.clear()
    assert (len(calls), len(presence)) == (0, 0)


def test_reading_a_table_changes_nothing_that_is_saved() -> None:
    """A look from a page writes no changelog."""
    partition = a_partition()
    assert len([*calls_of(partition).values(), *Presence(lambda: [partition]).values()]) == 3
    assert partition.fold([]).changes == {}
