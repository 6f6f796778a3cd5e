"""Realistic envelopes: a simulated population at work, with its true times of arrival."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import orjson

from streams.simulate.envelopes import Collector
from streams.simulate.habits import CALLS_PER_HOUR, HURRIED_CALLS_PER_HOUR, Crowd, Habits, hurried
from streams.simulate.population import Population

SEED = 7


class Sent(NamedTuple):
    """One record of the topic of widget events."""

    at: int
    """When it reaches the gateway, ms since the epoch."""
    key: bytes
    value: bytes
    type: str
    """The vendor's word for the widget event."""


@dataclass(frozen=True)
class Traffic:
    """What arrives while people come, log in and make calls; the same every time, but for the instant it begins."""

    people: int
    envelopes: int
    busy: bool = True
    """Short calls, one after the other; otherwise a quiet day with twelve calls an hour."""
    login_seconds: float = 10.0
    """The people come evenly over this time."""

    def records(self) -> Iterator[Sent]:
        """Give the records in the order of their arrival, which began ten minutes ago."""
        start = time.time_ns() // 1_000_000 - 600_000
        crowd = Crowd(extensions=self.people, login_ms=round(self.login_seconds * 1000))
        habits = Habits(calls_per_hour=HURRIED_CALLS_PER_HOUR if self.busy else CALLS_PER_HOUR)
        if self.busy:
            habits, _ = hurried(habits, crowd, 1.0)
        dues = Collector(SEED).envelopes(Population(SEED, habits, crowd, start).postings())
        for due in islice(dues, self.envelopes):
            yield Sent(due.at, due.session_id.encode(), orjson.dumps(due.envelope), due.envelope["event"]["type"])


def mix(records: list[Sent]) -> str:
    """Say in one line what the records are."""
    counts = Counter("rc-call-*" if sent.type.startswith("rc-call-") else sent.type for sent in records)
    shares = ", ".join(f"{name} {count / len(records):.0%}" for name, count in counts.most_common())
    size = sum(len(sent.value) for sent in records) / len(records)
    seconds = (records[-1].at - records[0].at) / 1000
    return f"{len(records)} envelopes of {size:.0f} bytes from {seconds:.0f} s: {shares}"
