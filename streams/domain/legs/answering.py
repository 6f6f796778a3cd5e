"""Ring and answer of a leg, from what each witness told of them (DECISIONS 3, 7, 8, 31, 53)."""

from streams.domain.instants import Instant, between
from streams.domain.legs.ends import Answers
from streams.domain.legs.evidence import Dialog, Kind, Leg, Post
from streams.domain.legs.facts import Facts
from streams.domain.legs.gaps import comes_after_loss
from streams.domain.legs.ranks import RANK, SAME_MS
from streams.domain.legs.reasons import NO_ANSWER
from streams.domain.words import Direction, Witness

START_WHILE_RINGING_MS = 2_000
Answered = tuple[Instant, bool]
"""When, and whether that is inferred."""
Told = dict[Witness, tuple[Instant | None, Answered | None]]
"""Ring and answer as each witness tells them, by rank."""


def find_answer(leg: Leg, answers: Answers, facts: Facts) -> None:
    """Take ring and answer from the highest witness that has both, else each from the highest that has it."""
    facts.forwarded = answers.only_to_forward
    told = _told(leg, answers)
    if answers.by and not any(answered for _, answered in told.values()):
        # Held or parked is all that was seen: no later than that it was answered.
        told = _told(leg, answers, at_latest=True)
    if facts.forwarded:
        told = {witness: (ring, None) for witness, (ring, _) in told.items()}
    by = _by_rank(told, facts)
    if by is None:
        return
    if leg.direction is Direction.INBOUND:
        by = _seen_before(told, by, facts)
    facts.answer, facts.answer_inferred = by
    if leg.direction is Direction.OUTBOUND:
        _correct_start(leg, answers, facts)


def _by_rank(told: Told, facts: Facts) -> Answered | None:
    by = None
    for ring, answered in told.values():
        if ring is not None and answered is not None:
            facts.ring = ring
            return answered
        facts.ring, by = facts.ring or ring, by or answered
    return by


def _seen_before(told: Told, by: Answered, facts: Facts) -> Answered:
    """Return the answer of a witness that saw the leg up when the better one still waited.

    Posts of one fact are at most 5 s apart (SPEC 5). What is further apart is another fact: the better witness missed
    the answer, as a browser does that takes the call over from the desk phone, so its rank says nothing (DECISIONS 3).
    """
    for ring, answered in told.values():
        if answered is not None and not answered[1] and by[0].at - answered[0].at > SAME_MS:
            facts.ring, by = ring or facts.ring, answered
    if facts.ring is not None and facts.ring > by[0]:
        facts.ring = min((ring for ring, _ in told.values() if ring is not None and ring <= by[0]), default=None)
    return by


def _told(leg: Leg, answers: Answers, *, at_latest: bool = False) -> Told:
    """Return ring and answer as each witness tells them; `at_latest` takes a hold or a park for an answer too."""
    rings: dict[Witness, Instant] = {}
    for dialog in leg.dialogs:
        if dialog.ring is not None:
            ring = rings.get(dialog.witness)
            if ring is None or dialog.ring < ring:
                rings[dialog.witness] = dialog.ring
    firsts: dict[Witness, tuple[Answered, Dialog]] = {}
    for index in sorted(answers.by):
        dialog = leg.dialogs[index]
        answer = _answer_of(dialog, answers, index, rings=bool(rings), at_latest=at_latest)
        first = firsts.get(dialog.witness)
        if answer is not None and (first is None or answer[0] < first[0][0]):
            firsts[dialog.witness] = answer, dialog
    return {
        witness: _together(leg, rings.get(witness), firsts.get(witness))
        for witness in RANK
        if witness in rings or witness in firsts
    }


def _together(
    leg: Leg, ring: Instant | None, first: tuple[Answered, Dialog] | None
) -> tuple[Instant | None, Answered | None]:
    """Return ring and answer of one witness; the ring is that of the answering dialog, if it is near the first.

    A RingOut rings from its first dial, the own phone's (DECISIONS 8).
    """
    if first is None:
        return ring, None
    answered, dialog = first
    if ring is not None and dialog.ring is not None and not leg.paired and dialog.ring.at - ring.at <= SAME_MS:
        ring = dialog.ring
    return ring, answered


def _answer_of(
    dialog: Dialog, answers: Answers, index: int, *, rings: bool, at_latest: bool = False
) -> Answered | None:
    up = answers.first_up[index]
    if index not in answers.by:
        return None
    if dialog.witness is Witness.WEB_PHONE:
        known = dialog.answer or (dialog.end_answer if up is None else None)
        if known is not None or up is None:
            return (known, False) if known else None
        return (up.at, up.kind is not Kind.CONNECTED)
    if up is None:
        return None
    if dialog.other_rang:
        return (dialog.other_answer, False) if dialog.other_answer else None
    if rings:
        return (up.at, False) if at_latest or up.kind is Kind.CONNECTED else None
    # First seen connected: a known start beats losing minutes of talk (DECISIONS 7).
    return (dialog.begun or up.at, True)


def _correct_start(leg: Leg, answers: Answers, facts: Facts) -> None:
    """Take the web phone's start for what it was: for some destinations it fires while they ring (DECISIONS 31)."""
    started = [index for index in answers.by if leg.dialogs[index].witness is Witness.WEB_PHONE]
    seen = [
        index
        for index, dialog in enumerate(leg.dialogs)
        if dialog.witness is Witness.TELEPHONY_SESSION and dialog.ring is not None and not dialog.own_phone
    ]
    if not started or not seen or facts.answer is None:
        return
    up = [index for index in seen if answers.first_up[index] is not None]
    first = [index for index in up if _is_connected(answers.first_up[index])]
    if up and not first:
        # First seen on hold or parked: it was answered before, and the start may have been that answer.
        return
    sure = [
        index for index in first if _saw_other(leg.dialogs[index]) or not _is_after_loss(leg, answers.first_up[index])
    ]
    if first and not sure:
        # The answer may be what was lost, and this a resume: the start stays.
        return
    told = [_answer_of(leg.dialogs[index], answers, index, rings=True) for index in sure]
    reached = min((answer[0] for answer in told if answer is not None), default=None)
    if reached is not None:
        is_in_time = facts.end is None or reached.at < facts.end.at
        if is_in_time and between(facts.answer, reached) > START_WHILE_RINGING_MS:
            facts.answer, facts.started_while_ringing = reached, True
        return
    if any((post.reason or "").lower() in NO_ANSWER for post in facts.end_posts):
        facts.answer, facts.started_while_ringing = None, True


def _saw_other(dialog: Dialog) -> bool:
    """Tell whether the other side was seen: it decides, whatever was lost before (DECISIONS 31)."""
    return dialog.other_rang or dialog.other_answer is not None


def _is_connected(post: Post | None) -> bool:
    return post is not None and post.kind is Kind.CONNECTED


def _is_after_loss(leg: Leg, post: Post | None) -> bool:
    return post is not None and comes_after_loss(leg, post)
