"""How busy a simulated call centre is, and what its people do: every number that chance is measured by."""

from dataclasses import dataclass, field, replace
from enum import StrEnum


class CallKind(StrEnum):
    """What becomes of a call, decided when it begins."""

    INBOUND = "inbound"
    MISSED = "missed"
    REJECTED = "rejected"
    OUTBOUND = "outbound"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    QUEUE = "queue"


class Scenario(StrEnum):
    """What the day is like."""

    STEADY = "steady"
    LOGIN_STORM = "login-storm"
    QUEUE_BURST = "queue-burst"


def _kinds() -> dict[CallKind, float]:
    return {
        CallKind.INBOUND: 0.50,
        CallKind.MISSED: 0.10,
        CallKind.REJECTED: 0.03,
        CallKind.OUTBOUND: 0.22,
        CallKind.CANCELLED: 0.04,
        CallKind.INTERNAL: 0.05,
        CallKind.QUEUE: 0.06,
    }


CALLS_PER_HOUR = 12.0
HURRIED_CALLS_PER_HOUR = 120.0
"""As many as short calls leave time for: two minutes in three are ring, talk or pause."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Frequencies and durations. Shares are probabilities; durations are ms."""

    calls_per_hour: float = CALLS_PER_HOUR
    """Legs of one extension in an hour, while it is logged in."""
    kinds: dict[CallKind, float] = field(default_factory=_kinds)
    talk_median_ms: float = 150_000.0
    talk_sigma: float = 0.8
    """Talk times are log-normal: most are short, some very long."""
    ring_mean_ms: float = 9_000.0
    """Rings are gamma-distributed with shape 3, 1 to 45 s."""
    gap_ms: float = 4_000.0
    """Mean pause between two calls of one extension."""
    queue_agents: int = 3
    """A queue call rings at 1 to this many extensions at once."""
    anonymous: float = 0.05
    internal_answered: float = 0.8
    held: float = 0.15
    hold_median_ms: float = 25_000.0
    muted: float = 0.12
    call_waiting: float = 0.03
    """A second call is answered during the first, which the widget then holds by itself."""
    reloaded_in_call: float = 0.004
    chores_per_hour: float = 1.0
    """Page reloads, changes of status and of the page shown, per extension, outside calls."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is there."""

    extensions: int = 50
    """How many there are; with a rate: how many there can be at most."""
    tabs: int = 3
    """Most tabs of one browser; one is the most frequent number."""
    login_ms: int = 10_000
    """The first page loads are spread evenly over this time."""
    fresh_logins: bool = False
    """People log in; otherwise their pages are loaded with a log-in that was kept."""
    rate: float | None = None
    """Postings per second that the crowd is to grow to; None: all come at once."""
    burst_every_ms: int | None = None
    """A rush of queue calls begins each time this has passed."""


def shift(scenario: Scenario, *, extensions: int, tabs: int, calls_per_hour: float) -> tuple[Habits, Crowd]:
    """Return habits and crowd of a scenario at its natural pace."""
    habits = Habits(calls_per_hour=calls_per_hour)
    crowd = Crowd(extensions, tabs, login_ms=max(10_000, extensions * 20))
    match scenario:
        case Scenario.LOGIN_STORM:
            return habits, replace(crowd, login_ms=5_000, fresh_logins=True)
        case Scenario.QUEUE_BURST:
            return replace(habits, queue_agents=5), replace(crowd, burst_every_ms=30_000)
        case Scenario.STEADY:
            return habits, crowd


def hurried(habits: Habits, crowd: Crowd, rate: float) -> tuple[Habits, Crowd]:
    """Return the same day with short calls, and with as many people as the rate needs, but not more than the crowd has.

    No duration is compressed: a call of 10 s takes 10 s. Load is a matter of how many calls there are at once.
    """
    brisk = replace(
        habits,
        talk_median_ms=9_000.0,
        talk_sigma=0.5,
        ring_mean_ms=4_500.0,
        hold_median_ms=3_000.0,
        gap_ms=1_500.0,
    )
    return brisk, replace(crowd, rate=rate)
