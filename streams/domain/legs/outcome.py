"""How a leg came out: disposition, who ended it, transfer (CONTRACT 6, DECISIONS 26, 29 to 34, 53)."""

from streams.domain.legs.evidence import Hint, Leg
from streams.domain.legs.resolve import Facts
from streams.domain.words import Direction, Disposition, EndedBy, EndSource, Transfer

INFERRED = frozenset({EndSource.PRESENCE, EndSource.SNAPSHOT, EndSource.LOGOUT, EndSource.TIMEOUT})
"""Ends that nobody posted."""

DISPOSITIONS: dict[Hint, Disposition] = {
    Hint.REPLIED: Disposition.REPLIED,
    Hint.FORWARDED: Disposition.FORWARDED,
    Hint.VOICEMAIL: Disposition.VOICEMAIL,
}
"""What the widget's flags say of an inbound leg that was not answered, strongest first (SPEC 3.1.3)."""

UNANSWERED: dict[Direction, Disposition] = {
    Direction.INBOUND: Disposition.MISSED,
    Direction.OUTBOUND: Disposition.UNANSWERED,
    Direction.UNKNOWN: Disposition.UNKNOWN,
}
"""Never answered, and no flag says why."""

HANDED_ON = frozenset({Transfer.BLIND, Transfer.WARM, Transfer.FLIP})
"""Transfers that a TRANSFERRED tells (DECISIONS 14, 59)."""


def disposition(leg: Leg, facts: Facts) -> Disposition:
    """Return the disposition of an ended leg; answered wins over all."""
    if facts.answer is not None:
        return Disposition.ANSWERED
    if leg.direction is Direction.INBOUND:
        for hint, word in DISPOSITIONS.items():
            if hint in facts.end_hints:
                return word
    # Silence says nothing about how it ended.
    return Disposition.UNKNOWN if facts.end_source is EndSource.TIMEOUT else UNANSWERED[leg.direction]


def ended_by(facts: Facts) -> EndedBy:
    """Return whose action ended the leg: the flags are set by what the person did (DECISIONS 33)."""
    return EndedBy.SELF if facts.end_hints else EndedBy.UNKNOWN


def transfer(leg: Leg, facts: Facts) -> Transfer:
    """Return how the leg was handed on; the consultation of a warm transfer is not (DECISIONS 32)."""
    if facts.answer is None:
        return Transfer.NONE
    if Hint.TRANSFER in facts.end_hints and not leg.consults:
        return Transfer.WARM if leg.handed_over else Transfer.BLIND
    return Transfer.FLIP if Hint.FLIP in facts.end_hints else Transfer.NONE
