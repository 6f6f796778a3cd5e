"""From posts to what is read from Kafka: loss, delay, repeats, offline queues; and what of the truth arrived."""

import random
import uuid
from collections.abc import Iterator
from typing import Any

from tests.accuracy.centre import Centre
from tests.accuracy.facts import Tells
from tests.accuracy.office import SPACE, Load, Posting

Envelope = dict[str, Any]
LOST = 0.002
REPEATED = 0.01
OFFLINE = 0.03


def deliver(centre: Centre) -> list[Envelope]:
    """Return the envelopes in order of arrival, and enter in each leg what was told of it."""
    arrived: list[Envelope] = []
    for agent in centre.agents:
        for tab in agent.tabs:
            for load in tab.loads:
                arrived += _of_load(load, random.Random(f"{centre.rng.random()}"))
    arrived.sort(key=lambda envelope: (envelope["received_at"], envelope["event_id"]))
    return arrived


def _of_load(load: Load, rng: random.Random) -> Iterator[Envelope]:
    posts = sorted(load.posts, key=lambda posting: posting.at)
    offline = _offline(posts, rng)
    least = min((load.network for _ in posts), default=0)
    for sequence, posting in enumerate(posts, 1):
        must = posting.event["type"] == "rc-login-status-notify" and not load.knows_login
        if rng.random() < LOST and not must:
            continue
        for tells in posting.tells:
            _enter(tells, least)
        kept = offline is not None and offline[0] <= posting.at < offline[1]
        # What an offline queue kept is sent in its order; single posts may overtake each other.
        jitter = 0 if kept or sequence % 7 == 0 else int(min(2_000, rng.expovariate(1 / 30)))
        network = load.network + jitter
        sent = offline[1] + sequence * 5 if kept and offline is not None else posting.at + 2
        yield _envelope(load, posting, sequence, sent, network)
        if rng.random() < REPEATED:
            yield _envelope(load, posting, sequence, sent + rng.randint(100, 20_000), network)


def _offline(posts: list[Posting], rng: random.Random) -> tuple[int, int] | None:
    """Some page loads cannot reach the gateway for a while; the collector keeps their posts."""
    if not posts or rng.random() > OFFLINE:
        return None
    begin = rng.randint(posts[0].at + 2_000, max(posts[-1].at, posts[0].at + 2_001))
    return begin, begin + rng.randint(20_000, 2_400_000)


def _envelope(load: Load, posting: Posting, sequence: int, sent: int, network: int) -> Envelope:
    knows = load.knows_login and posting.at >= load.since + 900
    return {
        "envelope": 1,
        "event_id": str(uuid.uuid5(SPACE, f"{load.name}/{sequence}")),
        "session_id": load.name,
        "sequence": sequence,
        "captured_at": load.clock(posting.at),
        "sent_at": load.clock(sent),
        "received_at": sent + network,
        "login_number": load.login if knows else None,
        "verified": False,
        "event": posting.event,
    }


def _enter(tells: Tells, least: int) -> None:
    """Enter how far off a delivered post puts a fact: the smallest network delay stays in (DECISIONS 2)."""
    leg = tells.leg
    if tells.fact == "seen":
        leg.seen = True
        return
    true = leg.facts.get(tells.fact)
    error = 0 if true is None else tells.at + (0 if tells.server else least) - true
    leg.told.setdefault(tells.fact, {}).setdefault(tells.witness, []).append(abs(error))
