"""How far each witness is trusted (DECISIONS 3). One table."""

from streams.domain.words import EndSource, Witness

RANK = (Witness.WEB_PHONE, Witness.TELEPHONY_SESSION, Witness.ACTIVE_CALL, Witness.RINGOUT)
"""Witnesses of calls, most trusted first."""
RANK_OF: dict[Witness, int] = {witness: place for place, witness in enumerate((*RANK, Witness.PRESENCE))}
END_SOURCES: dict[Witness, EndSource] = {
    Witness.WEB_PHONE: EndSource.WEB_PHONE,
    Witness.TELEPHONY_SESSION: EndSource.TELEPHONY_SESSION,
    Witness.ACTIVE_CALL: EndSource.ACTIVE_CALL,
    Witness.RINGOUT: EndSource.ACTIVE_CALL,
}
"""What an end that a witness posted is called."""
INFERRED = (EndSource.PRESENCE, EndSource.SNAPSHOT, EndSource.LOGOUT, EndSource.TIMEOUT)
"""Ends that nobody posted, most trusted first."""
SAME_MS = 5_000
"""Posts of one fact are at most this far apart (SPEC 5)."""
