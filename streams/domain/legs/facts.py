"""The facts of a leg, as its evidence has them at this moment (CONTRACT 6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from streams.domain.instants import Instant, between
from streams.domain.legs.changes import Spans, Verdict
from streams.domain.legs.evidence import Hint, Post
from streams.domain.words import EndSource, State


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


def total_of(found: Spans, end: Instant) -> list[int]:
    """Return the length of each span in milliseconds; one that is open ends at end."""
    return [between(start, stop or end) for start, stop in found]
