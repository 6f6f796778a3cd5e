"""Read the facts of a leg off its evidence: state, instants, durations (CONTRACT 6, DECISIONS 2 to 4, 11, 16).

Nothing here depends on the order in which the evidence came.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from streams.domain.instants import Instant, between
from streams.domain.legs.evidence import Change, Dialog, Hint, Kind, Leg
from streams.domain.words import Direction, EndSource, State, Witness

RANK = (Witness.WEB_PHONE, Witness.TELEPHONY_SESSION, Witness.ACTIVE_CALL, Witness.RINGOUT)
"""Witnesses of calls, most trusted first (DECISIONS 3)."""
SAME_MS = 5_000
"""Posts of one fact are at most this far apart (SPEC 5)."""
END_SOURCES = {
    Witness.WEB_PHONE: EndSource.WEB_PHONE,
    Witness.TELEPHONY_SESSION: EndSource.TELEPHONY_SESSION,
    Witness.ACTIVE_CALL: EndSource.ACTIVE_CALL,
    Witness.RINGOUT: EndSource.ACTIVE_CALL,
}


@dataclass(slots=True)
class Facts:
    """What the evidence says about a leg at this moment."""

    ring: Instant | None = None
    answer: Instant | None = None
    answer_inferred: bool = False
    end: Instant | None = None
    end_source: EndSource | None = None
    end_hints: list[Hint] = field(default_factory=list)
    state: State | None = None
    since: Instant | None = None
    muted: bool = False
    muted_since: Instant | None = None
    held: list[tuple[Instant, Instant | None]] = field(default_factory=list)
    """Spans on hold in order; the last may be open."""
    mutes: list[tuple[Instant, Instant | None]] = field(default_factory=list)


def resolve(leg: Leg) -> Facts:
    """Return the facts of a leg."""
    facts = Facts()
    facts.ring, answering = _ring_and_answer(leg)
    if answering is not None:
        facts.answer, facts.answer_inferred = answer_of(answering), answering.answer_inferred
    _find_end(leg, facts)
    if leg.changes:
        facts.held = _spans(leg.changes, Kind.HELD, Kind.RESUMED, facts.end)
        facts.mutes = _spans(leg.changes, Kind.MUTED, Kind.UNMUTED, facts.end)
    _place(leg, facts)
    return facts


def answer_of(dialog: Dialog) -> Instant | None:
    """Return when a dialog was answered; a call answered only in order to forward it was not (DECISIONS 53)."""
    if dialog.answer is not None:
        return dialog.answer
    return None if Hint.FORWARDED in dialog.hints else dialog.end_answer


def _ring_and_answer(leg: Leg) -> tuple[Instant | None, Dialog | None]:
    """Take both from the highest witness that has both, else each from the highest that has it."""
    ring: Instant | None = None
    answering: Dialog | None = None
    for witness in RANK:
        dialogs = [dialog for dialog in leg.dialogs if dialog.witness is witness]
        if not dialogs:
            continue
        first = min((dialog.ring for dialog in dialogs if dialog.ring), default=None)
        answered = min((dialog for dialog in dialogs if answer_of(dialog)), key=_answered_at, default=None)
        if answered and answered.ring and first and answered.ring.at - first.at <= SAME_MS:
            first = answered.ring
        if first and answered:
            return first, answered
        ring = ring or first
        answering = answering or answered
    return ring, answering


def _answered_at(dialog: Dialog) -> int:
    answer = answer_of(dialog)
    return answer.at if answer else 0


def real_end(leg: Leg) -> tuple[Instant | None, EndSource | None]:
    """Return the end that a witness posted, by rank; an inferred one is not among them."""
    ending = ending_dialogs(leg)
    if not ending:
        return None, None
    for witness in RANK:
        ends = [dialog.end for dialog in ending if dialog.witness is witness and dialog.end]
        if ends:
            return min(ends), END_SOURCES[witness]
    return None, None


def ending_dialogs(leg: Leg) -> list[Dialog]:
    """Return the dialogs whose end ends the leg.

    An unanswered dialog's end says only that this device is out when another device has answered (DECISIONS 11c).
    """
    ended = [dialog for dialog in leg.dialogs if dialog.end is not None and not dialog.end_void]
    if not ended or not any(answer_of(dialog) for dialog in leg.dialogs):
        return ended
    return [dialog for dialog in ended if answer_of(dialog)]


def _find_end(leg: Leg, facts: Facts) -> None:
    facts.end, facts.end_source = real_end(leg)
    if facts.end is None and leg.inferred is not None:
        facts.end, facts.end_source = leg.inferred.at, leg.inferred.source
        return
    if facts.end is None:
        return
    limit = facts.end.at + SAME_MS
    hints = {hint for dialog in ending_dialogs(leg) if dialog.end and dialog.end.at <= limit for hint in dialog.hints}
    facts.end_hints = [hint for hint in Hint if hint in hints]


def _spans(changes: Iterable[Change], on: Kind, off: Kind, end: Instant | None) -> list[tuple[Instant, Instant | None]]:
    """Pair the changes in the order they happened; what is still on at the end closes there."""
    spans: list[tuple[Instant, Instant | None]] = []
    begun: Instant | None = None
    for change in sorted(changes, key=lambda change: change.at.at):
        if change.kind not in (on, off) or (end is not None and change.at.at >= end.at):
            continue
        if change.kind is on:
            begun = begun or change.at
        elif begun is not None:
            spans.append((begun, change.at))
            begun = None
    if begun is not None:
        spans.append((begun, end))
    return spans


def _place(leg: Leg, facts: Facts) -> None:
    """Say in which state the leg is, and since when."""
    if facts.end is not None:
        facts.state, facts.since = State.ENDED, facts.end
        return
    if facts.mutes and facts.mutes[-1][1] is None:
        facts.muted, facts.muted_since = True, facts.mutes[-1][0]
    if facts.held and facts.held[-1][1] is None:
        facts.state, facts.since = State.ON_HOLD, facts.held[-1][0]
    elif facts.held and facts.held[-1][1] is not None:
        facts.state, facts.since = State.CONNECTED, facts.held[-1][1]
    elif facts.answer is not None:
        facts.state, facts.since = State.CONNECTED, facts.answer
    elif leg.dialogs:
        waiting = State.DIALING if leg.direction is Direction.OUTBOUND else State.RINGING
        facts.state, facts.since = waiting, facts.ring


def total_of(spans: Iterable[tuple[Instant, Instant | None]], end: Instant) -> list[int]:
    """Return the length of each span in milliseconds; one that is open ends at end."""
    return [between(start, stop or end) for start, stop in spans]
