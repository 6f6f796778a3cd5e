"""The people of a simulated call centre: their browsers, tabs and page loads, and what each page load posts."""

import random
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from tests.accuracy.facts import Tells

Event = dict[str, Any]
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "widget-streams/accuracy")


@dataclass(frozen=True)
class Posting:
    """One posting of a page load: true time, event, and the facts it tells."""

    at: int
    event: Event
    tells: tuple[Tells, ...] = ()


@dataclass(eq=False)
class Load:
    """One page load of a tab. `since` is when its widget began to post."""

    name: str
    login: str
    skew: int
    network: int
    since: int
    knows_login: bool = True
    until: int | None = None
    posts: list[Posting] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    offline: list[tuple[int, int]] = field(default_factory=list)

    def post(self, at: int, event: Event, *tells: Tells, channel: str = "") -> None:
        """Post an event; a channel keeps its own order. A page load that is gone posts nothing.

        What a post tells without an instant of its own, it tells as of its posting.
        """
        at = max(at, self.last.get(channel, 0) + 1) if channel else at
        if self.until is not None and at > self.until:
            return
        self.last[channel] = at
        self.posts.append(Posting(at, event, tuple(tell if tell.at else replace(tell, at=at) for tell in tells)))

    def clock(self, at: int) -> int:
        """Read this browser's clock at a true instant."""
        return at + self.skew


@dataclass(eq=False)
class Tab:
    """A tab; its browser's clock is `skew` ahead of true time."""

    name: str
    skew: int
    network: int
    loads: list[Load] = field(default_factory=list)

    @property
    def load(self) -> Load:
        """The page load that is there now."""
        return self.loads[-1]


@dataclass(eq=False)
class Agent:
    """One extension: how its widget is set up, and how far its story is told (`now`)."""

    login: str
    extension_id: str
    rng: random.Random
    now: int
    mode: str = "webphone"
    modern: bool = True
    shared_phone: bool = False
    one_tab_posts: bool = False
    has_telephony: bool = True
    has_presence: bool = True
    tabs: list[Tab] = field(default_factory=list)
    active_tab: int = 0
    statuses: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def loads(self) -> list[Load]:
        """The page loads of all tabs."""
        return [tab.load for tab in self.tabs]

    @property
    def number(self) -> str:
        """The extension number."""
        return self.login.split("*")[1]

    def pushed_to(self) -> list[Load]:
        """The page loads that post active calls: all, or the active tab's alone (SPEC 6)."""
        return [self.tabs[self.active_tab].load] if self.one_tab_posts else self.loads

    def arrive(self, tab: Tab, at: int, *, knows_login: bool = True) -> Load:
        """Load the page in a tab: login and presence as of now (SPEC 12: logged out first, then in)."""
        if tab.loads and tab.load.until is None:
            tab.load.until = at
        name = str(uuid.uuid5(SPACE, f"{self.login}/{tab.name}/{len(tab.loads)}/{at}"))
        load = Load(name, self.login, tab.skew, tab.network, at, knows_login)
        tab.loads.append(load)
        load.post(at + 300, {"type": "rc-login-status-notify", "loggedIn": False})
        load.post(at + 900, {"type": "rc-login-status-notify", "loggedIn": True, "loginNumber": self.login})
        return load


def an_agent(centre: str, number: int, start: int, rng: random.Random) -> Agent:
    """Return an extension with its tabs; how many and how set up is drawn."""
    agent = Agent(f"{centre}*{number}", str(310_000_000 + rng.randrange(10**6) * 1000 + number), rng, start)
    agent.mode = rng.choices(("webphone", "softphone", "ringout"), (70, 18, 12))[0]
    agent.modern = rng.random() < 0.6
    agent.has_telephony = rng.random() < 0.95
    agent.has_presence = rng.random() < 0.65 or agent.mode != "webphone" or not agent.has_telephony
    count = rng.choices((1, 2, 3, 4, 5), (72, 18, 6, 2.5, 1.5))[0]
    agent.shared_phone = count > 1 and rng.random() < 0.4
    agent.one_tab_posts = count > 1 and rng.random() < 0.3
    browsers = [(_skew(rng), _network(rng)) for _ in range(1 if agent.shared_phone or agent.one_tab_posts else 2)]
    for index in range(count):
        skew, network = browsers[index % len(browsers)] if rng.random() < 0.3 else browsers[0]
        tab = Tab(f"tab{index}", skew, network)
        agent.tabs.append(tab)
        agent.arrive(tab, start - 60_000 + index * 5_000, knows_login=rng.random() < 0.95)
    return agent


def _skew(rng: random.Random) -> int:
    """Most clocks are right within two seconds, some are a minute off, a few much more."""
    kind = rng.random()
    if kind < 0.7:
        return rng.randint(-2_000, 2_000)
    if kind < 0.9:
        return rng.randint(-55_000, 55_000)
    return rng.choice((-1, 1)) * rng.randint(65_000, 600_000)


def _network(rng: random.Random) -> int:
    """The least that a post needs from this browser to the gateway."""
    return rng.randint(10, 120) if rng.random() < 0.93 else rng.randint(120, 700)
