"""What the person at an extension is doing, from statuses, logins and legs (CONTRACT 7, DECISIONS 18, 35, 36)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from streams.domain.events import PresenceStatus
from streams.domain.postings import Row
from streams.domain.words import Activity, State

_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])")
UNKNOWN = "UNKNOWN"
WORDS = {
    "telephony_status": frozenset({"NO_CALL", "CALL_CONNECTED", "RINGING", "ON_HOLD", "PARKED_CALL"}),
    "user_status": frozenset({"OFFLINE", "BUSY", "AVAILABLE"}),
    "dnd_status": frozenset(
        {
            "TAKE_ALL_CALLS",
            "DO_NOT_ACCEPT_ANY_CALLS",
            "DO_NOT_ACCEPT_DEPARTMENT_CALLS",
            "TAKE_DEPARTMENT_CALLS_ONLY",
        }
    ),
    "presence_option": frozenset({"AVAILABLE", "BUSY", "OFFLINE", "DO_NOT_ACCEPT_ANY_CALLS"}),
}
"""The words of each status, upper snake case; others are UNKNOWN (SPEC 3.5)."""

BY_LEGS: tuple[tuple[frozenset[State], Activity], ...] = (
    (frozenset({State.CONNECTED, State.DIALING}), Activity.ON_CALL),
    (frozenset({State.ON_HOLD}), Activity.ON_HOLD),
    (frozenset({State.RINGING}), Activity.RINGING),
)
"""Calls beat status; a held call beats a ringing one, for a customer waits. A parked leg does not count."""

BY_TELEPHONY = {
    "CALL_CONNECTED": Activity.ON_CALL,
    "ON_HOLD": Activity.ON_HOLD,
    "RINGING": Activity.RINGING,
}
BY_USER = {"OFFLINE": Activity.OFFLINE, "BUSY": Activity.BUSY, "AVAILABLE": Activity.AVAILABLE}


@dataclass(slots=True)
class PresenceState:
    """What is remembered of an extension's presence."""

    telephony_status: str = UNKNOWN
    user_status: str = UNKNOWN
    dnd_status: str = UNKNOWN
    presence_option: str = UNKNOWN
    status_at: int = 0
    """Event time of the latest status, ms since the epoch."""
    last_end_at: int = 0
    """Event time of the last leg's end."""
    published: Row | None = None
    changed_at: int = 0
    """Event time of the last PresenceEvent."""
    changes: int = 0
    """How many PresenceEvents there were."""


class Published(NamedTuple):
    """What a PresenceEvent says beside the new row."""

    previous: Row | None
    previous_ms: int | None
    changed: list[str]
    at: int


@lru_cache(maxsize=256)
def word_of(name: str, told: str | None) -> str:
    """Return what a status says in upper snake case; UNKNOWN if it is absent or no word of its kind."""
    word = _BORDER.sub("_", told or "").upper()
    return word if word in WORDS[name] else UNKNOWN


def take_status(presence: PresenceState, status: PresenceStatus, at: int) -> bool:
    """Take a posted status; return whether it changed anything. An older one than the last changes nothing."""
    if at < presence.status_at:
        return False
    presence.status_at = at
    before = (presence.telephony_status, presence.user_status, presence.dnd_status, presence.presence_option)
    now = (
        word_of("telephony_status", status.telephony_status),
        word_of("user_status", status.user_status),
        word_of("dnd_status", status.dnd_status),
        word_of("presence_option", status.presence_option),
    )
    presence.telephony_status, presence.user_status, presence.dnd_status, presence.presence_option = now
    return before != now


def activity(presence: PresenceState, legs: Iterable[State], *, logged_in: bool) -> Activity:
    """Return what the person is doing."""
    if not logged_in:
        return Activity.OFFLINE
    open_legs = set(legs)
    if open_legs:
        for states, busy in BY_LEGS:
            if not states.isdisjoint(open_legs):
                return busy
    if not open_legs and presence.status_at > presence.last_end_at and presence.telephony_status in BY_TELEPHONY:
        return BY_TELEPHONY[presence.telephony_status]
    if presence.dnd_status == "DO_NOT_ACCEPT_ANY_CALLS":
        return Activity.DO_NOT_DISTURB
    return BY_USER.get(presence.user_status, Activity.UNKNOWN)


def is_out(presence: PresenceState, doing: Activity, sessions: int, legs: int) -> bool:
    """Tell whether the row that is out already says this: so it does after most posts."""
    shown = presence.published
    return (
        shown is not None
        and shown["activity"] == doing
        and shown["active_legs"] == legs
        and shown["open_sessions"] == sessions
        and shown["user_status"] == presence.user_status
        and shown["dnd_status"] == presence.dnd_status
        and shown["telephony_status"] == presence.telephony_status
        and shown["presence_option"] == presence.presence_option
    )


def publish(presence: PresenceState, row: Row, at: int) -> Published | None:
    """Compare a presence row with the one that is out, and keep it in `presence.published` if it differs.

    Args:
        presence: The memory, changed in place when something is to be published.
        row: The Presence row without `activity_since` and `updated_at`.
        at: Event time of the change; a late one counts at the instant of the change before it.
    """
    before = presence.published
    changed = [name for name, value in row.items() if before is None or before[name] != value]
    if not changed:
        return None
    at = max(at, presence.changed_at)
    since: object = at
    if before is not None and "activity" not in changed:
        since = before["activity_since"]
    elif before is not None:
        changed.append("activity_since")
    elapsed = at - presence.changed_at if before is not None else None
    presence.published = {**row, "activity_since": since, "updated_at": at}
    presence.changed_at, presence.changes = at, presence.changes + 1
    return Published(before, elapsed, changed, at)
