"""What calls happen: chance decides the whole life of a call when it begins, as true legs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from streams.simulate.habits import CallKind, Habits
from streams.simulate.history import Direction, Disposition, Span, TrueLeg
from streams.simulate.people import Extension, caller

QUEUES = ("Sales", "Support", "Billing", "Returns")


@dataclass(frozen=True, slots=True)
class Call:
    """What the legs of one call have in common."""

    call_id: str
    at: int
    """When it begins, true ms."""


def begin(at: int, random: Random) -> Call:
    """Return a new call with its telephony session id."""
    return Call(f"s-{random.getrandbits(128):032x}", at)


def seats(kind: CallKind, habits: Habits, random: Random) -> int:
    """Choose how many extensions take part."""
    match kind:
        case CallKind.INTERNAL:
            return 2
        case CallKind.QUEUE:
            return 1 + int(random.random() * habits.queue_agents)
        case _:
            return 1


def legs_of(kind: CallKind, call: Call, people: Sequence[Extension], habits: Habits, random: Random) -> list[TrueLeg]:
    """Return the legs of a call, one or more for each of its people, in their order.

    Two for one person: a second call that was answered during the first.
    """
    match kind:
        case CallKind.INBOUND:
            leg = _talk(_leg(call, people[0], Direction.INBOUND, _outside(habits, random), 2), habits, random)
            return _with_second(leg, people[0], habits, random) if random.random() < habits.call_waiting else [leg]
        case CallKind.OUTBOUND:
            return [_talk(_leg(call, people[0], Direction.OUTBOUND, caller(random), 1), habits, random)]
        case CallKind.MISSED | CallKind.REJECTED:
            return [_unanswered(_leg(call, people[0], Direction.INBOUND, _outside(habits, random), 2), kind, random)]
        case CallKind.CANCELLED:
            return [_unanswered(_leg(call, people[0], Direction.OUTBOUND, caller(random), 1), kind, random)]
        case CallKind.INTERNAL:
            return _colleagues(call, people, habits, random)
        case CallKind.QUEUE:
            return _queue(call, people, habits, random)


def ring_ms(habits: Habits, random: Random) -> int:
    """Choose how long a phone rings before it is answered."""
    return round(min(45_000.0, 1_000 + random.gammavariate(3, max(habits.ring_mean_ms - 1_000, 100) / 3)))


def _leg(call: Call, person: Extension, direction: Direction, remote: str, party: int) -> TrueLeg:
    return TrueLeg(
        extension_key=person.key,
        call_id=call.call_id,
        party_id=f"p-{call.call_id[2:]}-{party}",
        direction=direction,
        remote=remote,
        queue=None,
        initiated_at=call.at,
        answered_at=None,
        ended_at=call.at,
        disposition=Disposition.ANSWERED,
    )


def _outside(habits: Habits, random: Random) -> str:
    return "anonymous" if random.random() < habits.anonymous else caller(random)


def _talk(leg: TrueLeg, habits: Habits, random: Random) -> TrueLeg:
    answered = leg.initiated_at + ring_ms(habits, random)
    talk = _log_normal(habits.talk_median_ms, habits.talk_sigma, random)
    holds: tuple[Span, ...] = ()
    if random.random() < habits.held and talk > 4_000:
        held_at = answered + round(talk * random.uniform(0.2, 0.8))
        resumed_at = held_at + _log_normal(habits.hold_median_ms, 0.6, random)
        talk += resumed_at - held_at
        # NB: some hang up instead of resuming; a hold that is open at the end closes there.
        ended = resumed_at if random.random() < 0.1 else answered + talk
        holds = ((held_at, resumed_at),)
    else:
        ended = answered + talk
    reloaded = random.random() < habits.reloaded_in_call
    mutes = _mutes(answered, ended, random) if random.random() < habits.muted else ()
    return replace(
        leg, answered_at=answered, ended_at=ended, holds=holds, mutes=mutes, ended_by_reload=reloaded and not holds
    )


def _mutes(answered: int, ended: int, random: Random) -> tuple[Span, ...]:
    length = ended - answered
    if length < 3_000:
        return ()
    muted = answered + round(length * random.uniform(0.1, 0.5))
    return ((muted, muted + round(length * random.uniform(0.1, 0.4))),)


def _unanswered(leg: TrueLeg, kind: CallKind, random: Random) -> TrueLeg:
    if kind is CallKind.REJECTED:
        return replace(
            leg, ended_at=leg.initiated_at + round(random.uniform(1_200, 6_000)), disposition=Disposition.REJECTED
        )
    gone = Disposition.MISSED if kind is CallKind.MISSED else Disposition.UNANSWERED
    longest = 22_000 if kind is CallKind.MISSED else 16_000
    return replace(leg, ended_at=leg.initiated_at + round(random.triangular(2_500, longest, 9_000)), disposition=gone)


def _with_second(leg: TrueLeg, person: Extension, habits: Habits, random: Random) -> list[TrueLeg]:
    assert leg.answered_at is not None
    rang = leg.answered_at + round((leg.ended_at - leg.answered_at) * random.uniform(0.2, 0.6))
    second = _leg(begin(rang, random), person, Direction.INBOUND, _outside(habits, random), 2)
    answered = rang + round(random.uniform(2_000, 6_000))
    ended = answered + _log_normal(habits.talk_median_ms / 2, 0.5, random)
    resumed = ended + round(random.uniform(1_000, 3_000))
    first = replace(
        leg,
        holds=((answered - 55, resumed),),
        auto_holds=frozenset({0}),
        mutes=(),
        ended_by_reload=False,
        ended_at=max(leg.ended_at, answered + 1_000) + resumed - answered,
    )
    return [first, replace(second, answered_at=answered, ended_at=ended)]


def _colleagues(call: Call, people: Sequence[Extension], habits: Habits, random: Random) -> list[TrueLeg]:
    caller_, callee = people
    out = _leg(call, caller_, Direction.OUTBOUND, callee.number, 1)
    # The callee's phone rings a moment after the caller has dialled.
    rang = replace(_leg(call, callee, Direction.INBOUND, caller_.number, 2), initiated_at=call.at + 180)
    if random.random() >= habits.internal_answered:
        out = _unanswered(out, CallKind.CANCELLED, random)
        return [out, replace(rang, ended_at=out.ended_at + 40, disposition=Disposition.MISSED)]
    rang = replace(_talk(rang, habits, random), ended_by_reload=False)
    assert rang.answered_at is not None
    # Holds are the callee's own: each widget posts what its own user does.
    return [replace(out, answered_at=rang.answered_at + 35, ended_at=rang.ended_at + 25), rang]


def _queue(call: Call, people: Sequence[Extension], habits: Habits, random: Random) -> list[TrueLeg]:
    queue = QUEUES[int(random.random() * len(QUEUES))]
    remote = _outside(habits, random)
    ringing = [
        replace(_leg(call, person, Direction.INBOUND, remote, 2 + place), queue=queue)
        for place, person in enumerate(people)
    ]
    if random.random() < 0.08:
        gone = _unanswered(ringing[0], CallKind.MISSED, random).ended_at
        return [replace(leg, ended_at=gone, disposition=Disposition.MISSED) for leg in ringing]
    taken = _talk(ringing[0], habits, random)
    assert taken.answered_at is not None
    elsewhere = taken.answered_at + 60
    return [
        taken,
        *(replace(leg, ended_at=elsewhere, disposition=Disposition.ANSWERED_ELSEWHERE) for leg in ringing[1:]),
    ]


def _log_normal(median_ms: float, sigma: float, random: Random) -> int:
    return max(1_000, round(median_ms * random.lognormvariate(0, sigma)))
