"""One call as it happens to one extension; every act is posted by those who witness it (SPEC 4, 12)."""

from collections.abc import Sequence

from tests.accuracy.facts import Tells
from tests.accuracy.office import Load
from tests.accuracy.witnesses import OUT, WebEnd, Witnessed


class Call(Witnessed):
    """The acts of a call, in true time."""

    def begins(self, at: int) -> None:
        """It rings, or is dialled."""
        self.began = at
        self.leg.ring = at
        for index in self._phones() if self.media is not None or self.rings_in_tabs else ():
            shift = self._between(100, 300) if self.leg.outbound else self._between(10, 150)
            self.created[index] = at + (
                shift if index == 0 or not self.agent.shared_phone else self.created.get(0, at + shift) - at
            )
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
            self.rings_in_tabs = False
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
        """The telephony session says more than what became of the leg: the voicemail's end, an answer to forward."""
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
        load.post(
            at,
            {"type": "rc-login-status-notify", "loggedIn": False},
            *([Tells(self.leg, "end", "LOGOUT")] if tells else []),
        )
        load.post(
            at + 40, {"type": "rc-adapter-syncPresence", "telephonyStatus": None, "userStatus": None, "dndStatus": None}
        )

    def is_missing_from_snapshot(self, at: int) -> None:
        """The page load with the media lists its calls, and this one is not among them."""
        assert self.media is not None
        load = self.agent.tabs[self.media].load
        load.post(at, {"type": "rc-webphone-sessions-sync", "calls": []}, Tells(self.leg, "end", "SNAPSHOT"))

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
        names = {
            "hold": "hold",
            "resume": "unhold",
            "mute": "mute",
            "unmute": "unmute",
            "park": "park",
            "retrieve": "unpark",
        }
        fact = f"{names[what]}{number}"
        self.muted = {"mute": True, "unmute": False}.get(what, self.muted)
        if self.media is not None and what not in ("park", "retrieve"):
            owner = [self.media] if what in ("mute", "unmute") else self._tellers()
            for index in owner:
                kind = "mute" if what == "unmute" else what
                self._web(index, kind, at + self._between(5, 130), Tells(self.leg, fact))
        self._tell(what, at, fact)

    def ends(
        self,
        at: int,
        *,
        web: Sequence[WebEnd] | None = ((0, (), True),),
        code: str = "Disconnected",
        reason: str | None = None,
        later: int = 0,
        nocall: bool = True,
    ) -> None:
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
