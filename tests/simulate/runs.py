"""Small simulated days that several tests look at."""

from collections import defaultdict
from dataclasses import replace
from functools import cache
from itertools import takewhile
from typing import Any, NamedTuple

from streams.simulate.envelopes import Collector, Due, Faults, Planted
from streams.simulate.habits import Crowd, Habits, Scenario, hurried, shift
from streams.simulate.history import TrueLeg
from streams.simulate.population import Population

START_MS = 1_772_442_000_000
HOUR_MS = 3_600_000
NO_FAULTS = Faults(lost=0, doubled=0, late=0)


class Day(NamedTuple):
    """What was sent up to an instant, and what really happened."""

    dues: list[Due]
    legs: list[TrueLeg]
    planted: Planted
    counts: dict[str, int]
    end_ms: int

    @property
    def ended(self) -> list[TrueLeg]:
        """The legs whose every posting had time to arrive."""
        return [leg for leg in self.legs if leg.ended_at < self.end_ms - 5_000]

    def posts(self, kind: str) -> list[tuple[Due, dict[str, Any]]]:
        """The postings of a type with their `call`, or the event itself."""
        events = [(due, due.envelope["event"]) for due in self.dues]
        return [(due, event.get("call", event)) for due, event in events if event["type"] == kind]

    def by_dialog(self) -> dict[str, list[Due]]:
        """The postings of each web-phone dialog, in the order of their arrival."""
        dialogs = defaultdict(list)
        for due in self.dues:
            if "call" in due.envelope["event"]:
                dialogs[due.envelope["event"]["call"]["id"]].append(due)
        return dialogs


def a_day(
    habits: Habits | None = None,
    crowd: Crowd | None = None,
    *,
    seed: int = 1,
    faults: Faults = NO_FAULTS,
    minutes: float = 60,
) -> Day:
    """Simulate from START_MS on."""
    end_ms = START_MS + round(minutes * 60_000)
    population = Population(seed, habits or Habits(), crowd or Crowd(), START_MS)
    collector = Collector(seed, faults)
    dues = list(takewhile(lambda due: due.at <= end_ms, collector.envelopes(population.postings())))
    return Day(dues, population.history.legs, collector.planted, population.history.counts, end_ms)


@cache
def busy_day() -> Day:
    """An hour of 60 people with many of the rare things, no faults."""
    habits = replace(Habits(calls_per_hour=15), call_waiting=0.15, reloaded_in_call=0.05, anonymous=0.2)
    return a_day(habits, Crowd(extensions=60))


@cache
def faulty_day() -> Day:
    """The same people as `busy_day`, on a bad network."""
    habits = replace(Habits(calls_per_hour=15), call_waiting=0.15, reloaded_in_call=0.05, anonymous=0.2)
    return a_day(habits, Crowd(extensions=60), faults=Faults(lost=0.02, doubled=0.03, late=0.03))


@cache
def a_rate(rate: float) -> Day:
    """Three quarters of a minute at a rate."""
    steady = shift(Scenario.STEADY, extensions=100_000, tabs=3, calls_per_hour=120)
    return a_day(*hurried(*steady, rate), minutes=0.75)
