"""What an extension's witnesses post about a call: web phone, telephony session, active call, ringout (SPEC 3)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.accuracy.facts import Leg, Tells
from tests.accuracy.office import Agent, Event, Load

PUSH_AT_MOST_MS = 4_000
WebEnd = tuple[int, tuple[str, ...], bool]
"""An end of the web phone: after the first, with these flags, with a `startTime`."""

OUT: Sequence[WebEnd] = ((0, (), False), (90, (), False))
"""How a tab whose phone rang says that it is out of the call."""

CODES = {
    "ring": "Setup",
    "answer": "Answered",
    "hold": "Hold",
    "resume": "Answered",
    "mute": "",
    "unmute": "",
    "park": "Parked",
    "retrieve": "Answered",
}
STATUSES = {
    "ring": "Ringing",
    "answer": "CallConnected",
    "hold": "OnHold",
    "resume": "CallConnected",
    "park": "ParkedCall",
    "retrieve": "CallConnected",
}


@dataclass(eq=False)
class Witnessed:
    """The call as one extension has it, and who posts about it."""

    agent: Agent
    leg: Leg
    remote: str
    session_id: str
    party: str
    media: int | None = None
    """The tab whose web phone has the media; null on a desk phone or app."""
    rings_in_tabs: bool = False
    queue: str | None = None
    anonymous: bool = False
    consults: str | None = None
    origin: str = "Call"
    telephony: bool = True
    pushes: bool = True
    other: str = ""
    dialogs: dict[int, str] = field(default_factory=dict)
    created: dict[int, int] = field(default_factory=dict)
    started: int | None = None
    began: int = 0
    muted: bool = False
    early: bool = False
    own: bool = False
    lag_ms: int = 0
    """The platform's pushes about this call are late by so much (SPEC 12)."""
    code: str = "Setup"

    def __post_init__(self) -> None:
        rng = self.agent.rng
        one = f"{rng.getrandbits(120):030x}"
        forked = self.agent.shared_phone or rng.random() < 0.5
        self.dialogs = {
            index: one if forked else f"{rng.getrandbits(120):030x}" for index in range(len(self.agent.tabs))
        }

    # Who tells it

    def _phones(self) -> Sequence[int]:
        return range(len(self.agent.tabs)) if not self.leg.outbound or self.agent.shared_phone else [self.media or 0]

    def _tellers(self) -> Sequence[int]:
        if self.media is None:
            return []
        return range(len(self.agent.tabs)) if self.agent.shared_phone else [self.media]

    def _between(self, low: int, high: int) -> int:
        return self.agent.rng.randint(low, high)

    def _push(self, median: float) -> int:
        return self.lag_ms + int(min(PUSH_AT_MOST_MS, 12 + self.agent.rng.lognormvariate(math.log(median), 0.9)))

    def _tell(self, what: str, at: int, fact: str, *, server: bool = False) -> None:
        if self.telephony:
            self._telephony(at, CODES[what], fact, server=server)
        status = STATUSES.get(what)
        if status and self.pushes:
            self._active(at, status, fact, server=server)
        if status:
            self.agent.statuses.append((at, self.leg.call_id + self.party, status))

    # Web phone

    def _web(self, index: int, kind: str, at: int, *tells: Tells, **changes: Any) -> None:
        load = self.agent.tabs[index].load
        call = self._web_call(load, index, kind)
        call.update(changes)
        also = (
            [Tells(self.leg, "ring", at=self.created[index])]
            if index in self.created and self.leg.ring is not None
            else []
        )
        if call.get("startTime") and not self.early:
            also.append(Tells(self.leg, "answer", at=call["startTime"] - load.skew))
        load.post(
            at, {"type": f"rc-call-{kind}-notify", "call": call}, *tells, *also, Tells(self.leg, "seen"), channel="web"
        )

    def _web_call(self, load: Load, index: int, kind: str) -> Event:
        outbound = self.leg.outbound
        own = f"{self.agent.login.lstrip('+')}"
        call: Event = {
            "id": self.dialogs[index],
            "direction": "Outbound" if outbound else "Inbound",
            "callStatus": "webphone-session-connected",
            "from": own if outbound else "anonymous" if self.anonymous else self.remote,
            "to": self.remote if outbound else own,
            "creationTime": load.clock(self.created.get(index, self.began)),
            "lastActiveTime": load.clock(self.began),
            "isOnHold": self.code == "Hold",
            "isOnMute": self.muted,
            "isOnFlip": False,
            "isOnTransfer": False,
            "isToVoicemail": False,
            "isForwarded": False,
            "isReplied": False,
            "callQueueName": self.queue,
            "partyData": None if kind == "init" else {"partyId": self.party, "sessionId": self.leg.call_id},
        }
        if self.started is not None and kind != "ring" and index in self._tellers():
            call["startTime"] = load.clock(self.started)
        if self.consults and kind != "end":
            call["warmTransferSessionId"] = self.consults
        return call

    def _web_ends(self, index: int, first: int, ends: Sequence[WebEnd], fact: str) -> None:
        load = self.agent.tabs[index].load
        flags: tuple[str, ...] = ()
        many = ends if self.agent.modern else [(0, tuple(flag for _, more, _ in ends for flag in more), ends[0][2])]
        for after, more, started in many:
            flags += more
            at = first + after
            tells = [Tells(self.leg, "end", at=at)] if fact and not after else []
            tells += [Tells(self.leg, f"flag-{flag}") for flag in more]
            changes: Event = {"endTime": load.clock(at), **dict.fromkeys(flags, True)}
            if started and self.started is None and self.leg.disposition == "FORWARDED":
                changes["startTime"] = load.clock(first + 20)
            self._web(index, "end", at + self._between(20, 160), *tells, **changes)

    # Pushes

    def _telephony(self, at: int, code: str, fact: str, *, reason: str | None = None, server: bool = False) -> None:
        self.code = code or self.code
        for load in self.agent.loads:
            if load.since > self.began:
                continue  # silent about sessions older than the page load (SPEC 12)
            event = self._session(self.code, reason)
            tell = Tells(self.leg, fact, "TELEPHONY_SESSION", self.began + 30 if server else 0, server)
            why = [Tells(self.leg, f"reason-{reason}")] if reason else []
            why += [Tells(self.leg, f"code-{self.code}")]
            load.post(at + self._push(40), event, tell, *why, Tells(self.leg, "seen"), channel="telephony")

    def _session(self, code: str, reason: str | None) -> Event:
        outbound = self.leg.outbound
        mine: Event = {"phoneNumber": self.agent.login.split("*")[0], "extensionId": self.agent.extension_id}
        theirs: Event = {} if self.anonymous else {"phoneNumber": self.remote}
        status: Event = {"code": code, "rcc": False, **({"reason": reason} if reason else {})}
        party: Event = {
            "id": self.party,
            "direction": "Outbound" if outbound else "Inbound",
            "from": mine if outbound else theirs,
            "to": theirs if outbound else mine,
            "status": status,
            "muted": self.muted,
            "extensionId": self.agent.extension_id,
            "accountId": "310450016",
            "missedCall": False,
            "standAlone": False,
            **({"queueCall": True} if self.queue else {}),
        }
        parties = [party]
        if self.other:
            parties.append(
                {
                    "id": self.party + "9",
                    "direction": "Inbound",
                    "from": mine,
                    "to": theirs,
                    "status": {"code": self.other},
                }
            )
        created = (
            datetime.fromtimestamp((self.began + 30) / 1000, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        session: Event = {
            "id": self.leg.call_id, "sessionId": self.session_id, "extensionId": self.agent.extension_id,
            "accountId": "310450016", "creationTime": created, "origin": {"type": self.origin}, "parties": parties,
        }  # fmt: skip
        return {"type": "rc-telephony-session-notify", "telephonySession": session}

    def _active(self, at: int, status: str, fact: str, *, server: bool = False) -> None:
        for load in self.agent.pushed_to():
            self.active_at(
                load,
                at + self._push(130),
                status,
                Tells(self.leg, fact, "ACTIVE_CALL", self.began + 20 if server else 0, server),
            )

    def active_at(self, load: Load, at: int, status: str, *tells: Tells) -> None:
        """One page load posts the status of the active call, ringout first in that mode (SPEC 3.2)."""
        if load.statuses.get(self.leg.call_id + self.party) == status:
            return
        load.statuses[self.leg.call_id + self.party] = status
        kinds = ("ringout-call", "active-call") if self.agent.mode == "ringout" else ("active-call",)
        for kind in kinds:
            seen = [Tells(self.leg, "seen")] if status != "NoCall" else []
            load.post(
                at, {"type": f"rc-{kind}-notify", "call": self._active_call(status)}, *tells, *seen, channel="active"
            )

    def _active_call(self, status: str) -> Event:
        outbound = self.leg.outbound and not self.own
        mine = {"phoneNumber": self.agent.login.split("*")[0]}
        theirs = {} if self.anonymous else {"phoneNumber": self.remote}
        call: Event = {
            "direction": "Outbound" if outbound else "Inbound",
            "from": mine if outbound else theirs,
            "to": theirs if outbound else mine,
            "telephonyStatus": status,
            "sessionId": self.session_id,
            "startTime": self.began + 20,
            "offset": 0,
            "partyId": self.party,
            "telephonySessionId": self.leg.call_id + ("0" if self.own else ""),
            "queueCall": bool(self.queue),
        }
        if status == "NoCall":
            call["terminationType"] = "final"
        return call
