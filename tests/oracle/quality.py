"""Quality flags: those that must stand in a record, and those that a streaming reader may add (DECISIONS 6, 19, 28)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracle.answers import Beginning
from tests.oracle.ends import End
from tests.oracle.posts import Posted
from tests.oracle.testimony import State, Testimony

SKEW_HIGH_MS = 60_000
SAME_FACT_MS = 5_000
BEFORE_END_MS = 2_000
"""A hole that only a post at the very end shows may be seen after the leg has ended."""
DEPENDS_ON_ARRIVAL = frozenset(("LATE_AMENDED", "MERGED"))


@dataclass(frozen=True)
class Flags:
    """Flags of a record."""

    must: frozenset[str]
    may: frozenset[str]


def flags(told: Sequence[Testimony], begun: Beginning, end: End, posted: Posted) -> Flags:
    """Return the flags that a record must and may carry."""
    must = set()
    may = set(DEPENDS_ON_ARRIVAL)
    clocks = {instant.clock for instant in (begun.ring, begun.answer, end.at) if instant}
    skews = {testimony.post.session: testimony.post.skew for testimony in told}
    if any(abs(skews.get(clock, 0)) >= SKEW_HIGH_MS for clock in clocks):
        must.add("SKEW_HIGH")
    if any(abs(skew) >= SKEW_HIGH_MS - 1_000 for skew in skews.values()):
        may.add("SKEW_HIGH")  # a page load that only confirmed, or a clock at the border
    if end.inferred:
        must.add("INFERRED_END")
    if begun.inferred:
        must.add("INFERRED_ANSWER")
    if begun.start_while_ringing:
        must.add("START_WHILE_RINGING")
    _duplicate_tabs(told, must, may)
    _gap(told, end, posted, must, may)
    return Flags(frozenset(must), frozenset(may | must))


def _duplicate_tabs(told: Sequence[Testimony], must: set[str], may: set[str]) -> None:
    """The same fact of the leg was posted by more than one page load (DECISIONS 19)."""
    if len({testimony.post.session for testimony in told}) > 1:
        may.add("DUPLICATE_TABS")
    facts: dict[tuple[str, object], list[Testimony]] = {}
    for testimony in told:
        facts.setdefault((testimony.witness.name, testimony.kind or testimony.state), []).append(testimony)
    if any(_told_twice(same) for same in facts.values()):
        must.add("DUPLICATE_TABS")


def _told_twice(same: Sequence[Testimony]) -> bool:
    return any(
        one.post.session != other.post.session and abs(one.since.at - other.since.at) <= SAME_FACT_MS
        for i, one in enumerate(same)
        for other in same[i + 1 :]
        if one.state is not None
    )


def _gap(told: Sequence[Testimony], end: End, posted: Posted, must: set[str], may: set[str]) -> None:
    """A hole after the leg's first post of that page load and before its end (DECISIONS 28).

    It must be flagged when a post behind it was read while nobody had told the end; else it may be.
    """
    told_over = min((testimony.post.received for testimony in told if testimony.state is State.ENDED), default=2**62)
    for session in {testimony.post.session for testimony in told}:
        mine = [
            testimony.post
            for testimony in told
            if testimony.post.session == session and testimony.post.sequence is not None
        ]
        if not mine:
            continue
        first = min(post.place for post in mine)
        in_time = [post for post in mine if post.received < told_over and post.at.at <= end.at.at - BEFORE_END_MS]
        last = max((post.place for post in in_time), default=first)
        latest = max(post.place for post in mine)
        holes = posted.holes.get(session, ())
        if any(first < hole < last for hole in holes):
            must.add("GAP")
        if any(first < hole for hole in holes if hole < latest + 50):
            may.add("GAP")
