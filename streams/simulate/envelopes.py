"""Postings as the envelopes that reach the gateway (CONTRACT 3): counted, stamped, delayed, and some of them faulty."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any, Final, NamedTuple

from streams.simulate.people import PageLoad, uuid_text
from streams.simulate.population import Posting

Envelope = dict[str, Any]
_SEED: Final = 0x5EED


class Due(NamedTuple):
    """An envelope that reaches the gateway."""

    at: int
    """True time of its arrival, ms; `received_at` says the same."""
    session_id: str
    """The record's key."""
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Faults:
    """Which part of the envelopes goes wrong. Shares of all envelopes, 0 to 1."""

    lost: float = 0.0005
    """Counted by the collector, and never arrives: a hole in the sequence."""
    doubled: float = 0.001
    """Arrives twice: the answer to the first try got lost."""
    late: float = 0.001
    """Arrives seconds later, overtaken by others: the browser was off line."""
    late_ms: float = 8_000.0
    """Mean of how much later."""


@dataclass(slots=True)
class Planted:
    """What was done to the envelopes so far, exactly."""

    counts: Counter[str] = field(default_factory=Counter)
    """`lost`, `doubled` and `late`."""
    lost: list[tuple[str, int]] = field(default_factory=list)
    """Session and sequence of every loss."""


class Collector:
    """The collectors of all tabs and the network up to the gateway."""

    def __init__(self, seed: int, faults: Faults | None = None):
        """Begin with nothing under way. The same seed gives the same ids and delays, whatever the faults are."""
        self.planted = Planted()
        self._faults = faults or Faults()
        self._random = Random(seed ^ _SEED)  # noqa: S311 - chance that can be repeated, not a secret
        self._chance = Random(seed ^ _SEED << 16)  # noqa: S311
        self._under_way: list[tuple[int, int, str, Envelope]] = []
        self._sent = 0

    def envelopes(self, postings: Iterable[Posting]) -> Iterator[Due]:
        """Give the envelopes of postings, which come in the order of time, in the order of their arrival."""
        for posting in postings:
            while self._under_way and self._under_way[0][0] <= posting.at:
                yield self._arrived()
            self._take(posting)
        while self._under_way:
            yield self._arrived()

    def _arrived(self) -> Due:
        at, _, session_id, envelope = heappop(self._under_way)
        return Due(at, session_id, envelope)

    def _take(self, posting: Posting) -> None:
        page, random = posting.page, self._random
        page.sequence += 1
        envelope = _envelope(posting, uuid_text(random))
        # One page sends one request after the other, so envelopes of a page do not overtake each other by themselves.
        queued = 2 + random.random() * 20
        travel = page.delay_ms * (1 + random.random() ** 4 * 3)
        arrival = max(posting.at + round(queued + travel), page.last_due)
        drawn = self._chance.random()
        faults = self._faults
        if drawn < faults.lost:
            self.planted.counts["lost"] += 1
            self.planted.lost.append((page.session_id, page.sequence))
            return
        if drawn < faults.lost + faults.late:
            self.planted.counts["late"] += 1
            later = arrival + 1_000 + round(self._chance.expovariate(1 / faults.late_ms))
            self._send(envelope | {"replayed": True}, page, later, travel)
            return
        page.last_due = arrival
        self._send(envelope, page, arrival, travel)
        if drawn < faults.lost + faults.late + faults.doubled:
            self.planted.counts["doubled"] += 1
            again = arrival + 50 + round(self._chance.random() * 1_950)
            self._send(envelope.copy(), page, again, travel)

    def _send(self, envelope: Envelope, page: PageLoad, arrival: int, travel: float) -> None:
        envelope["sent_at"] = arrival - round(travel) + page.skew_ms
        envelope["received_at"] = arrival
        self._sent += 1
        heappush(self._under_way, (arrival, self._sent, page.session_id, envelope))


def _envelope(posting: Posting, event_id: str) -> Envelope:
    page, event = posting.page, posting.event
    if event.get("loggedIn"):
        page.login_number = event["loginNumber"]
    return {
        "envelope": 1,
        "event_id": event_id,
        "session_id": page.session_id,
        "sequence": page.sequence,
        "captured_at": posting.at + page.skew_ms,
        "sent_at": 0,
        "received_at": 0,
        "login_number": page.login_number,
        "account_id": _account_of(page.login_number),
        "extension_id": None,
        "verified": False,
        "page_origin": "https://crm.example.com",
        "widget_origin": "https://apps.ringcentral.com",
        "collector": "simulate",
        "visibility": "visible" if page.is_visible else "hidden",
        "replayed": False,
        "event": event,
    }


def _account_of(login_number: str | None) -> str | None:
    """Return the id of the company that a login number belongs to: the digits of its main number."""
    return None if login_number is None else login_number.partition("*")[0].lstrip("+")
