"""What one post tells of one leg, by witness (SPEC 3 and 4.1): state, instants, flags, reasons, ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from tests.oracle.posts import Instant, Json, Post

Key = tuple[str, ...]


class Witness(Enum):
    """Event families, in order of rank (DECISIONS 3): a smaller value is believed first."""

    WEB_PHONE = 0
    TELEPHONY_SESSION = 1
    ACTIVE_CALL = 2
    RINGOUT = 3

    @property
    def rank(self) -> int:
        """Active call and ringout are one witness in rank."""
        return min(self.value, Witness.ACTIVE_CALL.value)


class State(Enum):
    """Canonical states of SPEC 4.1."""

    RINGING = "ringing"
    CONNECTED = "connected"
    ON_HOLD = "on hold"
    PARKED = "parked"
    ENDED = "ended"


LIVE = (State.RINGING, State.CONNECTED, State.ON_HOLD, State.PARKED)
TALKING = (State.CONNECTED, State.ON_HOLD, State.PARKED)
FLAGS = ("isToVoicemail", "isOnFlip", "isForwarded", "isReplied", "isOnTransfer")

WEB_STATES = {
    "ring": State.RINGING, "init": State.RINGING, "start": State.CONNECTED, "hold": State.ON_HOLD,
    "resume": State.CONNECTED, "mute": None, "end": State.ENDED,
}  # fmt: skip
ACTIVE_STATES = {
    "Ringing": State.RINGING, "CallConnected": State.CONNECTED, "OnHold": State.ON_HOLD, "ParkedCall": State.PARKED,
}  # fmt: skip
PARTY_STATES = {
    "setup": State.RINGING, "proceeding": State.RINGING, "answered": State.CONNECTED, "hold": State.ON_HOLD,
    "parked": State.PARKED, "voicemail": State.ENDED, "voicemailscreening": State.ENDED, "vmscreening": State.ENDED,
    "faxreceive": State.ENDED, "gone": State.ENDED, "disconnected": State.ENDED,
}  # fmt: skip


@dataclass(frozen=True)
class Testimony:
    """One post's word on one leg. `since`: the instant of the state told; `ring`, `answer`: instants it names."""

    post: Post
    witness: Witness
    outbound: bool
    keys: tuple[Key, ...]
    state: State | None
    since: Instant
    ring: Instant | None = None
    answer: Instant | None = None
    started: Instant | None = None
    muted: bool | None = None
    flags: frozenset[str] = frozenset()
    code: str = ""
    reason: str | None = None
    peer: bool = False
    other_answered: bool | None = None
    remote: str = ""
    queue: bool = False
    call_id: str | None = None
    legacy: str | None = None
    dialog: str | None = None
    consults: str | None = None
    kind: str = field(default="")

    @property
    def lives(self) -> bool:
        """Whether the post shows the leg alive; mute is a sign of life too."""
        return self.state in LIVE or self.state is None


def testimonies(post: Post) -> Iterator[Testimony]:
    """Yield what a post tells of legs: none, one, or one for each own party of a telephony session."""
    family = post.kind.removeprefix("rc-").removesuffix("-notify")
    if family.startswith("call-") and family.removeprefix("call-") in WEB_STATES:
        yield from _web_phone(post, family.removeprefix("call-"))
    elif family in ("active-call", "ringout-call"):
        yield from _active_call(post, Witness.RINGOUT if family == "ringout-call" else Witness.ACTIVE_CALL)
    elif family == "telephony-session":
        yield from _telephony(post)


def _web_phone(post: Post, kind: str) -> Iterator[Testimony]:
    call = post.event.get("call")
    if (
        not isinstance(call, Mapping)
        or not isinstance(call.get("id"), str)
        or call.get("direction") not in ("Inbound", "Outbound")
    ):
        return  # SCHEMA_VIOLATION, SPEC 3.13
    if kind == "end" and not isinstance(call.get("endTime"), int | float):
        return
    outbound = call["direction"] == "Outbound"
    party = call.get("partyData") or {}
    answer = post.browser(call["startTime"]) if call.get("startTime") else None
    since = {"start": answer, "end": post.browser(call.get("endTime"))}.get(kind) or post.at
    ring = post.browser(call.get("creationTime"))
    yield Testimony(
        post,
        Witness.WEB_PHONE,
        outbound,
        _keys(post, party.get("partyId"), party.get("sessionId"), None, outbound, call["id"]),
        WEB_STATES[kind],
        ring if kind in ("ring", "init") else since,
        ring=ring,
        answer=answer,
        muted=bool(call.get("isOnMute")) if kind == "mute" else None,
        flags=frozenset(flag for flag in FLAGS if call.get(flag)),
        remote=number(call.get("to" if outbound else "from")),
        queue=bool(call.get("callQueueName")),
        call_id=party.get("sessionId"),
        dialog=call["id"],
        consults=call.get("warmTransferSessionId") or None,
        kind=kind,
    )


def _active_call(post: Post, witness: Witness) -> Iterator[Testimony]:
    call = post.event.get("call")
    if not isinstance(call, Mapping) or not isinstance(call.get("sessionId"), str):
        return
    status = call.get("telephonyStatus")
    over = status == "NoCall" and call.get("terminationType", "final") == "final"  # DECISIONS 54
    state = State.ENDED if over else ACTIVE_STATES.get(str(status))
    if state is None:
        return
    outbound = call.get("direction") == "Outbound"
    started = post.server(int(call["startTime"])) if call.get("startTime") else post.at
    yield Testimony(
        post,
        witness,
        outbound,
        # NB: in a self-call the party of an active call may be that of the other leg (SPEC 3.3 c): it names none.
        _keys(post, None, call.get("telephonySessionId"), call["sessionId"], outbound, None),
        state,
        started if state is State.RINGING else post.at,
        ring=started if state is State.RINGING else None,
        started=started,
        remote=number(call.get("to" if outbound else "from")),
        queue=bool(call.get("queueCall")),
        call_id=call.get("telephonySessionId"),
        legacy=call["sessionId"],
    )


def _telephony(post: Post) -> Iterator[Testimony]:
    session = post.event.get("telephonySession")
    if not isinstance(session, Mapping) or not session.get("id"):
        return
    parties = [party for party in session.get("parties", []) if isinstance(party, Mapping)]
    own = [
        party for party in parties if party.get("extensionId") and party["extensionId"] == session.get("extensionId")
    ]
    created = post.server(_iso(session["creationTime"])) if session.get("creationTime") else post.at
    for party in own:
        yield _party(post, session, party, [other for other in parties if other not in own], created)


def _party(post: Post, session: Json, party: Json, others: list[Json], created: Instant) -> Testimony:
    status = party.get("status") or {}
    code = str(status.get("code") or "")
    state = PARTY_STATES.get(code.lower())
    reason = status.get("reason")
    if state is State.ENDED and str(reason).lower() in ("callswitch", "callflip"):
        state = None  # no end of the leg, DECISIONS 59
    outbound = party.get("direction") == "Outbound"
    return Testimony(
        post,
        Witness.TELEPHONY_SESSION,
        outbound,
        _keys(post, party.get("id"), session["id"], session.get("sessionId"), outbound, None),
        state,
        created if state is State.RINGING else post.at,
        ring=created if state is State.RINGING else None,
        started=created,
        muted=bool(party["muted"]) if "muted" in party else None,
        code=code.lower(),
        reason=reason,
        peer=bool(status.get("peerId")),
        other_answered=_other_answered(others) if outbound else None,
        remote=number(party.get("to" if outbound else "from")),
        queue=bool(party.get("queueCall")),
        call_id=session["id"],
        legacy=session.get("sessionId"),
    )


def _other_answered(others: list[Json]) -> bool | None:
    """Whether the called party has answered; null when no other party is seen."""
    called = [
        str((party.get("status") or {}).get("code", "")).lower()
        for party in others
        if party.get("direction") == "Inbound"
    ]
    return any(code in ("answered", "hold") for code in called) if called else None


def _keys(post: Post, party: Any, telephony: Any, legacy: Any, outbound: bool, dialog: Any) -> tuple[Key, ...]:
    """The names by which a leg may be known; a new own party of the call and direction continues it (DECISIONS 8)."""
    side = "out" if outbound else "in"
    names: list[Key] = []
    if party and telephony:
        names.append((post.extension, "party", str(telephony), str(party)))
    if telephony:
        names.append((post.extension, "call", str(telephony), side))
    if legacy and legacy != "0":
        names.append((post.extension, "legacy", str(legacy), side))
    if dialog:
        names.append((post.extension, "dialog", str(dialog)))
    return tuple(names)


def number(value: Any) -> str:
    """Return a number in one form: of `16505550100*101` the main number, no plus, `102` as it is (SPEC 2)."""
    if isinstance(value, Mapping):
        value = value.get("phoneNumber") or value.get("extensionNumber") or ""
    return str(value or "").split("*")[0].lstrip("+")


def _iso(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00").replace("+0000", "+00:00"))
    return round(moment.timestamp() * 1000)
