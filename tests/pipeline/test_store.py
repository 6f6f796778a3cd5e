"""The state of a partition: what was touched is saved or forgotten as a whole, and becomes due in order."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streams.contracts.snapshots import NEVER, SavedStateError, Snapshot
from streams.pipeline import store as store_module
from streams.pipeline.store import Kinds, Store

Value = dict[str, int]
VALUES: Snapshot[Value] = Snapshot("value", dict, dict)
KINDS: Kinds = {b"T": (VALUES, lambda value: value.get("due", NEVER)), b"N": (VALUES, None)}


def a_store(**saved: Value) -> Store:
    """Return a store that was recovered with these values; they are due when they say so."""
    return Store(KINDS, {key.encode(): VALUES.save(value, value.get("due", NEVER)) for key, value in saved.items()})


def all_due(store: Store, now: int) -> list[tuple[int, bytes]]:
    """Pop everything that is due."""
    found = []
    while (due := store.pop_due(now)) is not None:
        found.append(due)
    return found


def test_a_value_is_changed_in_place_and_saved() -> None:
    """Only what really changed is written."""
    store = a_store(Na={"x": 1}, Nb={"x": 1})
    store.get(b"Na")["x"] = 2
    store.get(b"Nb")
    store.save()
    assert store.take_changes() == {b"Na": VALUES.save({"x": 2}, NEVER)}
    assert store.take_changes() == {}


def test_a_deleted_value_is_gone_at_once_and_written_as_such() -> None:
    """A tombstone in the changelog."""
    store = a_store(Na={"x": 1})
    store.delete(b"Na")
    assert store.get(b"Na") is None
    assert store.peek(b"Na") is None
    store.save()
    assert store.take_changes() == {b"Na": None}
    assert len(store) == 0


def test_undo_goes_back_to_the_last_save() -> None:
    """Changed, new and deleted values alike."""
    store = a_store(Na={"x": 1}, Nb={"x": 1})
    store.get(b"Na")["x"] = 2
    store.put(b"Nc", {"x": 3})
    store.delete(b"Nb")
    store.undo()
    assert [store.peek(key) for key in (b"Na", b"Nb", b"Nc")] == [{"x": 1}, {"x": 1}, None]
    store.save()
    assert store.take_changes() == {}


def test_undo_keeps_what_was_saved_before() -> None:
    """A good record before a bad one."""
    store = a_store()
    store.put(b"Na", {"x": 1})
    store.save()
    store.get(b"Na")["x"] = 2
    store.undo()
    assert store.peek(b"Na") == {"x": 1}
    assert store.take_changes() == {b"Na": VALUES.save({"x": 1}, NEVER)}


def test_what_is_looked_at_is_not_written() -> None:
    """Reading for a table or a metric costs no changelog."""
    store = a_store(Na={"x": 1})
    assert store.peek(b"Na") == {"x": 1}
    assert store.peek(b"Nb") is None
    store.save()
    assert store.take_changes() == {}


def test_values_are_due_in_the_order_of_time_and_key() -> None:
    """Recovered timers and new ones; the same whatever the order of writing."""
    store = a_store(Tb={"due": 20}, Ta={"due": 20}, Tz={"due": 10}, Tn={})
    store.put(b"Tm", {"due": 15})
    store.reschedule()
    assert all_due(store, 20) == [(10, b"Tz"), (15, b"Tm"), (20, b"Ta"), (20, b"Tb")]
    assert all_due(store, NEVER - 1) == []


def test_what_was_popped_is_due_again_only_when_touched() -> None:
    """Otherwise time would never pass."""
    store = a_store(Ta={"due": 10})
    assert store.pop_due(10) == (10, b"Ta")
    assert store.pop_due(10) is None
    store.get(b"Ta")["due"] = 30
    store.reschedule()
    assert store.pop_due(29) is None
    assert store.pop_due(30) == (30, b"Ta")


@pytest.mark.parametrize("later", [5, 40])
def test_a_moved_due_time_replaces_the_old_one(later: int) -> None:
    """Earlier or later, a value is due once."""
    store = a_store(Ta={"due": 10})
    store.get(b"Ta")["due"] = later
    store.reschedule()
    assert all_due(store, 100) == [(later, b"Ta")]


def test_a_value_that_is_put_off_again_and_again_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page load is due 25 h after its last record: the timers of a busy day would outgrow all its state."""
    monkeypatch.setattr(store_module, "MIN_STALE_TIMERS", 10)
    store = a_store(Ta={"due": 10}, Tb={"due": 11}, Tn={})
    for later in range(20, 1_020):
        store.get(b"Ta")["due"] = later
        store.reschedule()
        assert len(store._timers) <= 1.5 * 2 + 10
    assert all_due(store, 2_000) == [(11, b"Tb"), (1_019, b"Ta")]


def test_all_timers_of_a_value_hold_one_key() -> None:
    """A record asks for it with bytes of its own each time; those would be half of a timer."""
    store = a_store(Ta={"due": 10})
    for later in range(20, 40):
        store.get(bytes(bytearray(b"Ta")))["due"] = later
        store.reschedule()
    assert len(store._timers) > 20
    assert len({id(key) for _, key in store._timers}) == 1


def test_undo_brings_back_what_was_due() -> None:
    """A record that failed half way through its timers is folded again."""
    store = a_store(Ta={"due": 10})
    assert store.pop_due(10) == (10, b"Ta")
    store.get(b"Ta")["due"] = 50
    store.reschedule()
    store.undo()
    assert all_due(store, 100) == [(10, b"Ta")]


def test_a_deleted_value_is_never_due() -> None:
    """Not after the save either."""
    store = a_store(Ta={"due": 10})
    store.delete(b"Ta")
    store.save()
    assert all_due(store, 100) == []


def test_keys_are_listed_by_kind() -> None:
    """Saved ones."""
    store = a_store(Ta={}, Na={}, Nb={})
    assert sorted(store.keys(b"N")) == [b"Na", b"Nb"]
    assert len(store) == 3


def test_few_values_stay_objects_and_of_many_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are the truth; the objects in front of them spare time while they are few."""
    monkeypatch.setattr(store_module, "MAX_RECENT", 2)
    store = a_store()
    held = [keep(store, name) for name in (b"Na", b"Nb")]
    store.save()
    assert store.get(b"Na") is held[0]
    keep(store, b"Nc")
    store.save()
    assert store.get(b"Na") == held[0]
    assert store.get(b"Na") is not held[0]


def keep(store: Store, name: bytes) -> dict[str, int]:
    value = {"x": 1}
    store.put(name, value)
    return value


@pytest.mark.parametrize("saved", [b"", b"\x00" * 20, b"\xff" * 9 + b"{}", b"\x01" + b"\x00" * 8 + b"{no"])
def test_saved_state_that_cannot_be_read_stops(saved: bytes) -> None:
    """Damaged, or made by a newer release: never begun anew in silence (DECISIONS 51)."""
    store = Store(KINDS, {b"Na": saved})
    with pytest.raises(SavedStateError):
        store.get(b"Na")


class StoreAgainstDict(RuleBasedStateMachine):
    """Whatever is done, a store holds what a plain dictionary with a copy for undo holds."""

    keys = st.sampled_from([b"Ta", b"Tb", b"Na", b"Nb"])
    values = st.dictionaries(st.sampled_from(["x", "due"]), st.integers(0, 9), max_size=2)

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.store = Store(KINDS, {})
        self.now: dict[bytes, Value] = {}
        self.saved: dict[bytes, Value] = {}
        self.log: dict[bytes, bytes] = {}

    @rule(key=keys, value=values)
    def put(self, key: bytes, value: Value) -> None:
        """Keep another value."""
        self.store.put(key, dict(value))
        self.now[key] = value

    @rule(key=keys, x=st.integers(0, 9))
    def change(self, key: bytes, x: int) -> None:
        """Change in place."""
        value = self.store.get(key)
        assert (value is None) == (key not in self.now)
        if value is not None:
            value["x"] = x
            self.now[key] = {**self.now[key], "x": x}

    @rule(key=keys)
    def delete(self, key: bytes) -> None:
        """Drop one."""
        self.store.delete(key)
        self.now.pop(key, None)

    @rule()
    def save(self) -> None:
        """Save, and keep the changelog."""
        self.store.save()
        self.saved = dict(self.now)
        for key, value in self.store.take_changes().items():
            if value is None:
                self.log.pop(key, None)
            else:
                self.log[key] = value

    @rule()
    def undo(self) -> None:
        """Go back."""
        self.store.undo()
        self.now = dict(self.saved)

    @rule()
    def reopen(self) -> None:
        """Recover from the changelog: what was not saved is gone, what was is there."""
        self.store = Store(KINDS, self.log)
        self.now = dict(self.saved)

    @rule()
    def everything_is_due_once(self) -> None:
        """Timers are those of the values, in order; a look at them is undone by touching all."""
        self.store.reschedule()
        wanted = sorted((value["due"], key) for key, value in self.now.items() if key[:1] == b"T" and "due" in value)
        assert all_due(self.store, 100) == wanted
        for _, key in wanted:
            self.store.get(key)

    @invariant()
    def holds_what_the_dictionary_holds(self) -> None:
        """Looking changes nothing."""
        found: dict[bytes, Any] = {key: self.store.peek(key) for key in (b"Ta", b"Tb", b"Na", b"Nb")}
        assert {key: value for key, value in found.items() if value is not None} == self.now
        assert sorted(self.store.keys(b"T") + self.store.keys(b"N")) == sorted(self.saved)


TestStoreAgainstDict = StoreAgainstDict.TestCase
TestStoreAgainstDict.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
