"""Saved state: what is read is what was saved, older versions are upgraded, newer and damaged ones are refused."""

import json
import struct
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from streams.contracts.snapshots import (
    EXTENSION,
    LAST_NAMED,
    LEG,
    MESSAGE,
    PAGE_LOAD,
    VERSION,
    SavedStateError,
    Snapshot,
)
from streams.domain.extension import Extension
from streams.domain.legs.evidence import Leg
from streams.domain.legs.resolve import resolve
from streams.domain.messages import MessageState
from streams.domain.page_loads import PageLoad
from streams.domain.words import State
from tests.builders import LOGIN, T0, Both, Tab, a_leg, reads
from tests.contracts.remembered import values

STATE = Path(__file__).parent / "state"
"""What workers of older state versions had saved in the middle of two calls: key → version, due time, JSON."""
KINDS: list[tuple[Snapshot[Any], type]] = [
    (PAGE_LOAD, PageLoad),
    (EXTENSION, Extension),
    (LEG, Leg),
    (MESSAGE, MessageState),
]
NOT_SAVED: dict[type, set[str]] = {Leg: {"record"}}
"""What is worked out anew, and takes no part in comparisons."""
ALL = pytest.mark.parametrize(("snapshot", "kind"), KINDS, ids=[kind.__name__ for _, kind in KINDS])


@ALL
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_what_is_read_is_what_was_saved(snapshot: Snapshot[Any], kind: type, data: st.DataObject) -> None:
    """Every field of every value, and saved again it is the same bytes."""
    value = data.draw(values(kind))
    saved = snapshot.save(value, 7)
    read = snapshot.read(saved)
    assert read == value
    assert snapshot.save(read, 7) == saved


@ALL
def test_a_field_that_is_forgotten_is_found(snapshot: Snapshot[Any], kind: type) -> None:
    """The comparison above sees each field: a snapshot that came back without it would not pass."""
    seen: set[str] = set()

    @given(values(kind))
    @settings(max_examples=30, deadline=None, phases=[Phase.generate], derandomize=True)
    def look(value: Any) -> None:
        read = snapshot.read(snapshot.save(value, 7))
        names = {field.name for field in fields(kind)} - seen
        seen.update(name for name in names if replace(read, **{name: None}) != value)

    look()
    assert seen == {field.name for field in fields(kind)} - NOT_SAVED.get(kind, set())


@ALL
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_objects_with_names_are_still_read(snapshot: Snapshot[Any], kind: type, data: st.DataObject) -> None:
    """Versions up to 2 were written by pydantic, without defaults."""
    value = data.draw(values(kind))
    if isinstance(value, Extension):
        # Of legs that ended they knew the ids only.
        value.ended = dict.fromkeys(value.ended)
    body = TypeAdapter(kind).dump_json(value, exclude_defaults=True)
    assert snapshot.read(struct.pack(">Bq", LAST_NAMED, 7) + body) == value


def saved_of_version(number: int) -> dict[str, dict[bytes, bytes]]:
    """Return the state of both stages as their changelogs hold it."""
    rows = json.loads((STATE / f"version-{number}.json").read_text(encoding="utf-8"))
    found: dict[str, dict[bytes, bytes]] = {"sessions": {}, "extensions": {}}
    for name, (version, due, value) in rows.items():
        stage, _, key = name.partition(" ")
        found[stage][key.encode()] = struct.pack(">Bq", version, due) + json.dumps(value).encode()
    return found


def legs_of_version_1() -> dict[str, Leg]:
    """Return the upgraded legs by direction."""
    legs = [LEG.read(value) for key, value in saved_of_version(1)["extensions"].items() if key[:1] == b"L"]
    return {leg.direction: leg for leg in legs}


def test_a_leg_of_version_1_says_the_same_as_before() -> None:
    """State, ring, answer, hold and mute of the open leg, the hand-over of the ended one."""
    legs = legs_of_version_1()
    facts = resolve(legs["INBOUND"])
    assert (facts.state, facts.muted) == (State.ON_HOLD, True)
    assert facts.ring is not None
    assert facts.answer is not None
    assert (facts.ring.reading - T0, facts.answer.reading - T0) == (1_000, 5_000)
    assert [start.reading - T0 for start, _ in facts.held] == [10_000]
    assert [hint.value for hint in resolve(legs["OUTBOUND"]).end_hints] == ["TRANSFER"]


@pytest.mark.parametrize(
    ("version", "told"),
    [(1, ["RESUMED", "UNMUTED", "ENDED"]), *((version, ["RESUMED", "ENDED"]) for version in (2, 3, 4))],
)
def test_a_worker_goes_on_with_the_state_of_an_older_version(version: int, told: list[str]) -> None:
    """The call that was open when the worker was replaced ends with one record, nothing is told twice."""
    both = Both()
    both.saved = saved_of_version(version)
    both.reopen()
    tab = Tab()
    tab.sequence = 30
    call = tab.call(created=1_000, answered=5_000)
    both.take(reads([call.resume(40_000), call.mute(41_000, on=False), call.end(50_000)]))
    both.until(120_000)
    assert [row.row["type"] for row in both.rows if row.record == "CallEvent" and row.row] == told
    finals = [row.row for row in both.rows if row.record == "CallRecord" and row.row and row.row["is_final"]]
    records = {record["direction"]: record for record in finals}
    assert (records["INBOUND"]["hold_ms"], records["INBOUND"]["talk_ms"]) == (30_000, 15_000)
    assert (records["OUTBOUND"]["transfer"], records["OUTBOUND"]["revision"]) == ("BLIND", 2)


def test_what_waited_in_version_2_is_given_up_as_it_would_have_been() -> None:
    """A presence of a page load whose user never became known."""
    both = Both()
    both.saved = saved_of_version(2)
    both.reopen()
    both.until(120_000)
    assert [row.row["reason"] for row in both.rows if row.record == "DeadLetter" and row.row] == ["MISSING_EXTENSION"]


def test_state_is_saved_with_the_version_of_today() -> None:
    """The first byte says which version; what is read is what was saved."""
    leg = a_leg(extension_key=LOGIN)
    saved = LEG.save(leg, 7)
    assert saved[0] == VERSION
    assert LEG.read(saved) == leg


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda saved: bytes([VERSION + 1]) + saved[1:], "made by a newer release"),
        (lambda saved: b"\0" + saved[1:], "Saved state of a Leg is damaged"),
        (lambda saved: saved[:5], "Saved state of a Leg is damaged"),
        (lambda saved: saved[:-1], "Saved state of a Leg is damaged"),
        (lambda saved: saved.replace(b'"INBOUND"', b'"SIDEWAYS"'), "Saved state of a Leg is damaged"),
        (lambda saved: saved[:-2] + b",7]]", "Saved state of a Leg is damaged"),
        (lambda saved: saved[:9] + b"{}", "Saved state of a Leg is damaged"),
        (lambda saved: bytes([LAST_NAMED]) + saved[1:9] + b'{"leg_no": "1"}', "Saved state of a Leg is damaged"),
    ],
)
def test_state_that_cannot_be_read_stops_the_worker(change: Callable[[bytes], bytes], complaint: str) -> None:
    """A newer version and damage are told apart, and nothing of the state is quoted (DECISIONS 51)."""
    with pytest.raises(SavedStateError, match=complaint) as caught:
        LEG.read(change(LEG.save(a_leg(extension_key=LOGIN), 7)))
    assert LOGIN not in str(caught.value)
