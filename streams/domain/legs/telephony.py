"""The witness telephony session: each own party of a session is a leg (SPEC 3.4, 4.1, DECISIONS 8, 29 to 32, 59)."""

from streams.domain.events import Event, TelephonyParty, TelephonySession, posted_at, server_at
from streams.domain.legs.active_call import NO_KEY
from streams.domain.legs.evidence import Kind, Sighting
from streams.domain.words import Direction, Witness

KINDS: dict[str, Kind] = {
    "setup": Kind.RANG,
    "proceeding": Kind.RANG,
    "answered": Kind.CONNECTED,
    "hold": Kind.HELD,
    "parked": Kind.PARKED,
    "disconnected": Kind.ENDED,
    "gone": Kind.ENDED,
    "voicemail": Kind.ENDED,
    "voicemailscreening": Kind.ENDED,
    "vmscreening": Kind.ENDED,
    "faxreceive": Kind.ENDED,
}
"""By status code in lower case: the spelling differs by source."""
VOICEMAIL = frozenset({"voicemail", "voicemailscreening", "vmscreening", "faxreceive"})
RINGS = frozenset({"setup", "proceeding"})
GOES_ON = frozenset({"callflip", "callswitch", "pickup"})
"""Reasons after which the extension may go on as another party (DECISIONS 8)."""


def sight(event: Event, session: TelephonySession) -> list[Sighting]:
    """Return what one post says about each leg of its extension; a self-call has two."""
    return [_party(event, session, party) for party in session.parties if party.own]


def _party(event: Event, session: TelephonySession, party: TelephonyParty) -> Sighting:
    others = [other for other in session.parties if other is not party]
    code = (party.status_code or "").lower()
    kind = KINDS.get(code)
    posted, begun = posted_at(event), server_at(event, session.created_at)
    ringout = (session.origin_type or "").lower() == "ringout"
    is_up = kind is Kind.CONNECTED and party.direction is Direction.OUTBOUND
    other_rings = is_up and bool(others) and _still_rings(others)
    return Sighting(
        witness=Witness.TELEPHONY_SESSION,
        kind=Kind.RANG if other_rings else kind,
        at=(begun or posted) if kind is Kind.RANG or other_rings else posted,
        posted=posted,
        session_id=event.session_id or "",
        sequence=event.sequence,
        dialog=party.party_id,
        direction=party.direction,
        word=_word(party, others),
        telephony_session_id=session.telephony_session_id,
        party_id=party.party_id or None,
        legacy_session_id=None if session.session_id == NO_KEY else session.session_id,
        peer=_peer(party),
        skew_ms=event.skew_ms,
        ring=(begun or posted) if kind is Kind.RANG or other_rings else None,
        begun=begun,
        other_is_up=bool(others) and not _still_rings(others),
        other_rings=other_rings,
        muted=party.muted,
        code=code if kind is Kind.ENDED else None,
        reason=party.status_reason if kind is Kind.ENDED else None,
        handed_on=party.peer_party_id is not None,
        remote=party.to_remote if party.direction is Direction.OUTBOUND else party.from_remote,
        queue_call=party.queue_call,
        ringout=ringout,
        missing_before=event.missing_before,
    )


def _still_rings(others: list[TelephonyParty]) -> bool:
    """Tell whether the other side has not answered: it decides whether an outbound leg is up (DECISIONS 31)."""
    return all((party.status_code or "").lower() in RINGS for party in others)


def _word(party: TelephonyParty, others: list[TelephonyParty]) -> str:
    parts = [f"{party.status_code}/{party.status_reason}/{party.muted}"]
    return " ".join([*parts, *(f"{other.party_id}={other.status_code}" for other in others)])


def _peer(party: TelephonyParty) -> tuple[str, str] | None:
    if (party.status_reason or "").lower() not in GOES_ON:
        return None
    if party.peer_telephony_session_id is None or party.peer_party_id is None:
        return None
    return party.peer_telephony_session_id, party.peer_party_id
