"""Saved state: what is read is what was saved, older versions are upgraded, newer and damaged ones are refused."""

import json
import struct
from pathlib import Path

import pytest

from streams.contracts.snapshots import LEG, VERSION, SavedStateError
from streams.domain.legs.evidence import Leg
from streams.domain.legs.resolve import resolve
from streams.domain.words import State
from tests.builders import LOGIN, T0, Both, Tab, a_leg, reads

VERSION_1 = json.loads((Path(__file__).parent / "state" / "version-1.json").read_text(encoding="utf-8"))
"""What a worker of state version 1 had saved in the middle of two calls: key → version, due time, JSON."""


def saved_of_version_1() -> dict[str, dict[bytes, bytes]]:
    """Return the state of both stages as their changelogs hold it."""
    found: dict[str, dict[bytes, bytes]] = {"sessions": {}, "extensions": {}}
    for name, (version, due, value) in VERSION_1.items():
        stage, _, key = name.partition(" ")
        found[stage][key.encode()] = struct.pack(">Bq", version, due) + json.dumps(value).encode()
    return found


def legs_of_version_1() -> dict[str, Leg]:
    """Return the upgraded legs by direction."""
    legs = [LEG.read(value) for key, value in saved_of_version_1()["extensions"].items() if key[:1] == b"L"]
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


def test_a_worker_goes_on_with_the_state_of_version_1() -> None:
    """The call that was open when the worker was replaced ends with one record, nothing is told twice."""
    both = Both()
    both.saved = saved_of_version_1()
    both.reopen()
    tab = Tab()
    tab.sequence = 20
    call = tab.call(created=1_000, answered=5_000)
    both.take(reads([call.resume(40_000), call.mute(41_000, on=False), call.end(50_000)]))
    both.until(120_000)
    told = [row.row["type"] for row in both.rows if row.record == "CallEvent" and row.row]
    assert told == ["RESUMED", "UNMUTED", "ENDED"]
    finals = [row.row for row in both.rows if row.record == "CallRecord" and row.row and row.row["is_final"]]
    records = {record["direction"]: record for record in finals}
    assert (records["INBOUND"]["hold_ms"], records["INBOUND"]["talk_ms"]) == (30_000, 15_000)
    assert (records["OUTBOUND"]["transfer"], records["OUTBOUND"]["revision"]) == ("BLIND", 2)


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
        (lambda saved: b"\0" + saved[1:], "damaged"),
        (lambda saved: saved[:5], "damaged"),
        (lambda saved: saved.replace(b'"leg_id"', b'"leg_no"'), "damaged at leg_id"),
    ],
)
def test_state_that_cannot_be_read_stops_the_worker(change: object, complaint: str) -> None:
    """A newer version and damage are told apart, and nothing of the state is quoted (DECISIONS 51)."""
    assert callable(change)
    with pytest.raises(SavedStateError, match=complaint) as caught:
        LEG.read(change(LEG.save(a_leg(), 7)))
    assert LOGIN not in str(caught.value)
