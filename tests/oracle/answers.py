"""When a leg rang and was answered (DECISIONS 3, 7, 30, 31, 53)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tests.oracle.posts import Instant
from tests.oracle.testimony import TALKING, State, Testimony, Witness

OWN_RING_WITHIN_MS = 5_000
SAME_FACT_MS = 5_000
START_IS_ANSWER_MS = 2_000
NO_ANSWER = frozenset(
    ("noanswer", "timeout", "cancelled", "targetbusy", "rejected", "invalidnumber", "nosuchuser", "destinationblocked",
     "internationaldisabled", "notenoughfunds", "internalerror"),
)  # fmt: skip


@dataclass(frozen=True)
class Beginning:
    """First ring and answer of a leg; null what nobody told."""

    ring: Instant | None
    answer: Instant | None
    inferred: bool = False
    start_while_ringing: bool = False


def forwarded_by_answering(told: Sequence[Testimony]) -> bool:
    """An end with `isForwarded` that brings a `startTime` nobody posted a start for (DECISIONS 53)."""
    started = any(testimony.kind in ("start", "hold", "resume", "mute") for testimony in told)
    return not started and any(
        testimony.kind == "end" and "isForwarded" in testimony.flags and testimony.answer for testimony in told
    )


def beginning(told: Sequence[Testimony], holes: Mapping[str, Sequence[int]]) -> Beginning:
    """Return ring and answer, from one witness when one has both, else each from the best that has it (DECISIONS 3)."""
    rings = _earliest_rings(told)
    if forwarded_by_answering(told):
        return Beginning(_best(rings), None)
    answers = _answers(told)
    if not rings and answers:
        return _seen_connected(told)
    both = [rank for rank in sorted(rings) if rank in answers]
    if not both:
        answer = answers[min(answers)] if answers else None
        return Beginning(_best(rings), answer[0] if answer else None)
    rank = both[0] if told[0].outbound else _seen_up_first(answers, both[0])
    answer, ring = answers[rank], rings.get(rank) or _best(rings)
    ring = ring if ring and ring.at <= answer[0].at else min(rings.values(), key=lambda ring: ring.at)
    return _corrected(told, Beginning(_own_ring(ring, answer[1], answer[0]), answer[0]), holes)


def _seen_up_first(answers: dict[int, tuple[Instant, list[Testimony]]], best: int) -> int:
    """A witness that says answered more than 5 s after another missed the answer: the two do not tell one fact."""
    for rank in sorted(answers):
        if answers[best][0].at - answers[rank][0].at > SAME_FACT_MS:
            best = rank
    return best


def _best(rings: dict[int, Instant]) -> Instant | None:
    return rings[min(rings)] if rings else None


def _earliest_rings(told: Sequence[Testimony]) -> dict[int, Instant]:
    """Ring is the earliest of all dialogs and page loads of a witness (DECISIONS 3)."""
    found: dict[int, Instant] = {}
    for testimony in told:
        if testimony.ring and (
            testimony.witness.rank not in found or testimony.ring.at < found[testimony.witness.rank].at
        ):
            found[testimony.witness.rank] = testimony.ring
    return found


def _answers(told: Sequence[Testimony]) -> dict[int, tuple[Instant, list[Testimony]]]:
    """The earliest answer of each witness, and the testimonies of the dialog that answered.

    Who first sees the leg on hold or parked does not say when it was answered; it counts when nobody does.
    """
    return _first_up(told, (State.CONNECTED,)) or _first_up(told, TALKING)


def _first_up(told: Sequence[Testimony], states: Collection[State]) -> dict[int, tuple[Instant, list[Testimony]]]:
    found: dict[int, tuple[Instant, list[Testimony]]] = {}
    held = {rank for rank in range(3) if _first_state(told, rank) not in (*states, None)}
    for testimony in told:
        rank = testimony.witness.rank
        answer = testimony.answer or (
            testimony.since
            if testimony.witness is not Witness.WEB_PHONE and testimony.state in states and rank not in held
            else None
        )
        if answer and (rank not in found or answer.at < found[rank][0].at):
            name = (testimony.post.session, testimony.dialog)
            same = [
                other for other in told if other.witness.rank == rank and (other.post.session, other.dialog) == name
            ]
            found[rank] = (answer, same)
    return found


def _first_state(told: Sequence[Testimony], rank: int) -> State | None:
    seen = [testimony for testimony in told if testimony.witness.rank == rank and testimony.state in TALKING]
    return min(seen, key=lambda testimony: testimony.since.at).state if seen else None


def _own_ring(earliest: Instant, dialog: Sequence[Testimony], answer: Instant) -> Instant:
    """The answering dialog's own ring is used if it is at most 5 s later (DECISIONS 3)."""
    own = [testimony.ring for testimony in dialog if testimony.ring and testimony.ring.at <= answer.at]
    first = min(own, key=lambda ring: ring.at, default=earliest)
    return first if first.at - earliest.at <= OWN_RING_WITHIN_MS else earliest


def _seen_connected(told: Sequence[Testimony]) -> Beginning:
    """First seen when already connected: the server's start is the answer, the ring unknown (DECISIONS 7)."""
    seen = [testimony for testimony in told if testimony.started and testimony.state in TALKING]
    best = min(seen, key=lambda testimony: (testimony.witness.rank, testimony.post.at.at))
    return Beginning(None, best.started, inferred=True)


def _corrected(told: Sequence[Testimony], found: Beginning, holes: Mapping[str, Sequence[int]]) -> Beginning:
    """Outbound, the browser may say start while the other phone still rings (DECISIONS 31)."""
    starts = [testimony for testimony in told if testimony.answer]
    if not (told[0].outbound and starts and found.answer):
        return found
    told_by_telephony = [testimony for testimony in told if testimony.witness is Witness.TELEPHONY_SESSION]
    reached = _reached_answered(told_by_telephony)
    if reached is not None:
        if all(testimony.other_answered is None for testimony in told_by_telephony) and _answer_may_be_lost(
            told_by_telephony, holes
        ):
            return found
        if reached.at > _browser_over(told):
            return found  # a push that lags behind the browser's end confirms, DECISIONS 12
        late = reached.at - found.answer.at > START_IS_ANSWER_MS
        return Beginning(found.ring, reached, start_while_ringing=True) if late else found
    reasons = {str(testimony.reason).lower() for testimony in told_by_telephony if testimony.state is State.ENDED}
    if reasons & NO_ANSWER and _never_answered(told_by_telephony):
        return Beginning(found.ring, None, start_while_ringing=True)
    return found


def _answer_may_be_lost(posts: Sequence[Testimony], holes: Mapping[str, Sequence[int]]) -> bool:
    """Whether every page load lost something right before the first Answered: that may be a resume."""
    first: dict[str, bool] = {}
    before: dict[str, int] = {}
    for testimony in sorted(posts, key=lambda testimony: (testimony.post.session, testimony.post.place)):
        post = testimony.post
        if testimony.state in TALKING:
            since = before.get(post.session, post.place)
            first.setdefault(post.session, any(since < hole < post.place for hole in holes.get(post.session, ())))
        before[post.session] = post.place
    return bool(first) and all(first.values())


def _browser_over(told: Sequence[Testimony]) -> int:
    """When the browser that had started was out of the call."""
    ends = [testimony.since.at for testimony in told if testimony.kind == "end" and testimony.answer]
    return min(ends, default=2**62)


def _never_answered(posts: Sequence[Testimony]) -> bool:
    """The called party was seen and never answered, or the own party was never in a talk."""
    seen = any(testimony.other_answered is not None for testimony in posts)
    return bool(posts) and (seen or not any(testimony.state in TALKING for testimony in posts))


def _reached_answered(posts: Sequence[Testimony]) -> Instant | None:
    """The first Answered of the other party if one is seen, else of the own party."""
    by_order = sorted(posts, key=lambda testimony: testimony.post.at.at)
    if any(testimony.other_answered is not None for testimony in by_order):
        return next((testimony.post.at for testimony in by_order if testimony.other_answered), None)
    first = next((testimony for testimony in by_order if testimony.state in TALKING), None)
    # NB: a party first seen on hold had been answered before, nobody knows when: the browser's instant stays.
    return first.post.at if first is not None and first.state is State.CONNECTED else None


def witnesses(told: Sequence[Testimony]) -> frozenset[str]:
    """Return who has told of the leg."""
    return frozenset(testimony.witness.name for testimony in told)


def tellers(told: Sequence[Testimony]) -> dict[str, set[str]]:
    """Return which page loads told each kind of fact."""
    found: dict[str, set[str]] = defaultdict(set)
    for testimony in told:
        found[f"{testimony.witness.name}/{testimony.kind or testimony.state}"].add(testimony.post.session)
    return found
