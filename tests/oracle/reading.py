"""The offline reading: every post at once, then what must be concluded of each leg."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.oracle import joins
from tests.oracle.answers import Beginning, beginning, witnesses
from tests.oracle.changes import Change, Microphone, Span, length, mute_changes, spans, talk_changes
from tests.oracle.closing import evidence_by_extension
from tests.oracle.ends import End, Evidence, inferred_end, real_end
from tests.oracle.outcome import Outcome, outcome
from tests.oracle.posts import Instant, Json, Posted, between, read_posts
from tests.oracle.quality import Flags, flags
from tests.oracle.testimony import State, Testimony, Witness, testimonies


@dataclass(frozen=True)
class Expected:
    """What the record of one leg must say. `flags.must` has to stand there, `flags.may` can."""

    extension_key: str
    call_id: str | None
    direction: str
    initiated: Instant | None
    answered: Instant | None
    first_held: Instant | None
    ended: Instant
    ring_ms: int | None
    talk_ms: int
    hold_ms: int
    park_ms: int
    mute_ms: int
    total_ms: int | None
    hold_count: int
    mute_count: int
    outcome: Outcome
    end: End
    flags: Flags
    queue_call: bool
    witnesses: frozenset[str]
    told: tuple[Testimony, ...] = field(repr=False)

    @property
    def clocks(self) -> frozenset[str]:
        """The clocks that gave the instants of the leg."""
        instants = (self.initiated, self.answered, self.ended)
        return frozenset(instant.clock for instant in instants if instant)


def read(envelopes: Iterable[Json], until: int) -> list[Expected]:
    """Return what must be concluded of every leg that is over at `until`."""
    posted = read_posts(envelopes)
    told = _news(testimony for post in posted.posts for testimony in testimonies(post))
    groups = joins.legs(told)
    handed_over = frozenset(testimony.consults for group in groups for testimony in group if testimony.consults)
    evidence = evidence_by_extension(posted.posts)
    found = [_leg(group, posted, evidence, handed_over, until) for group in groups]
    return [leg for leg in found if leg is not None]


def _news(told: Iterable[Testimony]) -> list[Testimony]:
    """Every telephony post repeats the last status of each party seen; an end told again there is no second end."""
    kept = []
    ended: dict[tuple[str, object], str] = {}
    for testimony in told:
        name = (testimony.post.session, testimony.keys[0] if testimony.keys else None)
        again = testimony.witness is Witness.TELEPHONY_SESSION and ended.get(name) == testimony.code
        if testimony.state is State.ENDED and testimony.witness is Witness.TELEPHONY_SESSION:
            ended[name] = testimony.code
        elif testimony.witness is Witness.TELEPHONY_SESSION:
            ended.pop(name, None)
        if not again or testimony.state is not State.ENDED:
            kept.append(testimony)
    return kept


def _leg(
    group: Sequence[Testimony],
    posted: Posted,
    evidence: Mapping[str, Sequence[Evidence]],
    handed_over: frozenset[str],
    until: int,
) -> Expected | None:
    outbound = any(testimony.outbound for testimony in group)
    # RingOut: ring from the first dial, answer and end from the outbound leg (DECISIONS 8).
    deciding = [testimony for testimony in group if testimony.outbound == outbound]
    begun = _from_the_first_dial(beginning(deciding, posted.holes), group, deciding)
    end = real_end(deciding, begun.answer is not None)
    end = end or inferred_end(deciding, evidence.get(group[0].post.extension, ()), until)
    if end is None:
        return None
    changes = talk_changes(deciding)
    concluded = outcome(deciding, begun, end, handed_over, _ended_parked(changes, end.at))
    return _expected(group, begun, end, changes, concluded, flags(deciding, begun, end, posted))


def _from_the_first_dial(begun: Beginning, group: Sequence[Testimony], deciding: Sequence[Testimony]) -> Beginning:
    rings = [testimony.ring for testimony in group if testimony.ring and testimony not in deciding]
    first = min(rings, key=lambda ring: ring.at, default=begun.ring)
    if begun.ring is None or first is None or first.at >= begun.ring.at:
        return begun
    return replace(begun, ring=first)


def _ended_parked(changes: Sequence[Change], end: Instant) -> bool:
    before = [change for change in changes if change.at.at <= end.at]
    return bool(before) and before[-1].word is State.PARKED


def _expected(
    group: Sequence[Testimony], begun: Beginning, end: End, changes: list[Change], concluded: Outcome, marks: Flags
) -> Expected:
    answered = begun.answer
    holds = _within(spans(changes, State.ON_HOLD, end.at), answered)
    parks = _within(spans(changes, State.PARKED, end.at), answered)
    mutes = _within(spans(mute_changes(group), Microphone.MUTED, end.at), answered)
    hold_ms, park_ms = sum(map(length, holds)), sum(map(length, parks))
    calls = sorted(group, key=lambda testimony: (not testimony.outbound, testimony.post.received))
    begin = begun.ring or (answered if begun.inferred else None)  # the server's start is known, the ring is not
    return Expected(
        group[0].post.extension,
        next((testimony.call_id for testimony in calls if testimony.call_id), None),
        "OUTBOUND" if any(testimony.outbound for testimony in group) else "INBOUND",
        begin,
        answered,
        holds[0].first if holds else None,
        end.at,
        between(begun.ring, answered or end.at) if begun.ring else None,
        max(0, between(answered, end.at) - hold_ms - park_ms) if answered else 0,
        hold_ms,
        park_ms,
        sum(map(length, mutes)),
        between(begin, end.at) if begin else None,
        len(holds),
        len(mutes),
        concluded,
        end,
        marks,
        any(testimony.queue for testimony in group),
        witnesses(group),
        tuple(group),
    )


def _within(found: Sequence[Span], answered: Instant | None) -> list[Span]:
    """Nothing is held before the answer; a leg never answered has no holds."""
    return list(found) if answered else []


def by_call(legs: Iterable[Expected]) -> dict[tuple[str, str | None, str], list[Expected]]:
    """Return the legs by extension, call and direction."""
    found: dict[tuple[str, str | None, str], list[Expected]] = defaultdict(list)
    for leg in legs:
        found[(leg.extension_key, leg.call_id, leg.direction)].append(leg)
    return found
