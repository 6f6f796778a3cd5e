"""Write a sighting into the evidence of its leg, and say whether it was news (DECISIONS 4, 12, 16 to 18)."""

from enum import Enum, auto

from streams.domain.instants import Instant
from streams.domain.legs.evidence import Change, Dialog, Hint, Kind, Leg, Sighting
from streams.domain.legs.resolve import SAME_MS, answer_of, ending_dialogs, real_end
from streams.domain.words import State

MUTES = frozenset({Kind.MUTED, Kind.UNMUTED})
"""Mute is a flag beside the state: it reopens nothing that was told."""


MAX_SESSIONS = 100
MAX_DIALOGS = 100
MAX_CHANGES = 1_000
"""No real leg comes near these bounds; they keep what a broken or hostile widget posts from filling the memory."""


class Novelty(Enum):
    """Whether a sighting told something new (DECISIONS 18)."""

    NEWS = auto()
    REPEAT = auto()


def tell(leg: Leg, sighting: Sighting) -> Novelty:
    """Add one sighting to the leg's evidence."""
    if sighting.kind is not Kind.ENDED and (leg.state is State.ENDED or leg.closing is not None):
        _take_back_end(leg, sighting)
    dialog = _dialog(leg, sighting)
    if sighting.session_id and sighting.session_id not in leg.sessions and len(leg.sessions) < MAX_SESSIONS:
        leg.sessions.append(sighting.session_id)
    if sighting.ring is not None:
        dialog.ring = _earlier(dialog.ring, sighting.ring)
    novelty = _TELL[sighting.kind](leg, dialog, sighting)
    dialog.last_kind = sighting.kind
    return novelty


def _dialog(leg: Leg, sighting: Sighting) -> Dialog:
    for dialog in leg.dialogs:
        if (dialog.session_id, dialog.dialog, dialog.witness) == (
            sighting.session_id,
            sighting.dialog,
            sighting.witness,
        ):
            return dialog
    dialog = Dialog(sighting.witness, sighting.session_id, sighting.dialog)
    if len(leg.dialogs) < MAX_DIALOGS:
        leg.dialogs.append(dialog)
    return dialog


def _others(leg: Leg, sighting: Sighting) -> list[Dialog]:
    """Return the dialogs of the same witness in other page loads."""
    return [
        dialog
        for dialog in leg.dialogs
        if dialog.witness is sighting.witness and dialog.session_id != sighting.session_id
    ]


def _earlier(known: Instant | None, told: Instant) -> Instant:
    return told if known is None or told.at < known.at else known


def _rang(leg: Leg, dialog: Dialog, sighting: Sighting) -> Novelty:
    repeated = dialog.last_kind is Kind.RANG
    dialog.ring = _earlier(dialog.ring, sighting.at)
    if any(other.ring for other in _others(leg, sighting)):
        leg.duplicate_tabs = True
        return Novelty.REPEAT
    return Novelty.REPEAT if repeated else Novelty.NEWS


def _answered(leg: Leg, dialog: Dialog, sighting: Sighting) -> Novelty:
    repeated = dialog.answer is not None and not dialog.answer_inferred and dialog.last_kind is Kind.ANSWERED
    dialog.answer = sighting.at if dialog.answer_inferred else _earlier(dialog.answer, sighting.at)
    dialog.answer_inferred = False
    if any(answer_of(other) for other in _others(leg, sighting)):
        leg.duplicate_tabs = True
        return Novelty.REPEAT
    return Novelty.REPEAT if repeated else Novelty.NEWS


def _changed(leg: Leg, dialog: Dialog, sighting: Sighting) -> Novelty:
    """Take a hold, resume, mute or unmute; it implies an answer, which most posts tell too."""
    if dialog.answer is None or (dialog.answer_inferred and sighting.answer):
        dialog.answer = sighting.answer or sighting.at
        dialog.answer_inferred = sighting.answer is None
    teller = f"{sighting.witness}/{sighting.session_id}"
    for change in leg.changes:
        if _is_same(change, sighting, teller):
            change.tellers.append(teller)
            change.at = _earlier(change.at, sighting.at)
            leg.duplicate_tabs = True
            return Novelty.REPEAT
    repeated = _is_standing(leg, sighting)
    if len(leg.changes) >= MAX_CHANGES:
        return Novelty.REPEAT
    leg.changes.append(Change(sighting.kind, sighting.at, sighting.witness, [teller]))
    return Novelty.REPEAT if repeated else Novelty.NEWS


def _is_same(change: Change, sighting: Sighting, teller: str) -> bool:
    """Tell whether another page load told this very fact: one to one, at most 5 s apart."""
    return (
        change.kind is sighting.kind
        and change.witness is sighting.witness
        and teller not in change.tellers
        and abs(change.at.at - sighting.at.at) <= SAME_MS
    )


def _is_standing(leg: Leg, sighting: Sighting) -> bool:
    """Tell whether the leg already is what the sighting says, by all that was read of that page load."""
    if sighting.missing_before:
        return False
    pair = MUTES if sighting.kind in MUTES else {Kind.HELD, Kind.RESUMED}
    before = [change for change in leg.changes if change.kind in pair and change.at.at <= sighting.at.at]
    last = max(before, key=lambda change: change.at.at, default=None)
    return last is not None and last.kind is sighting.kind


def _ended(leg: Leg, dialog: Dialog, sighting: Sighting) -> Novelty:
    over, _ = real_end(leg)
    first = dialog.end is None or dialog.end_void
    if dialog.end is None or dialog.end_void:
        dialog.end, dialog.end_void, dialog.hints = sighting.at, False, []
        dialog.end_sequence = sighting.sequence
    if abs(sighting.at.at - dialog.end.at) <= SAME_MS:
        dialog.hints = [hint for hint in Hint if hint in dialog.hints or hint in sighting.hints]
    dialog.end = _earlier(dialog.end, sighting.at)
    if sighting.answer is not None and dialog.end_answer is None:
        dialog.end_answer = sighting.answer
    if over is not None and any(other.end for other in _others(leg, sighting)):
        leg.duplicate_tabs = True
    return Novelty.NEWS if first and over is None else Novelty.REPEAT


_TELL = {
    Kind.RANG: _rang,
    Kind.ANSWERED: _answered,
    Kind.HELD: _changed,
    Kind.RESUMED: _changed,
    Kind.MUTED: _changed,
    Kind.UNMUTED: _changed,
    Kind.ENDED: _ended,
}


def _take_back_end(leg: Leg, sighting: Sighting) -> None:
    """Let a sign of life reopen a leg that had ended (DECISIONS 12)."""
    if leg.inferred is not None and sighting.at.at > leg.inferred.at.at:
        leg.inferred = None
    if leg.closing is not None and sighting.at.at > leg.closing.at.at:
        leg.closing = None
    over, _ = real_end(leg)
    if over is None:
        return
    news = sighting.kind not in MUTES and not _was_told(leg, sighting.kind)
    if _lives_on(leg, sighting) or (news and sighting.at.at > over.at):
        for dialog in ending_dialogs(leg):
            dialog.end_void = True


def _lives_on(leg: Leg, sighting: Sighting) -> bool:
    """Tell whether the page load that posted the end posts life after it."""
    for dialog in ending_dialogs(leg):
        if dialog.witness is not sighting.witness or dialog.session_id != sighting.session_id:
            continue
        if sighting.sequence is not None and dialog.end_sequence is not None:
            return sighting.sequence > dialog.end_sequence
        return dialog.end is not None and sighting.at.at > dialog.end.at
    return False


def _was_told(leg: Leg, kind: Kind) -> bool:
    """Tell whether any witness had told this canonical state of the leg."""
    if kind is Kind.RANG:
        return any(dialog.ring for dialog in leg.dialogs)
    if kind in (Kind.ANSWERED, Kind.RESUMED):
        return any(answer_of(dialog) for dialog in leg.dialogs)
    return any(change.kind is kind for change in leg.changes)
