"""What fields of widget events have in common: other sides, instants, owners (SPEC 1.6, 2).

Everything is read through the forms of the privacy policy, so an event may come as posted or scrubbed: the same is
read.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from streams.contracts.numbers import Remote, TokenKey
from streams.contracts.values import clock, instant, number, url

Json = dict[str, Any]
DIRECTIONS = {"Inbound": "INBOUND", "Outbound": "OUTBOUND"}
NOBODY: Remote = {"token": None, "country": None, "kind": "UNKNOWN"}
_OWNER = re.compile(r"/account/(\d+)/extension/(\d+)(?:/|$)")
_MAX_URI = 200
"""Longer addresses are not remembered."""


def remote(value: Any, key: TokenKey) -> Remote:
    """Return the other side as token, country and kind, in whatever form of SPEC 2 it came."""
    masked = None if isinstance(value, dict) and "token" not in value else number(value, key)
    return listed(value, key) if masked is None else masked


def listed(value: Any, key: TokenKey) -> Remote:
    """Return another side that is an object around its number, as in a list of recipients."""
    if not isinstance(value, dict):
        return NOBODY
    return number(value.get("phoneNumber"), key) or number(value.get("extensionNumber"), key) or NOBODY


def millis(value: Any) -> int | None:
    """Return an instant as ms since the epoch, or None. 0 is what some builds send for "not yet"."""
    if isinstance(value, str):
        written = instant(value)
        return _from_iso(written) if isinstance(written, str) else None
    return clock(value) or None


@lru_cache(maxsize=4096)
def _from_iso(written: str) -> int | None:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def owner(uri: Any) -> tuple[str | None, str | None]:
    """Return the account and the extension that an address of theirs names."""
    if not isinstance(uri, str):
        return None, None
    return _owner(uri) if len(uri) <= _MAX_URI else _owner.__wrapped__(uri)


@lru_cache(maxsize=4096)
def _owner(uri: str) -> tuple[str | None, str | None]:
    found = _OWNER.search(url(uri) or "")
    return (found[1], found[2]) if found else (None, None)
