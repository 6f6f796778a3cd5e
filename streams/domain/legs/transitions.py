"""The state machine of a leg: which change of state is which call event (SPEC 4.2, DECISIONS 7, 12, 14). One table.

States are what the evidence says at a moment, so a late fact changes no state and makes no event. A pair that is not
here cannot happen.
"""

from streams.domain.words import CallEventType, State

TRANSITIONS: dict[tuple[State | None, State], CallEventType] = {
    # The first that is told of a leg. A page load in the middle of a call sees it connected, held or parked.
    (None, State.DIALING): CallEventType.DIALED,
    (None, State.RINGING): CallEventType.RANG,
    (None, State.CONNECTED): CallEventType.ANSWERED,
    (None, State.ON_HOLD): CallEventType.HELD,
    (None, State.PARKED): CallEventType.PARKED,
    (None, State.ENDED): CallEventType.ENDED,
    (State.DIALING, State.CONNECTED): CallEventType.ANSWERED,
    (State.DIALING, State.ON_HOLD): CallEventType.HELD,
    (State.DIALING, State.PARKED): CallEventType.PARKED,
    (State.DIALING, State.ENDED): CallEventType.ENDED,
    (State.RINGING, State.CONNECTED): CallEventType.ANSWERED,
    (State.RINGING, State.ON_HOLD): CallEventType.HELD,
    (State.RINGING, State.PARKED): CallEventType.PARKED,
    (State.RINGING, State.ENDED): CallEventType.ENDED,
    (State.CONNECTED, State.ON_HOLD): CallEventType.HELD,
    (State.CONNECTED, State.PARKED): CallEventType.PARKED,
    (State.CONNECTED, State.ENDED): CallEventType.ENDED,
    (State.ON_HOLD, State.CONNECTED): CallEventType.RESUMED,
    (State.ON_HOLD, State.PARKED): CallEventType.PARKED,
    (State.ON_HOLD, State.ENDED): CallEventType.ENDED,
    (State.PARKED, State.CONNECTED): CallEventType.RESUMED,
    (State.PARKED, State.ON_HOLD): CallEventType.HELD,
    (State.PARKED, State.ENDED): CallEventType.ENDED,
    # Life after the end.
    (State.ENDED, State.DIALING): CallEventType.REOPENED,
    (State.ENDED, State.RINGING): CallEventType.REOPENED,
    (State.ENDED, State.CONNECTED): CallEventType.REOPENED,
    (State.ENDED, State.ON_HOLD): CallEventType.REOPENED,
    (State.ENDED, State.PARKED): CallEventType.REOPENED,
}

FIRST_TOLD: dict[State, CallEventType] = {
    State.CONNECTED: CallEventType.ANSWERED,
    State.ON_HOLD: CallEventType.HELD,
    State.PARKED: CallEventType.PARKED,
}
"""What a reopened leg tells after REOPENED, if it had told none of it before (DECISIONS 12)."""
