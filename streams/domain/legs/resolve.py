"""Read the facts of a leg off its evidence: state, instants, outcome (CONTRACT 6, DECISIONS 2 to 4, 7, 11, 31, 53).

Nothing here depends on the order in which the evidence came.
"""

from collections.abc import Iterable

from streams.domain.instants import Instant
from streams.domain.legs.answering import find_answer
from streams.domain.legs.changes import Change, read_changes, spans
from streams.domain.legs.ends import Ends, read_answers, read_ends
from streams.domain.legs.evidence import MUTES, UP, Hint, Kind, Leg, Post
from streams.domain.legs.facts import Facts
from streams.domain.legs.ranks import END_SOURCES, RANK_OF, SAME_MS
from streams.domain.words import Direction, EndSource, State, Witness

# Read once: to look a member up costs more than to compare with it.
_ENDED, _HELD, _PARKED, _CONNECTED = Kind.ENDED, Kind.HELD, Kind.PARKED, Kind.CONNECTED
_NO_ENDS = Ends()
STATES: dict[Kind, State] = {Kind.CONNECTED: State.CONNECTED, Kind.HELD: State.ON_HOLD, Kind.PARKED: State.PARKED}


def resolve(leg: Leg) -> Facts:
    """Return the facts of a leg."""
    facts = Facts()
    kinds = {post.kind for post in leg.posts}
    answers = read_answers(leg)
    ends = read_ends(leg, answers) if _ENDED in kinds else _NO_ENDS
    _find_end(leg, ends, facts)
    find_answer(leg, answers, facts)
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
