"""Which leg a sighting speaks of: the joins of SPEC 2 and DECISIONS 8 to 10, as one table of names in order of trust.

What has no name in common with any leg may still be joined by number and time (DECISIONS 9), or as the other side of a
RingOut (DECISIONS 8).
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from streams.domain.instants import Instant
from streams.domain.legs.evidence import Leg, Sighting
from streams.domain.legs.ranks import SAME_MS
from streams.domain.words import Direction, State, Witness

PAIRED = (1_000, 2_000, 3_000, 4_000)
"""Differences of the legacy session ids of the two sides of a RingOut."""
PAIRED_MS = 120_000
"""They begin at most this far apart."""
MAX_NAMES = 200
"""No real leg has so many."""
OPPOSITE = {Direction.INBOUND: Direction.OUTBOUND, Direction.OUTBOUND: Direction.INBOUND}


class Legs(Protocol):
    """The legs of one extension, found by any name they were ever called."""

    def named(self, name: str) -> Leg | None:
        """Return the leg of that name, or None."""

    def name(self, name: str, leg: Leg) -> None:
        """Remember a name of a leg."""


class Join(NamedTuple):
    """One way to name a leg."""

    name: Callable[[Sighting], str | None]
    what: str
    source: str


def dialog_name(dialog: str) -> str:
    """Return the name that a dialog of the web phone gives its leg."""
    return f"dialog:{dialog}"


def _by_party(sighting: Sighting) -> str | None:
    if not sighting.telephony_session_id or not sighting.party_id:
        return None
    return f"party:{sighting.telephony_session_id}:{sighting.party_id}"


def _by_call(sighting: Sighting) -> str | None:
    if not sighting.telephony_session_id:
        return None
    return f"call:{sighting.telephony_session_id}:{sighting.direction}"


def _by_session(sighting: Sighting) -> str | None:
    if not sighting.legacy_session_id:
        return None
    return f"session:{sighting.legacy_session_id}:{sighting.direction}"


def _by_dialog(sighting: Sighting) -> str | None:
    return dialog_name(sighting.dialog) if sighting.witness is Witness.WEB_PHONE and sighting.dialog else None


NAMES: tuple[Join, ...] = (
    Join(_by_party, "telephony session and party", "web phone, telephony session"),
    Join(_by_call, "telephony session and direction", "all"),
    Join(_by_session, "legacy session and direction, never session 0", "active call, ringout, telephony session"),
    Join(_by_dialog, "SIP dialog (`call.id`)", "web phone"),
)
"""Names that a sighting gives its leg, the most stable first.

NB: the party of an active call is no name: in a self-call the widget mixes up those of the two legs (SPEC 3.3).
"""


def names(sighting: Sighting) -> list[str]:
    """Return every name that the sighting has for its leg, best first."""
    if sighting.names is None:
        sighting.names = [name for join in NAMES if (name := join.name(sighting)) is not None]
    return sighting.names


def find(legs: Legs, sighting: Sighting) -> list[Leg]:
    """Return the legs that the sighting names, each once, the best named first."""
    found: list[Leg] = []
    for name in names(sighting):
        leg = legs.named(name)
        if leg is not None and leg not in found:
            found.append(leg)
    return found


def learn(legs: Legs, leg: Leg, sighting: Sighting) -> None:
    """Remember the names and ids that a sighting tells of its leg."""
    told = names(sighting)
    if sighting.peer is not None:
        told = [*told, f"party:{sighting.peer[0]}:{sighting.peer[1]}"]
    for name in told:
        if name not in leg.aliases and len(leg.aliases) < MAX_NAMES:
            leg.aliases.append(name)
            legs.name(name, leg)
    if leg.telephony_session_id is None or (leg.paired and sighting.direction is leg.direction):
        leg.telephony_session_id = sighting.telephony_session_id or leg.telephony_session_id
    for session_id in (sighting.telephony_session_id, sighting.legacy_session_id):
        if session_id is not None and session_id not in leg.session_ids and len(leg.session_ids) < MAX_NAMES:
            leg.session_ids.append(session_id)


def by_number(candidates: Iterable[Leg], sighting: Sighting) -> Leg | None:
    """Return the one leg that is the same outbound call by number and time, an open one before an ended one.

    Joins what the web phone says before it knows ids with what the server says, either way round (DECISIONS 9).
    """
    if sighting.direction is not Direction.OUTBOUND or not _number(sighting.remote):
        return None
    if sighting.witness is Witness.WEB_PHONE and sighting.telephony_session_id:
        return None
    fitting = [leg for leg in candidates if _fits(leg, sighting)]
    for group in ([leg for leg in fitting if leg.state is not State.ENDED], fitting):
        if group:
            return group[0] if len(group) == 1 else None
    return None


def _fits(leg: Leg, sighting: Sighting) -> bool:
    if leg.direction is not Direction.OUTBOUND or _number(leg.remote) != _number(sighting.remote):
        return False
    from_browser = any(dialog.witness is Witness.WEB_PHONE for dialog in leg.dialogs)
    is_half = not from_browser if sighting.witness is Witness.WEB_PHONE else from_browser and not leg.session_ids
    begun = begin_of(leg)
    return is_half and begun is not None and is_near(begun.at, sighting)


def is_near(begun: int, sighting: Sighting) -> bool:
    """Tell whether a leg that began at this instant, ms since the epoch, may be the sighting's by its time."""
    other = sighting.ring or sighting.begun or sighting.at
    return abs(begun - other.at) <= SAME_MS


def _number(remote: dict[str, str | None] | None) -> str | None:
    return remote["token"] if remote else None


def begin_of(leg: Leg) -> Instant | None:
    """Return when the leg began, as far as anybody told."""
    told = [begun for dialog in leg.dialogs if (begun := dialog.ring or dialog.begun) is not None]
    return min(told, key=lambda at: at.at, default=leg.posts[0].at if leg.posts else None)


def ringout_pair(legs: Legs, sighting: Sighting) -> Leg | None:
    """Return the leg that is the other side of the same RingOut."""
    opposite = OPPOSITE.get(sighting.direction)
    if opposite is None or not sighting.legacy_session_id or not sighting.legacy_session_id.isdecimal():
        return None
    number = int(sighting.legacy_session_id)
    for difference in PAIRED:
        for other in (number - difference, number + difference):
            leg = legs.named(f"session:{other}:{opposite}")
            if leg is not None and leg.direction is opposite and _pairs(leg, sighting):
                return leg
    return None


def _pairs(leg: Leg, sighting: Sighting) -> bool:
    begun, other = begin_of(leg), sighting.ring or sighting.begun or sighting.at
    if begun is None or abs(begun.at - other.at) > PAIRED_MS:
        return False
    same_number = _number(leg.remote) is not None and _number(leg.remote) == _number(sighting.remote)
    return leg.ringout or sighting.ringout or same_number
