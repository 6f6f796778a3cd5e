"""A simulated call centre: people, and the calls that really happened to them, one after another from one seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.accuracy.calls import Call
from tests.accuracy.facts import Leg
from tests.accuracy.office import Agent, an_agent
from tests.accuracy.presence import post_presence

START = 1_772_442_000_000
SECOND = 1_000
MINUTE = 60_000


@dataclass(eq=False)
class Centre:
    """Its people and the true legs so far."""

    rng: random.Random
    agents: list[Agent]
    legs: list[Leg] = field(default_factory=list)
    calls: int = 0

    def number(self) -> str:
        """Return a customer's number."""
        return f"+1415555{self.rng.randrange(10_000):04d}"

    def free_agent(self) -> Agent:
        """Return the extension whose story is told least far."""
        return min(self.agents, key=lambda agent: agent.now)

    def others(self, agent: Agent, count: int) -> list[Agent]:
        """Return colleagues, none with clock or story far ahead."""
        return sorted((other for other in self.agents if other is not agent), key=lambda other: other.now)[:count]

    def session(self) -> tuple[str, str]:
        """Return the telephony and the legacy session id of a new call."""
        self.calls += 1
        return f"s-{self.rng.getrandbits(128):032x}", str(400_000_000_000 + self.calls * 10_007)

    def call(
        self,
        agent: Agent,
        story: str,
        *,
        outbound: bool,
        remote: str | None = None,
        session: tuple[str, str] | None = None,
        party: int = 0,
        disposition: str = "ANSWERED",
    ) -> Call:
        """Return a new call of an extension; its leg is entered in the book."""
        call_id, legacy = session or self.session()
        leg = Leg(agent.login, call_id, outbound, story, disposition=disposition)
        self.legs.append(leg)
        name = f"p-{call_id[2:]}-{party or (1 if outbound else 2)}"
        anonymous = remote is None and not outbound and self.rng.random() < 0.04
        call = Call(agent, leg, remote or self.number(), legacy, name, anonymous=anonymous)
        call.telephony = agent.has_telephony
        call.pushes = agent.has_presence
        return call

    def in_browser(self, agent: Agent) -> int | None:
        """Return the tab that has a call's media, null when calls are on another device."""
        return self.rng.randrange(len(agent.tabs)) if agent.mode == "webphone" and self.rng.random() < 0.88 else None


Story = Callable[[Centre, Agent], None]


def a_centre(seed: int, wanted: int, stories: dict[Story, float]) -> Centre:
    """Return a call centre in which `wanted` legs or a few more happened."""
    rng = random.Random(f"{seed}")
    company = f"+1650555{seed % 10_000:04d}"
    size = max(12, min(100, wanted // 20))
    agents = [
        an_agent(company, 101 + i, START + rng.randrange(60 * SECOND), random.Random(f"{seed}/{i}"))
        for i in range(size)
    ]
    centre = Centre(rng, agents)
    names = list(stories)
    weights = list(stories.values())
    while len(centre.legs) < wanted:
        agent = centre.free_agent()
        rng.choices(names, weights)[0](centre, agent)
        agent.now += rng.choice((1, 5, 20, 60, 180)) * SECOND + rng.randrange(4 * SECOND)
    for agent in agents:
        post_presence(agent, {leg.call_id: leg for leg in centre.legs if leg.extension == agent.login})
    return centre
