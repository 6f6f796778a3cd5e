"""What really happened, and which of it some witness told."""

from dataclasses import dataclass, field

Span = tuple[int, int]


@dataclass(eq=False)
class Leg:
    """One extension's true part in one call; all instants are true time, milliseconds.

    `told` has, for each fact and kind of witness, by how much each delivered post that is due to it put it off.
    """

    extension: str
    call_id: str
    outbound: bool
    story: str
    ring: int | None = None
    answer: int | None = None
    end: int = 0
    disposition: str = "ANSWERED"
    transfer: str = "NONE"
    holds: list[Span] = field(default_factory=list)
    mutes: list[Span] = field(default_factory=list)
    parks: list[Span] = field(default_factory=list)
    told: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    seen: bool = False
    lagged: bool = False
    """The telephony session told an outbound answer seconds after the browser's start."""

    @property
    def direction(self) -> str:
        """As a record says it."""
        return "OUTBOUND" if self.outbound else "INBOUND"

    @property
    def facts(self) -> dict[str, int]:
        """The instants that the durations rest on, by name."""
        found = {"end": self.end}
        if self.ring is not None:
            found["ring"] = self.ring
        if self.answer is not None:
            found["answer"] = self.answer
        for name, spans in (("hold", self.holds), ("mute", self.mutes), ("park", self.parks)):
            for number, (first, last) in enumerate(spans):
                found[f"{name}{number}"] = first
                if last != self.end:
                    found[f"un{name}{number}"] = last
        return found

    @property
    def durations(self) -> dict[str, int | None]:
        """The true durations, as CONTRACT 6 defines them."""
        hold = sum(last - first for first, last in self.holds)
        park = sum(last - first for first, last in self.parks)
        until = self.end if self.answer is None else self.answer
        begin = self.ring if self.ring is not None else self.answer
        return {
            "ring_ms": None if self.ring is None else until - self.ring,
            "talk_ms": 0 if self.answer is None else self.end - self.answer - hold - park,
            "hold_ms": hold,
            "park_ms": park,
            "mute_ms": sum(last - first for first, last in self.mutes),
            "total_ms": None if begin is None else self.end - begin,
        }

    def off(self, fact: str) -> int:
        """Return the most by which a deciding post put a fact off: the browser's where it told the answer."""
        by_witness = self.told[fact]
        browser = "WEB_PHONE" in self.told.get("answer", by_witness) and "WEB_PHONE" in by_witness
        return max(
            by_witness["WEB_PHONE"] if browser else [error for errors in by_witness.values() for error in errors]
        )


@dataclass(frozen=True)
class Tells:
    """A post tells one fact of a leg, and where it puts it in true time; `server` if the platform's clock told."""

    leg: Leg
    fact: str
    witness: str = "WEB_PHONE"
    at: int = 0
    server: bool = False
