"""The witnesses active call and ringout: the user's calls as RingCentral's presence lists them (SPEC 3.2, 3.3, 4.1)."""

from streams.domain.events import ActiveCallStatus, Event, posted_at, server_at
from streams.domain.legs.evidence import Kind, Sighting, Stray
from streams.domain.words import Witness

NO_KEY = "0"
"""A conference's legacy session id, which is no key (SPEC 2)."""
NO_CALL = "NoCall"
KINDS: dict[str, Kind] = {
    "Ringing": Kind.RANG,
    "CallConnected": Kind.CONNECTED,
    "OnHold": Kind.HELD,
    "ParkedCall": Kind.PARKED,
    NO_CALL: Kind.ENDED,
}
FINAL = frozenset({None, "final"})
"""With NoCall these mean ended; on any other status the word is left over (DECISIONS 54)."""


def sight(event: Event, call: ActiveCallStatus) -> Sighting:
    """Return what one post says about its leg."""
    kind = KINDS.get(call.telephony_status)
    if kind is Kind.ENDED and call.termination_type not in FINAL:
        kind = None
    posted, begun = posted_at(event), server_at(event, call.started_at)
    session_id = None if call.session_id == NO_KEY else call.session_id
    return Sighting(
        witness=Witness.RINGOUT if call.ringout else Witness.ACTIVE_CALL,
        kind=kind,
        at=(begun or posted) if kind is Kind.RANG else posted,
        posted=posted,
        session_id=event.session_id or "",
        sequence=event.sequence,
        dialog=f"{call.telephony_session_id or call.session_id}:{call.direction}",
        direction=call.direction,
        word=call.telephony_status,
        telephony_session_id=call.telephony_session_id,
        legacy_session_id=session_id,
        skew_ms=event.skew_ms,
        ring=(begun or posted) if kind is Kind.RANG else None,
        begun=begun,
        remote=call.remote,
        queue_call=call.queue_call,
        ringout=call.ringout,
        missing_before=event.missing_before,
    )


def stray_of(sighting: Sighting, names: list[str], time_uncertainty_ms: int) -> Stray:
    """Return what is kept of an end that no leg knows."""
    return Stray(
        names,
        sighting.witness,
        sighting.at,
        sighting.session_id,
        sighting.dialog,
        sighting.direction,
        sighting.sequence,
        sighting.skew_ms,
        sighting.missing_before,
        sighting.telephony_session_id,
        sighting.legacy_session_id,
        sighting.begun,
        sighting.remote,
        sighting.queue_call,
        sighting.ringout,
        time_uncertainty_ms,
    )


def end_of(stray: Stray) -> Sighting:
    """Return the end as it is told to its leg."""
    return Sighting(
        witness=stray.witness,
        kind=Kind.ENDED,
        at=stray.at,
        posted=stray.at,
        session_id=stray.session_id,
        sequence=stray.sequence,
        dialog=stray.dialog,
        direction=stray.direction,
        word=NO_CALL,
        telephony_session_id=stray.telephony_session_id,
        legacy_session_id=stray.legacy_session_id,
        skew_ms=stray.skew_ms,
        begun=stray.begun,
        remote=stray.remote,
        queue_call=stray.queue_call,
        ringout=stray.ringout,
        missing_before=stray.missing_before,
    )
