"""A made-up company for the tests of `serve`: active calls, presences, call records and interval rows.

The same number gives the same person and call every time.
"""

import hashlib
from random import Random
from typing import Any, Final

Row = dict[str, Any]
MAIN: Final = "+16505550100"
TEAMS: Final = ("billing", "sales", "support", "field service")
SITES: Final = ("north", "south")
OUTCOMES: Final = (
    ("INBOUND", "ANSWERED", 60), ("INBOUND", "MISSED", 12), ("INBOUND", "VOICEMAIL", 6), ("INBOUND", "REJECTED", 3),
    ("INBOUND", "ANSWERED_ELSEWHERE", 8), ("OUTBOUND", "ANSWERED", 25), ("OUTBOUND", "UNANSWERED", 8),
    ("OUTBOUND", "BUSY", 3),
)  # fmt: skip
REMOTE: Final = {"kind": "EXTERNAL", "token": "k1.Yd5VujOIrsT99uz8bu-Ebw", "country": "US"}


def key_of(number: int) -> str:
    """Return the extension key of a person, from 0."""
    return f"{MAIN}*{101 + number}"


def place_of(number: int) -> Row:
    """Return team, site and queues of a person."""
    team = TEAMS[number % len(TEAMS)]
    queues = [f"q-{team}"] if team in ("support", "sales", "billing") else []
    return {"team": team, "site": SITES[number % 3 % 2], "queues": queues}


def leg_of(*parts: object) -> str:
    """Return a leg id."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def active_call(number: int, now: int, state: str = "CONNECTED", **changes: Any) -> Row:
    """Return the row of a call that goes on."""
    lasts = Random(number).randrange(2_000, 900_000)
    row = {
        "leg_id": leg_of("active", number),
        "call_id": f"s-{number:032x}",
        "extension_key": key_of(number),
        "direction": "OUTBOUND" if state == "DIALING" else "INBOUND",
        "state": state,
        "state_since": now - (lasts if state == "CONNECTED" else lasts % 45_000),
        "initiated_at": now - lasts - 9_000,
        "answered_at": None if state in ("RINGING", "DIALING") else now - lasts,
        "muted": number % 11 == 0,
        "queue_call": number % 3 == 0 and bool(place_of(number)["queues"]),
        "remote": REMOTE,
        "witnesses": ["WEB_PHONE"],
        "tabs": 1,
        **place_of(number),
        "updated_at": now,
    }
    return {**row, **changes}


def presence(number: int, now: int, activity: str = "AVAILABLE", **changes: Any) -> Row:
    """Return the row of a person."""
    row = {
        "extension_key": key_of(number),
        "activity": activity,
        "activity_since": now - Random(number).randrange(1_000, 5_400_000),
        "user_status": "AVAILABLE",
        "dnd_status": "TAKE_ALL_CALLS",
        "telephony_status": "NO_CALL",
        "presence_option": "UNKNOWN",
        "logged_in": activity != "OFFLINE",
        "open_sessions": int(activity != "OFFLINE"),
        "active_legs": int(activity in ("ON_CALL", "ON_HOLD", "RINGING")),
        "updated_at": now,
    }
    return {**row, **changes}


def call_record(number: int, ended_at: int, serial: int = 0, **changes: Any) -> Row:
    """Return the record of a call of a person."""
    random = Random(number * 1_000_003 + serial)
    (direction, disposition, _), *_ = random.choices(OUTCOMES, [one[2] for one in OUTCOMES])
    answered = disposition == "ANSWERED"
    ring, talk = random.randrange(1_000, 32_000), random.randrange(8_000, 600_000) if answered else 0
    place = place_of(number)
    row = {
        "leg_id": leg_of("record", number, serial),
        "call_id": f"s-{number:016x}{serial:016x}",
        "session_ids": [f"{700_000_000_000 + number}"],
        "extension_key": key_of(number),
        "account_id": "400131426008",
        "extension_id": str(400_131_426_101 + number),
        **place,
        "time_zone": "America/Los_Angeles",
        "directory_version": "41",
        "direction": direction,
        "calling_mode": "webphone",
        "queue_call": direction == "INBOUND" and bool(place["queues"]),
        "queue": place["queues"][0] if direction == "INBOUND" and place["queues"] else None,
        "remote": REMOTE,
        "rules_version": "1",
        "initiated_at": ended_at - ring - talk,
        "answered_at": ended_at - talk if answered else None,
        "first_held_at": None,
        "ended_at": ended_at,
        "ring_ms": ring,
        "talk_ms": talk,
        "hold_ms": 0,
        "hold_count": 0,
        "longest_hold_ms": 0,
        "park_ms": 0,
        "mute_ms": 0,
        "mute_count": 0,
        "handle_ms": talk,
        "wrapup_ms": None,
        "total_ms": ring + talk,
        "time_uncertainty_ms": 20,
        "disposition": disposition,
        "ended_by": "UNKNOWN",
        "transfer": "NONE",
        "end_reason": None,
        "end_source": "WEB_PHONE",
        "witnesses": ["WEB_PHONE"],
        "quality": [],
        "tabs": 1,
        "revision": 2,
        "is_final": True,
        "revision_reason": "FINAL",
        "input_refs": [
            {"topic": "widget.events.v1", "partition": number % 12, "offset": 9_000 + serial * 4 + step}
            for step in range(4)
        ],
    }
    return {**row, **changes}


def interval(scope_type: str, scope_id: str, seconds: int, start: int, **changes: Any) -> Row:
    """Return an interval row."""
    row = {
        "scope_type": scope_type,
        "scope_id": scope_id,
        "window_seconds": seconds,
        "window_start": start,
        "window_end": start + seconds * 1_000,
        "revision": 1,
        "updated_at": start,
        "calls_offered": 10,
        "calls_answered": 8,
        "answered_within": {"10": 4, "20": 7, "30": 8},
    }
    return {**row, **changes}
