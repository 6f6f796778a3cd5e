"""Read the facts of a leg off its evidence: state, instants, outcome (CONTRACT 6, DECISIONS 2 to 4, 7, 11, 31, 53).

Nothing here depends on the order in which the evidence came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from streams.domain.instants import Instant, between
from streams.domain.legs.changes import Change, Spans, Verdict, read_changes, spans
from streams.domain.legs.ends import Answers, Ends, read_answers, read_ends
from streams.domain.legs.evidence import MUTES, UP, Dialog, Hint, Kind, Leg, Post
from streams.domain.legs.ranks import END_SOURCES, RANK, RANK_OF, SAME_MS
from streams.domain.legs.reasons import NO_ANSWER
from streams.domain.words import Direction, EndSource, State, Witness

START_WHILE_RINGING_MS = 2_000
# Read once: to look a member up costs more than to compare with it.
_ENDED, _HELD, _PARKED, _CONNECTED = Kind.ENDED, Kind.HELD, Kind.PARKED, Kind.CONNECTED
_NO_ENDS = Ends()
Answered = tuple[Instant, bool]
"""When, and whether that is inferred."""
STATES: dict[Kind, State] = {Kind.CONNECTED: State.CONNECTED, Kind.HELD: State.ON_HOLD, Kind.PARKED: State.PARKED}


@dataclass(slots=True)
class Facts:
    """What the evidence says about a leg at this moment."""

    ring: Instant | None = None
    answer: Instant | None = None
    answer_inferred: bool = False
    started_while_ringing: bool = False
    end: Instant | None = None
    end_source: EndSource | None = None
    end_hints: Sequence[Hint] = ()
    end_posts: Sequence[Post] = ()
    """What telephony sessions posted of the end."""
    forwarded: bool = False
    flipped: Instant | None = None
    state: State | None = None
    since: Instant | None = None
    muted: bool = False
    muted_since: Instant | None = None
    held: Spans = ()
    """Spans on hold in order; the last may be open."""
    parked: Spans = ()
    ended_parked: bool = False
    """It was parked when it ended, or is parked now."""
    mutes: Spans = ()
    duplicate_tabs: bool = False
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    """What each post is, by its identity."""


def resolve(leg: Leg) -> Facts:
    """Return the facts of a leg."""
    facts = Facts()
    kinds = {post.kind for post in leg.posts}
    answers = read_answers(leg)
    ends = read_ends(leg, answers) if _ENDED in kinds else _NO_ENDS
    _find_end(leg, ends, facts)
    _find_answer(leg, answers, facts)
    _end_last(facts)
    changes: list[Change] = []
    until = _until(facts)
    if answers.by and facts.answer is not None:
        changes, facts.verdicts = read_changes(leg, UP, until)
        facts.ended_parked = bool(changes) and changes[-1].kind is _PARKED
        if _HELD in kinds:
            facts.held = spans(changes, _HELD, facts.answer, facts.end)
        if _PARKED in kinds:
            facts.parked = spans(changes, _PARKED, facts.answer, facts.end)
    switches: list[Change] = []
    if not MUTES.isdisjoint(kinds):
        switches, verdicts = read_changes(leg, MUTES, until)
        facts.mutes = spans(switches, Kind.MUTED, None, facts.end)
        facts.verdicts.update(verdicts)
    _place(leg, changes, facts)
    facts.duplicate_tabs = len(leg.sessions) > 1 and _told_twice(leg, [*changes, *switches], ends)
    return facts


def _until(facts: Facts) -> int | None:
    """Return from when on nothing changes any more; a timeout ends with the last news, which counts (DECISIONS 26)."""
    if facts.end is None:
        return None
    return facts.end.at + 1 if facts.end_source is EndSource.TIMEOUT else facts.end.at


def _find_end(leg: Leg, ends: Ends, facts: Facts) -> None:
    facts.flipped = ends.flipped
    if not ends.counted:
        if leg.inferred is not None:
            facts.end, facts.end_source = leg.inferred.at, leg.inferred.source
        return
    facts.end_posts = [post for post in ends.counted if post.code is not None]
    end, by = _end_of_best(leg, ends.counted)
    facts.end, facts.end_source = end, END_SOURCES[by]
    hints = {hint for post in ends.counted if post.hints and post.at.at <= end.at + SAME_MS for hint in post.hints}
    if hints:
        facts.end_hints = [hint for hint in Hint if hint in hints]


def _end_of_best(leg: Leg, counted: list[Post]) -> tuple[Instant, Witness]:
    """Return the earliest end that the most trusted witness told."""
    first, best = counted[0].at, leg.dialogs[counted[0].dialog].witness
    for post in counted[1:]:
        witness = leg.dialogs[post.dialog].witness
        if witness is best:
            first = min(first, post.at)
        elif RANK_OF[witness] < RANK_OF[best]:
            first, best = post.at, witness
    return first, best


def _end_last(facts: Facts) -> None:
    """Keep the end behind ring and answer: clocks of different page loads agree to within their uncertainty only."""
    if facts.end is None:
        return
    if facts.ring is not None and facts.end.at < facts.ring.at:
        facts.end = facts.ring
    if facts.answer is not None and facts.end.at < facts.answer.at:
        facts.end = facts.answer


def _find_answer(leg: Leg, answers: Answers, facts: Facts) -> None:
    """Take ring and answer from the highest witness that has both, else each from the highest that has it."""
    facts.forwarded = bool(answers.forwarded) and not any(
        leg.dialogs[index].witness is Witness.WEB_PHONE for index in answers.by
    )
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


Told = dict[Witness, tuple[Instant | None, Answered | None]]
"""Ring and answer as each witness tells them, by rank."""


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
        return (up.at, up.kind is not _CONNECTED)
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
    sure = [index for index in first if leg.dialogs[index].other_rang or not _is_after_loss(answers.first_up[index])]
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


def _is_connected(post: Post | None) -> bool:
    return post is not None and post.kind is Kind.CONNECTED


def _is_after_loss(post: Post | None) -> bool:
    return post is not None and post.after_loss


def _place(leg: Leg, changes: list[Change], facts: Facts) -> None:
    """Say in which state the leg is, and since when."""
    if facts.mutes and facts.mutes[-1][1] is None:
        facts.muted, facts.muted_since = facts.end is None, facts.mutes[-1][0]
    if facts.end is not None:
        facts.state, facts.since = State.ENDED, facts.end
    elif len(changes) > 1 or (changes and changes[0].kind is not _CONNECTED):
        facts.state, facts.since = STATES[changes[-1].kind], changes[-1].at
    elif facts.answer is not None:
        facts.state, facts.since = State.CONNECTED, facts.answer
    elif leg.posts:
        waiting = State.DIALING if leg.direction is Direction.OUTBOUND else State.RINGING
        facts.state, facts.since = waiting, facts.ring or leg.posts[0].at


def _told_twice(leg: Leg, changes: Iterable[Change], ends: Ends) -> bool:
    """Tell whether two page loads posted the same fact as the same kind of witness (DECISIONS 19)."""
    if any(_is_shared(change.tellers) for change in changes):
        return True
    rings, finals = [], []
    for post in leg.posts:
        dialog = leg.dialogs[post.dialog]
        if post.kind is Kind.RANG and not dialog.own_phone:
            rings.append((dialog.witness, dialog.session_id))
    for post in ends.counted:
        dialog = leg.dialogs[post.dialog]
        finals.append((dialog.witness, dialog.session_id))
    return _is_shared(rings) or _is_shared(finals)


def _is_shared(tellers: list[tuple[Witness, str]]) -> bool:
    distinct = set(tellers)
    return len(distinct) > len({witness for witness, _ in distinct})


def total_of(found: Spans, end: Instant) -> list[int]:
    """Return the length of each span in milliseconds; one that is open ends at end."""
    return [between(start, stop or end) for start, stop in found]
