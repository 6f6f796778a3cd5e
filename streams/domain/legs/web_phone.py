"""The witness web phone: posts of the rc-call-* family become sightings (SPEC 3.1, 4.1)."""

from streams.domain.events import Event, WebPhoneCall, posted_at, read_at
from streams.domain.legs.evidence import Hint, Kind, Sighting
from streams.domain.words import EventType, Witness

KINDS: dict[EventType, Kind] = {
    EventType.RC_CALL_RING_NOTIFY: Kind.RANG,
    EventType.RC_CALL_INIT_NOTIFY: Kind.RANG,
    EventType.RC_CALL_START_NOTIFY: Kind.CONNECTED,
    EventType.RC_CALL_HOLD_NOTIFY: Kind.HELD,
    EventType.RC_CALL_RESUME_NOTIFY: Kind.CONNECTED,
    EventType.RC_CALL_END_NOTIFY: Kind.ENDED,
}
"""The event type decides, not the flags: an automatic hold says `isOnHold: false` (SPEC 3.1.2)."""


def sight(event: Event, call: WebPhoneCall) -> Sighting:
    """Return what one post says about its leg."""
    kind = KINDS.get(event.type) or (Kind.MUTED if call.is_on_mute else Kind.UNMUTED)
    posted = posted_at(event)
    ring = read_at(event, call.created_at) or (posted if kind is Kind.RANG else None)
    answer = read_at(event, call.started_at)
    told = {
        EventType.RC_CALL_RING_NOTIFY: ring,
        EventType.RC_CALL_INIT_NOTIFY: ring,
        EventType.RC_CALL_START_NOTIFY: answer,
        EventType.RC_CALL_END_NOTIFY: read_at(event, call.ended_at),
    }
    return Sighting(
        witness=Witness.WEB_PHONE,
        kind=kind,
        at=told.get(event.type) or posted,
        posted=posted,
        session_id=event.session_id or "",
        sequence=event.sequence,
        dialog=call.dialog,
        direction=call.direction,
        word=kind if kind not in (Kind.CONNECTED, Kind.MUTED, Kind.UNMUTED) else f"{event.type}{kind}",
        telephony_session_id=call.telephony_session_id,
        party_id=call.party_id,
        skew_ms=event.skew_ms,
        ring=ring,
        answer=answer,
        hints=_hints(call) if kind is Kind.ENDED else [],
        remote=call.remote,
        queue_call=call.queue_call,
        queue=call.queue,
        warm_transfer_dialog=call.warm_transfer_dialog,
        missing_before=event.missing_before,
    )


def _hints(call: WebPhoneCall) -> list[Hint]:
    flags = {
        Hint.VOICEMAIL: call.is_to_voicemail,
        Hint.FLIP: call.is_on_flip,
        Hint.FORWARDED: call.is_forwarded,
        Hint.REPLIED: call.is_replied,
        Hint.TRANSFER: call.is_on_transfer,
    }
    return [hint for hint, on in flags.items() if on]
