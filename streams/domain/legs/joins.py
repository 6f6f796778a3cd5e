"""Which leg a sighting speaks of: the joins of SPEC 2 and DECISIONS 8, as one table of names in order of trust."""

from collections.abc import Callable
from typing import Protocol

from streams.domain.legs.evidence import Leg, Sighting


class Legs(Protocol):
    """The legs of one extension, found by any name they were ever called."""

    def named(self, name: str) -> Leg | None:
        """Return the leg of that name, or None."""

    def name(self, name: str, leg: Leg) -> None:
        """Remember a name of a leg."""


def _by_party(sighting: Sighting) -> str | None:
    if not sighting.telephony_session_id or not sighting.party_id:
        return None
    return f"party:{sighting.telephony_session_id}:{sighting.party_id}"


def _by_call(sighting: Sighting) -> str | None:
    if not sighting.telephony_session_id or sighting.party_id:
        return None
    return f"call:{sighting.telephony_session_id}:{sighting.direction}"


def dialog_name(dialog: str) -> str:
    """Return the name that a dialog gives its leg."""
    return f"dialog:{dialog}"


def _by_dialog(sighting: Sighting) -> str | None:
    return dialog_name(sighting.dialog) if sighting.dialog else None


NAMES: tuple[Callable[[Sighting], str | None], ...] = (_by_party, _by_call, _by_dialog)
"""Names that a sighting gives its leg, the most stable first; the first that is known finds the leg."""


def names(sighting: Sighting) -> list[str]:
    """Return every name that the sighting has for its leg, best first."""
    return [name for name in (make(sighting) for make in NAMES) if name is not None]


def find(legs: Legs, sighting: Sighting) -> Leg | None:
    """Return the leg that the sighting speaks of, or None when it is new."""
    for name in names(sighting):
        leg = legs.named(name)
        if leg is not None:
            return leg
    return None


def learn(legs: Legs, leg: Leg, sighting: Sighting) -> None:
    """Remember the names and ids that a sighting tells of its leg."""
    for name in names(sighting):
        if name not in leg.aliases:
            leg.aliases.append(name)
            legs.name(name, leg)
    leg.telephony_session_id = leg.telephony_session_id or sighting.telephony_session_id
    leg.party_id = leg.party_id or sighting.party_id
