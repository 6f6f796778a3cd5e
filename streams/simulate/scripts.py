"""What the widgets post about a leg, and when: one cue for each posting of each tab (SPEC 3.1, 3.5, 12).

The tabs of a browser share one web phone: all post the call, with one `call.id`, some ms apart; the first of them owns
the phone and is alone in posting mutes. Instants inside events are the browser's clock, cues are true time.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, NamedTuple

from streams.simulate.history import Disposition, TrueLeg
from streams.simulate.people import Extension, PageLoad

Event = dict[str, Any]


class Cue(NamedTuple):
    """One posting to come."""

    at: int
    """True ms."""
    page: PageLoad
    event: Event
    """The widget event; of a call, only what differs from `call`."""
    call: Event | None = None
    """`call` as all postings of the leg have it."""


RELOAD_MS: Final = 900
"""From the unloading of a page to the first posting of the next load."""
ENDS: Final = {
    Disposition.ANSWERED: 1,
    Disposition.MISSED: 2,
    Disposition.REJECTED: 2,
    Disposition.ANSWERED_ELSEWHERE: 2,
    Disposition.UNANSWERED: 4,
}
"""How many ends one tab posts (SPEC 12)."""

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuv"
_CONNECTING: Final = {"callStatus": "webphone-session-connecting"}
_SETUP: Final = {"callStatus": "webphone-session-setup", "partyData": None, "callId": None}


def script(legs: Sequence[TrueLeg], person: Extension, random: Random) -> Iterator[Cue]:
    """Give the cues of one extension's simultaneous legs in the tabs that are open now, in no particular order.

    Of a leg that a reload ends, neither the end nor what the new page load posts is among them.
    """
    bases = [call_object(leg, person, random) for leg in legs]
    changes = list(presence_changes(legs))
    for place, page in enumerate(person.tabs):
        is_owner = place == 0
        for leg, base in zip(legs, bases, strict=True):
            lag = random.uniform(3, 15) if is_owner else random.uniform(12, 60)
            for at, word, call in _life(leg, person.skew_ms, random, is_owner=is_owner):
                yield Cue(round(at + lag), page, {"type": word, "call": call}, base)
        lag = random.uniform(90, 420)
        for at, status in changes:
            yield Cue(round(at + lag), page, presence(status, person))


def presence_changes(legs: Sequence[TrueLeg]) -> Iterator[tuple[int, str]]:
    """Give the telephony status of an extension over its simultaneous legs, in the order of time.

    A ringing leg is shown before a connected one, and that before a held one.
    """
    shown = "NoCall"
    for at in sorted({instant for leg in legs for instant in _instants(leg)}):
        states = {_state(leg, at) for leg in legs}
        status = next((word for word in ("Ringing", "CallConnected", "OnHold") if word in states), "NoCall")
        if status != shown and not any(leg.ended_by_reload and at == leg.ended_at for leg in legs):
            yield at, status
        shown = status


def call_object(leg: TrueLeg, person: Extension, random: Random) -> Event:
    """Return `call` with every field that does not change (SPEC 3.1), as widget 2.3.1 posts it."""
    created = leg.initiated_at + person.skew_ms
    dialog = _sip(random)
    tag = dialog[-10:]
    own = f"{person.main_number[1:]}*{person.number}"
    inbound = leg.is_inbound
    call: Event = {
        "id": dialog,
        "callId": dialog[:-10],
        "direction": leg.direction.value,
        "callStatus": "webphone-session-connected",
        "to": own if inbound else leg.remote,
        "from": leg.remote if inbound else own,
        "fromTag": tag,
        "creationTime": created,
        "isOnHold": False,
        "isOnMute": False,
        "isOnFlip": False,
        "isOnTransfer": False,
        "isToVoicemail": False,
        "isForwarded": False,
        "isReplied": False,
        "recordStatus": "webphone-record-idle",
        "minimized": False,
        "partyData": {"partyId": leg.party_id, "sessionId": leg.call_id},
        "lastActiveTime": created,
        "cached": False,
        "removed": False,
        "callQueueName": f"{leg.queue} - " if leg.queue else None,
    }
    if inbound:
        call["fromUserName"] = f"Caller {leg.remote[-4:]}"
    else:
        call["fromNumber"] = person.main_number
    return call


def presence(status: str | None, person: Extension) -> Event:
    """Return rc-adapter-syncPresence of a page that is logged in."""
    dnd = person.dnd_status
    return {
        "type": "rc-adapter-syncPresence",
        "telephonyStatus": status,
        "userStatus": person.user_status,
        "dndStatus": dnd,
        "presenceOption": dnd if dnd == "DoNotAcceptAnyCalls" else person.user_status,
    }


def _sip(random: Random) -> str:
    bits = random.getrandbits(150)
    return "".join([_ALPHABET[bits >> shift & 31] for shift in range(0, 150, 5)])


def _life(leg: TrueLeg, skew: int, random: Random, *, is_owner: bool) -> Iterator[tuple[float, str, Event]]:
    if leg.is_inbound:
        yield leg.initiated_at, "rc-call-ring-notify", _CONNECTING
    else:
        yield leg.initiated_at, "rc-call-init-notify", _SETUP
    started: Event = {}
    if leg.answered_at is not None:
        started = {"startTime": leg.answered_at + skew}
        record = {} if leg.is_inbound else {"recordStatus": "webphone-record-pending"}
        yield leg.answered_at, "rc-call-start-notify", started | record
        yield from _holds(leg, started)
        if is_owner:
            yield from _mutes(leg, started)
    if not leg.ended_by_reload:
        yield from _ends(leg, started, skew, random, is_owner=is_owner)


def _holds(leg: TrueLeg, started: Event) -> Iterator[tuple[float, str, Event]]:
    for place, (held_at, resumed_at) in enumerate(leg.holds):
        # NB: the hold that the widget makes by itself is posted with a stale flag (SPEC 3.1.2).
        flag = place not in leg.auto_holds
        held = {"callStatus": "webphone-session-onHold", "isOnHold": flag}
        yield held_at, "rc-call-hold-notify", started | held
        if resumed_at < leg.ended_at:
            yield resumed_at, "rc-call-resume-notify", started


def _mutes(leg: TrueLeg, started: Event) -> Iterator[tuple[float, str, Event]]:
    for muted_at, unmuted_at in leg.mutes:
        muted = {"callStatus": "webphone-session-onMute", "isOnMute": True}
        yield muted_at, "rc-call-mute-notify", started | muted
        if unmuted_at < leg.ended_at:
            yield unmuted_at, "rc-call-mute-notify", started


def _ends(
    leg: TrueLeg, started: Event, skew: int, random: Random, *, is_owner: bool
) -> Iterator[tuple[float, str, Event]]:
    ended: float = leg.ended_at + (0 if is_owner else random.uniform(0, 9))
    before = _before_end(leg)
    for _ in range(ENDS[leg.disposition]):
        end_time = round(ended)
        yield end_time + random.uniform(10, 40), "rc-call-end-notify", started | before | {"endTime": end_time + skew}
        ended += random.uniform(45, 190)


def _before_end(leg: TrueLeg) -> Event:
    if leg.answered_at is None:
        return _CONNECTING
    held = any(resumed_at >= leg.ended_at for _, resumed_at in leg.holds)
    return {"callStatus": "webphone-session-onHold", "isOnHold": True} if held else {}


def _instants(leg: TrueLeg) -> Iterator[int]:
    yield leg.initiated_at
    if leg.answered_at is not None:
        yield leg.answered_at
    for span in leg.holds:
        yield from span
    yield leg.ended_at


def _state(leg: TrueLeg, at: int) -> str:
    if not leg.initiated_at <= at < leg.ended_at:
        return "NoCall"
    if leg.answered_at is None or at < leg.answered_at:
        return "Ringing"
    return "OnHold" if any(held_at <= at < resumed_at for held_at, resumed_at in leg.holds) else "CallConnected"
