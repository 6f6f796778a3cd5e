"""What really happened in a simulated call centre: the truth that the pipeline's call records can be compared with.

All instants are true time, UTC ms since the epoch, on no browser's clock.
"""

from dataclasses import dataclass
from enum import StrEnum

Span = tuple[int, int]
"""From, to."""


class Disposition(StrEnum):
    """How a leg turned out, in the words of call records (CONTRACT 6)."""

    ANSWERED = "ANSWERED"
    MISSED = "MISSED"
    REJECTED = "REJECTED"
    ANSWERED_ELSEWHERE = "ANSWERED_ELSEWHERE"
    UNANSWERED = "UNANSWERED"


class Direction(StrEnum):
    """Of a leg, as its own extension sees it; the widget's own words."""

    INBOUND = "Inbound"
    OUTBOUND = "Outbound"


@dataclass(frozen=True, slots=True)
class TrueLeg:
    """One extension's part in a call."""

    extension_key: str
    """Login number, `+16505550100*101`."""
    call_id: str
    """Telephony session id, the same for all legs of the call."""
    party_id: str
    direction: Direction
    remote: str
    """The other side as the widget writes it: a number, an extension or `anonymous`."""
    queue: str | None
    """Name of the call queue that the call came through."""
    initiated_at: int
    """First ring, or dial."""
    answered_at: int | None
    ended_at: int
    disposition: Disposition
    holds: tuple[Span, ...] = ()
    auto_holds: frozenset[int] = frozenset()
    """Positions in `holds` of those that the widget made by itself to answer a second call."""
    mutes: tuple[Span, ...] = ()
    ended_by_reload: bool = False
    """The page was reloaded in mid-call: the leg ended and nobody posted it (SPEC 12)."""

    @property
    def is_inbound(self) -> bool:
        """Somebody called this extension."""
        return self.direction is Direction.INBOUND
