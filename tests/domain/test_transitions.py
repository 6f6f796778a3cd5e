"""The table of transitions: every pair in it happens, and no other."""

import pytest

from streams.domain.legs.evidence import Kind
from streams.domain.legs.transitions import FIRST_TOLD, TRANSITIONS
from streams.domain.words import CallEventType, Direction, State, Witness
from tests.builders import a_leg, a_sighting, watch

REACHED: dict[State | None, tuple[tuple[Kind, Direction], ...]] = {
    None: (),
    State.DIALING: ((Kind.RANG, Direction.OUTBOUND),),
    State.RINGING: ((Kind.RANG, Direction.INBOUND),),
    State.CONNECTED: ((Kind.CONNECTED, Direction.INBOUND),),
    State.ON_HOLD: ((Kind.CONNECTED, Direction.INBOUND), (Kind.HELD, Direction.INBOUND)),
    State.PARKED: ((Kind.CONNECTED, Direction.INBOUND), (Kind.PARKED, Direction.INBOUND)),
    State.ENDED: ((Kind.ENDED, Direction.INBOUND),),
}
"""What is told to bring a leg into a state."""
TOLD: dict[State, Kind] = {
    State.DIALING: Kind.RANG,
    State.RINGING: Kind.RANG,
    State.CONNECTED: Kind.CONNECTED,
    State.ON_HOLD: Kind.HELD,
    State.PARKED: Kind.PARKED,
    State.ENDED: Kind.ENDED,
}
"""What is told to enter a state."""


def direction_of(before: State | None, after: State) -> Direction:
    """Return the direction of a leg that makes a transition: dialling is outbound, all else may be inbound."""
    return Direction.OUTBOUND if State.DIALING in (before, after) else Direction.INBOUND


@pytest.mark.parametrize(("before", "after"), TRANSITIONS, ids=lambda state: str(state))
def test_every_transition_of_the_table_happens(before: State | None, after: State) -> None:
    """Told by one active call in order, the leg leaves one state, enters the other, and tells the table's word."""
    direction = direction_of(before, after)
    steps = [*(kind for kind, _ in REACHED[before]), TOLD[after]]
    leg = a_leg(direction)
    events = watch(
        leg,
        [
            a_sighting(kind, 1_000 * number, witness=Witness.ACTIVE_CALL, sequence=number, word=str(number))
            for number, kind in enumerate(steps, 1)
        ],
    )
    assert leg.state is after
    word = TRANSITIONS[before, after]
    if word is not CallEventType.REOPENED:
        assert (events[-1]["type"], events[-1]["state_before"]) == (word, before)
        return
    told = [event["type"] for event in events[1:]]
    assert told == [word, FIRST_TOLD[after]] if after in FIRST_TOLD else [word]


def test_the_table_has_no_way_back_to_ringing() -> None:
    """Once a leg is up it rings again only after an end."""
    up = {State.CONNECTED, State.ON_HOLD, State.PARKED}
    assert not [pair for pair in TRANSITIONS if pair[0] in up and pair[1] in (State.RINGING, State.DIALING)]
