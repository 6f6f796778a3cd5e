"""How a leg came out: disposition, who ended it, transfer (CONTRACT 6, DECISIONS 26, 29 to 34, 53, 59)."""

from streams.domain.legs.evidence import Hint, Leg
from streams.domain.legs.facts import Facts
from streams.domain.legs.reasons import ENDED_BY, REASONS, VOICEMAIL
from streams.domain.legs.telephony import VOICEMAIL as MAILBOXES
from streams.domain.words import Direction, Disposition, EndedBy, EndSource, Transfer, Witness

HINTS: dict[Hint, Disposition] = {
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
"""Never answered, and nobody says why."""

PARKED_REASONS = frozenset({"callpark", "parklocation"})
HANDED_ON = frozenset({Transfer.BLIND, Transfer.WARM, Transfer.FLIP})
"""Transfers that a TRANSFERRED tells (DECISIONS 14, 59)."""


def disposition(leg: Leg, facts: Facts) -> Disposition:
    """Return the disposition of an ended leg; answered wins over all, reasons over flags."""
    if facts.answer is not None:
        return Disposition.ANSWERED
    if facts.forwarded and leg.direction is Direction.INBOUND:
        return Disposition.FORWARDED
    words = set(words_of(facts))
    for reason, by_reason in REASONS[leg.direction].items():
        if reason in words:
            return by_reason
    if leg.direction is Direction.INBOUND:
        for hint, by_hint in HINTS.items():
            if hint in facts.end_hints:
                return by_hint
    # Silence says nothing about how it ended.
    return Disposition.UNKNOWN if facts.end_source is EndSource.TIMEOUT else UNANSWERED[leg.direction]


def words_of(facts: Facts) -> list[str]:
    """Return what the telephony session said of the end, reasons and mailbox codes, in lower case, in order."""
    words = []
    for post in facts.end_posts:
        if post.reason:
            words.append(post.reason.lower())
        if post.code in MAILBOXES:
            words.append(VOICEMAIL)
    return words


def end_reason(leg: Leg, facts: Facts) -> str | None:
    """Return RingCentral's word for the end, verbatim: the one that decides, else the first."""
    given = [post.reason for post in facts.end_posts if post.reason]
    for known in (*REASONS[leg.direction], *ENDED_BY[leg.direction]):
        for reason in given:
            if reason.lower() == known:
                return reason
    return given[0] if given else None


def ended_by(leg: Leg, facts: Facts) -> EndedBy:
    """Return whose action ended the leg; the flags are set by what the person did (DECISIONS 33)."""
    known = ENDED_BY[leg.direction]
    for word in words_of(facts):
        if word in known:
            return known[word]
    return EndedBy.SELF if facts.end_hints else EndedBy.UNKNOWN


def transfer(leg: Leg, facts: Facts) -> Transfer:
    """Return how the leg was handed on; the consultation of a warm transfer is not (DECISIONS 32)."""
    if facts.answer is None or leg.consults:
        return Transfer.NONE
    words = words_of(facts)
    if "blindtransfer" in words:
        return Transfer.BLIND
    if _is_warm(leg, facts, words):
        return Transfer.WARM
    if Hint.TRANSFER in facts.end_hints and not leg.handed_over:
        return Transfer.BLIND
    if facts.flipped is not None or Hint.FLIP in facts.end_hints:
        return Transfer.FLIP
    return Transfer.PARK if _ended_parked(facts, words) else Transfer.NONE


def _is_warm(leg: Leg, facts: Facts, words: list[str]) -> bool:
    attended = "attendedtransfer" in words
    if any(dialog.witness is Witness.WEB_PHONE for dialog in leg.dialogs):
        return leg.handed_over and (Hint.TRANSFER in facts.end_hints or attended)
    return any(
        post.code == "gone" and (post.reason or "").lower() == "attendedtransfer" and post.handed_on
        for post in facts.end_posts
    )


def _ended_parked(facts: Facts, words: list[str]) -> bool:
    if any(word in PARKED_REASONS for word in words):
        return True
    return facts.ended_parked
