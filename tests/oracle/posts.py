"""What page loads posted: who, in which order, when; repeats, holes and clocks settled. All posts are seen at once.

Nothing of the product's domain code is used in this folder: it is a second reading of the rules.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

SERVER = "server"
IDENTITY_WAIT_MS = 30_000
MAX_LATENESS_MS = 24 * 3_600_000
LOGIN = re.compile(r"^\+\d+\*\d+$")


@dataclass(frozen=True)
class Instant:
    """A reading of a clock and the corrected time it stands for, milliseconds (DECISIONS 2)."""

    at: int
    clock: str
    reading: int


def between(first: Instant, last: Instant) -> int:
    """Return a duration: plain difference on one browser's clock, corrected instants across clocks (CONTRACT 5)."""
    same = first.clock == last.clock != SERVER
    return max(0, last.reading - first.reading if same else last.at - first.at)


def on_server(milliseconds: int) -> Instant:
    """Return an instant that the platform's clock gave; it needs no skew (CONTRACT 5)."""
    return Instant(milliseconds, SERVER, milliseconds)


@dataclass(frozen=True)
class Post:
    """One admitted posting of one page load; `place` is its place in the order of that page load."""

    extension: str
    session: str
    place: int
    sequence: int | None
    received: int
    skew: int
    at: Instant
    event: Json

    @property
    def kind(self) -> str:
        """The widget's event type."""
        return str(self.event.get("type", ""))

    def browser(self, reading: object) -> Instant:
        """Return an instant that the browser's clock gave inside the event, believed within 24 h (DECISIONS 56)."""
        if not isinstance(reading, int | float) or isinstance(reading, bool):
            return self.at
        whole = int(reading)
        if abs(whole + self.skew - self.at.at) > MAX_LATENESS_MS:
            return self.at
        return Instant(min(whole + self.skew, self.received), self.session, whole)

    def server(self, milliseconds: int) -> Instant:
        """Return an instant that the platform's clock gave inside the event, believed within 24 h (DECISIONS 56)."""
        if abs(milliseconds - self.at.at) > MAX_LATENESS_MS:
            return self.at
        return on_server(min(milliseconds, self.received))


@dataclass(frozen=True)
class Posted:
    """All admitted posts in order of arrival, and the holes that each page load's sequence kept."""

    posts: tuple[Post, ...]
    holes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class _Arrival:
    order: int
    session: str
    sequence: int | None
    received: int
    envelope: Json


def read_posts(envelopes: Iterable[Json]) -> Posted:
    """Return what was posted, repeats left out (DECISIONS 18, 45), each with its user and corrected time."""
    arrivals = list(_first_deliveries(envelopes))
    skews = _skews(arrivals)
    owners = _owners(arrivals)
    posts = [
        _post(arrival, owners[arrival.order], skews.get(arrival.session, 0))
        for arrival in arrivals
        if owners[arrival.order]
    ]
    admitted = [post for post in posts if post.received - post.at.at <= MAX_LATENESS_MS]  # TOO_LATE, DECISIONS 5
    return Posted(tuple(admitted), _holes(arrivals))


def _first_deliveries(envelopes: Iterable[Json]) -> Iterable[_Arrival]:
    """A known event_id or sequence of a page load is a repetition (DECISIONS 44)."""
    seen: set[tuple[str, object]] = set()
    for order, envelope in enumerate(envelopes):
        session = str(envelope.get("session_id") or f"none-{order}")
        sequence = envelope.get("sequence")
        marks = {(session, envelope.get("event_id") or f"none-{order}"), (session, sequence or f"none-{order}")}
        if marks & seen or not isinstance(envelope.get("event"), Mapping):
            continue
        seen |= marks
        yield _Arrival(order, session, sequence, effective_received(envelope), envelope)


def effective_received(envelope: Json) -> int:
    """Return `received_at` unless it is absent or 60 s off Kafka's timestamp (CONTRACT 3)."""
    stamp = (envelope.get("_kafka") or {}).get("timestamp")
    received = envelope.get("received_at")
    if stamp is not None and (received is None or abs(received - stamp) > 60_000):
        return int(stamp)
    return int(received or stamp or 0)


def _skews(arrivals: Iterable[_Arrival]) -> dict[str, int]:
    """The smallest network delay of the session stays in: it cannot be measured (CONTRACT 5, DECISIONS 2)."""
    found: dict[str, int] = {}
    for arrival in arrivals:
        sent = arrival.envelope.get("sent_at")
        if sent is not None and not arrival.session.startswith("none-"):
            skew = arrival.received - int(sent)
            found[arrival.session] = min(found.get(arrival.session, skew), skew)
    return found


def _owners(arrivals: Iterable[_Arrival]) -> dict[int, str]:
    """Whose each post is: its own login number, the session's last one, or one learned within the wait (CONTRACT 4)."""
    last: dict[str, str] = {}
    owners: dict[int, str] = {}
    waiting: dict[str, list[_Arrival]] = defaultdict(list)
    for arrival in arrivals:
        told = _login(arrival.envelope)
        if told:
            last[arrival.session] = told
            for waiter in waiting.pop(arrival.session, []):
                in_time = arrival.received - waiter.received < IDENTITY_WAIT_MS
                owners[waiter.order] = told if in_time else ""
        owners[arrival.order] = last.get(arrival.session, "")
        if not owners[arrival.order]:
            waiting[arrival.session].append(arrival)
    return owners


def _login(envelope: Json) -> str:
    event = envelope["event"]
    own = event.get("loginNumber") if event.get("type") == "rc-login-status-notify" else None
    for number in (envelope.get("login_number"), own):
        if isinstance(number, str) and LOGIN.match(number):
            return number
    return ""


def _post(arrival: _Arrival, owner: str, skew: int) -> Post:
    captured = int(arrival.envelope.get("captured_at") or arrival.received - skew)
    at = Instant(min(captured + skew, arrival.received), arrival.session, captured)
    place = arrival.sequence if arrival.sequence is not None else arrival.order
    return Post(owner, arrival.session, place, arrival.sequence, arrival.received, skew, at, arrival.envelope["event"])


def _holes(arrivals: Iterable[_Arrival]) -> dict[str, tuple[int, ...]]:
    """Sequence numbers between 1 and the highest that never came (DECISIONS 45)."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for arrival in arrivals:
        if arrival.sequence is not None:
            numbers[arrival.session].add(arrival.sequence)
    return {session: tuple(n for n in range(1, max(seen)) if n not in seen) for session, seen in numbers.items()}
