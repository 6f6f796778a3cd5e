"""One call as one extension's witnesses tell it: posts of web phone, telephony session, active call and ringout (SPEC 3, 4, 12)."""

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

CODES = {"ring": "Setup", "answer": "Answered", "hold": "Hold", "resume": "Answered", "mute": "", "unmute": "", "park": "Parked", "retrieve": "Answered"}
STATUSES = {"ring": "Ringing", "answer": "CallConnected", "hold": "OnHold", "resume": "CallConnected", "park": "ParkedCall", "retrieve": "CallConnected"}


@dataclass(eq=False)
class Call:
    """The call as one extension has it, and how its acts are posted."""

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
    code: str = "Setup"

    def __post_init__(self) -> None:
        rng = self.agent.rng
        one = f"{rng.getrandbits(120):030x}"
        forked = self.agent.shared_phone or rng.random() < 0.5
        self.dialogs = {index: one if forked else f"{rng.getrandbits(120):030x}" for index in range(len(self.agent.tabs))}
        self.leg.needs.add("seen")

    # What happens

    def begins(self, at: int) -> None:
        """It rings, or is dialled."""
        self.began = at
        self.leg.ring = at
        for index in self._phones() if self.media is not None or self.rings_in_tabs else ():
            shift = self._between(100, 300) if self.leg.outbound else self._between(10, 150)
            self.created[index] = at + (shift if index == 0 or not self.agent.shared_phone else self.created.get(0, at + shift) - at)
            self._web(index, "init" if self.leg.outbound else "ring", self.created[index] + self._between(4, 120))
        self._tell("ring", at, "ring", server=True)

    def answered(self, at: int) -> None:
        """The call is answered; the other tabs' phones are out (SPEC 12: same id in two tabs)."""
        self.leg.answer = at
        if self.media is not None:
            self.started = at + (self._between(20, 90) if self.leg.outbound else self._between(-30, 6))
            for index in self._tellers():
                self._web(index, "start", max(self.started + 1, at) + self._between(4, 110))
        if self.rings_in_tabs:
            for index in set(self._phones()) - set(self._tellers()):
                self._web_ends(index, at + self._between(30, 70), OUT, fact="")
        self._tell("answer", at, "answer")

    def starts_while_ringing(self, at: int) -> None:
        """The browser and the own party are connected while the other phone still rings (SPEC 3.1.1)."""
        self.early, self.started, self.other = True, at + self._between(5, 60), "Proceeding"
        for index in self._tellers():
            self._web(index, "start", self.started + self._between(4, 110))
        self._telephony(at, "Answered", "")
        if self.pushes:
            self._active(at, "CallConnected", "")
        self.agent.statuses.append((at, self.leg.call_id + self.party, "CallConnected"))

    def other_answers(self, at: int) -> None:
        """The called phone is taken up at last: only the telephony session tells."""
        self.leg.answer, self.other = at, "Answered"
        self._telephony(at, "Answered", "answer")

    def goes_on_alone(self, at: int, code: str) -> None:
        """The telephony session says more than what became of the leg: the voicemail's end, an answer only to forward."""
        self._telephony(at, code, "")

    def opens(self, at: int) -> None:
        """A conference room: an active call that is connected from its start."""
        self.began, self.leg.answer = at, at
        self.pushes = True
        self._active(at, "CallConnected", "answer", server=True)
        self.agent.statuses.append((at, self.leg.call_id + self.party, "CallConnected"))

    def pauses(self, at: int) -> None:
        """The offer is withdrawn."""
        self._active(at, "NoCall", "")
        self.agent.statuses.append((at, self.leg.call_id + self.party, "NoCall"))

    def rings_again(self, at: int) -> None:
        """The same session is offered again."""
        self._active(at, "Ringing", "")
        self.agent.statuses.append((at, self.leg.call_id + self.party, "Ringing"))

    def own_phone(self, at: int, taken: int | None) -> None:
        """RingOut: the user's own phone rings, and is taken up."""
        self.began = at
        self.own = True
        self._active(at, "Ringing", "")
        if taken is not None:
            self._active(taken, "CallConnected", "")

    def own_phone_hangs_up(self, at: int) -> None:
        """RingOut: the user's own phone is free again."""
        self._active(at, "NoCall", "")

    def loses_login(self, load: Load, at: int, *, tells: bool) -> None:
        """The page load says it is logged out, and its presence is empty."""
        load.post(at, {"type": "rc-login-status-notify", "loggedIn": False}, *([Tells(self.leg, "end", at)] if tells else []))
        load.post(at + 40, {"type": "rc-adapter-syncPresence", "telephonyStatus": None, "userStatus": None, "dndStatus": None})

    def leaves_browser(self, at: int, *flags: str) -> None:
        """The browser's part is over, the leg goes on elsewhere: parked, flipped (DECISIONS 11)."""
        for index in self._tellers():
            self._web_ends(index, at + self._between(20, 110), ((0, flags, True),), fact="")
        self.media, self.rings_in_tabs = None, False

    def switches_tab(self, at: int, status: str) -> None:
        """Another tab becomes the active one; an old widget posts what it missed (SPEC 6)."""
        self.agent.active_tab = (self.agent.active_tab + 1) % len(self.agent.tabs)
        if not self.agent.modern and self.pushes:
            self.active_at(self.agent.tabs[self.agent.active_tab].load, at, status)

    def changed(self, what: str, at: int, number: int) -> None:
        """Hold, resume, mute, unmute, park, retrieve."""
        names = {"hold": "hold", "resume": "unhold", "mute": "mute", "unmute": "unmute", "park": "park", "retrieve": "unpark"}
        fact = f"{names[what]}{number}"
        self.muted = {"mute": True, "unmute": False}.get(what, self.muted)
        if self.media is not None and what not in ("park", "retrieve"):
            owner = [self.media] if what in ("mute", "unmute") else self._tellers()
            for index in owner:
                kind = "mute" if what == "unmute" else what
                self._web(index, kind, at + self._between(5, 130), Tells(self.leg, fact))
        self._tell(what, at, fact)

    def ends(
        self, at: int, *, web: Sequence[WebEnd] | None = ((0, (), True),), code: str = "Disconnected", reason: str | None = None, later: int = 0,
        nocall: bool = True,
    ) -> None:  # fmt: skip
        """It is over; the platform may be later than the browser, and NoCall may be missing (SPEC 3.3)."""
        self.leg.end = at
        if web is not None and (self.media is not None or self.rings_in_tabs):
            for index in self._tellers() if self.started is not None else self._phones():
                acted = index in self._tellers() or not any(flags for _, flags, _ in web)
                self._web_ends(index, at + self._between(8, 60), web if acted else OUT, fact="end")
        if self.telephony:
            self._telephony(at + later, code, "end", reason=reason)
        if self.pushes and nocall:
            self._active(at + later, "NoCall", "end")
        self.agent.statuses.append((at + later, self.leg.call_id + self.party, "NoCall"))

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
        return int(min(PUSH_AT_MOST_MS, 12 + self.agent.rng.lognormvariate(math.log(median), 0.9)))

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
        also = [Tells(self.leg, "ring", self.created[index])] if index in self.created and self.leg.ring is not None else []
        if call.get("startTime") and not self.early:
            also.append(Tells(self.leg, "answer", call["startTime"] - load.skew))
        load.post(at, {"type": f"rc-call-{kind}-notify", "call": call}, *tells, *also, Tells(self.leg, "seen", at), channel="web")
        self.leg.tellers.add("WEB_PHONE")

    def _web_call(self, load: Load, index: int, kind: str) -> Event:
        outbound = self.leg.outbound
        own = f"{self.agent.login.lstrip('+')}"
        call: Event = {
            "id": self.dialogs[index], "direction": "Outbound" if outbound else "Inbound", "callStatus": "webphone-session-connected",
            "from": own if outbound else "anonymous" if self.anonymous else self.remote, "to": self.remote if outbound else own,
            "creationTime": load.clock(self.created.get(index, self.began)), "lastActiveTime": load.clock(self.began),
            "isOnHold": self.code == "Hold", "isOnMute": self.muted, "isOnFlip": False, "isOnTransfer": False, "isToVoicemail": False,
            "isForwarded": False, "isReplied": False, "callQueueName": self.queue,
            "partyData": None if kind == "init" else {"partyId": self.party, "sessionId": self.leg.call_id},
        }  # fmt: skip
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
            tells = [Tells(self.leg, "end", at)] if fact and not after else []
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
            tell = Tells(self.leg, fact, self.began + 30 if server else 0, server)
            why = [Tells(self.leg, f"reason-{reason}")] if reason else []
            why += [Tells(self.leg, f"code-{self.code}")]
            load.post(at + self._push(40), event, tell, *why, Tells(self.leg, "seen", at), channel="telephony")
            self.leg.tellers.add("TELEPHONY_SESSION")

    def _session(self, code: str, reason: str | None) -> Event:
        outbound = self.leg.outbound
        mine: Event = {"phoneNumber": self.agent.login.split("*")[0], "extensionId": self.agent.extension_id}
        theirs: Event = {} if self.anonymous else {"phoneNumber": self.remote}
        status: Event = {"code": code, "rcc": False, **({"reason": reason} if reason else {})}
        party: Event = {
            "id": self.party, "direction": "Outbound" if outbound else "Inbound", "from": mine if outbound else theirs,
            "to": theirs if outbound else mine, "status": status, "muted": self.muted, "extensionId": self.agent.extension_id,
            "accountId": "310450016", "missedCall": False, "standAlone": False, **({"queueCall": True} if self.queue else {}),
        }  # fmt: skip
        parties = [party]
        if self.other:
            parties.append({"id": self.party + "9", "direction": "Inbound", "from": mine, "to": theirs, "status": {"code": self.other}})
        created = datetime.fromtimestamp((self.began + 30) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"type": "rc-telephony-session-notify", "telephonySession": {
            "id": self.leg.call_id, "sessionId": self.session_id, "extensionId": self.agent.extension_id, "accountId": "310450016",
            "creationTime": created, "origin": {"type": self.origin}, "parties": parties}}  # fmt: skip

    def _active(self, at: int, status: str, fact: str, *, server: bool = False) -> None:
        for load in self.agent.pushed_to():
            self.active_at(load, at + self._push(130), status, Tells(self.leg, fact, self.began + 20 if server else 0, server))

    def active_at(self, load: Load, at: int, status: str, *tells: Tells) -> None:
        """One page load posts the status of the active call, ringout first in that mode (SPEC 3.2)."""
        if load.statuses.get(self.leg.call_id + self.party) == status:
            return
        load.statuses[self.leg.call_id + self.party] = status
        kinds = ("ringout-call", "active-call") if self.agent.mode == "ringout" else ("active-call",)
        for kind in kinds:
            seen = [Tells(self.leg, "seen", at)] if status != "NoCall" else []
            load.post(at, {"type": f"rc-{kind}-notify", "call": self._active_call(status)}, *tells, *seen, channel="active")
            self.leg.tellers.add("ACTIVE_CALL" if kind == "active-call" else "RINGOUT")

    def _active_call(self, status: str) -> Event:
        outbound = self.leg.outbound and not self.own
        mine = {"phoneNumber": self.agent.login.split("*")[0]}
        theirs = {} if self.anonymous else {"phoneNumber": self.remote}
        call: Event = {
            "direction": "Outbound" if outbound else "Inbound", "from": mine if outbound else theirs, "to": theirs if outbound else mine,
            "telephonyStatus": status, "sessionId": self.session_id, "startTime": self.began + 20, "offset": 0, "partyId": self.party,
            "telephonySessionId": self.leg.call_id + ("0" if self.own else ""), "queueCall": bool(self.queue),
        }  # fmt: skip
        if status == "NoCall":
            call["terminationType"] = "final"
        return call
