"""Types beyond the 19 that decide something, read from the text in which they travel (SPEC 7, DECISIONS 20, 25)."""

from typing import Any

import orjson

from streams.contracts.values import word

SESSIONS_SYNC = "rc-webphone-sessions-sync"
CALLING_SETTINGS = "rc-calling-settings-notify"


def browser_calls(other_type: str | None, other: str | None) -> frozenset[str] | None:
    """Return the dialogs that a snapshot of a page load's browser calls lists; None of any other type."""
    if other_type != SESSIONS_SYNC:
        return None
    calls = _read(other).get("calls")
    listed = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return frozenset(str(call.get("id")).removeprefix("sha256:") for call in listed)


def calling_mode(other_type: str | None, other: str | None) -> str | None:
    """Return the calling mode that settings tell, empty where they tell none; None of any other type.

    It is remembered with every leg, so only one of the vendor's words is taken, which are short.
    """
    if other_type != CALLING_SETTINGS:
        return None
    settings = _read(other)
    told = word(settings.get("callingMode")) or word(settings.get("callWith"))
    return told or ""


def _read(other: str | None) -> dict[str, Any]:
    read = orjson.loads(other or "{}")
    return read if isinstance(read, dict) else {}
