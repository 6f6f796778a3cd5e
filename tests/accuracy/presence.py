"""What a widget posts of the presence of its user: the aggregate over all calls (SPEC 3.5)."""

import math

from tests.accuracy.facts import Leg, Tells
from tests.accuracy.office import Agent, Load

ORDER = ("Ringing", "CallConnected", "OnHold", "ParkedCall")
PUSH_AT_MOST_MS = 4_000


def post_presence(agent: Agent, legs: dict[str, Leg]) -> None:
    """Post presence in every page load that was there, on each change and at its begin."""
    if not agent.has_presence:
        return
    changes = _aggregates(agent)
    for tab in agent.tabs:
        for load in tab.loads:
            _post(agent, load, changes, legs)


def _aggregates(agent: Agent) -> list[tuple[int, str, str]]:
    """The aggregate after each change: when, word, and the call whose end brought it about."""
    open_calls: dict[str, str] = {}
    found: list[tuple[int, str, str]] = []
    for at, call, status in sorted(agent.statuses):
        if status == "NoCall":
            open_calls.pop(call, None)
        else:
            open_calls[call] = status
        word = next((word for word in ORDER if word in open_calls.values()), "NoCall")
        if not found or found[-1][1] != word:
            found.append((at, word, call))
    return found


def _post(agent: Agent, load: Load, changes: list[tuple[int, str, str]], legs: dict[str, Leg]) -> None:
    rng = agent.rng
    now = next((word for at, word, _ in reversed(changes) if at <= load.since), "NoCall")
    load.post(load.since + 1_000, _presence(now), channel="presence")
    for at, word, call in changes:
        if at <= load.since or (load.until is not None and at >= load.until):
            continue
        when = at + int(min(PUSH_AT_MOST_MS, 15 + rng.lognormvariate(math.log(130), 0.9)))
        leg = (
            next((leg for call_id, leg in legs.items() if call.startswith(call_id)), None) if word == "NoCall" else None
        )
        load.post(when, _presence(word), *([Tells(leg, "end", "PRESENCE")] if leg else []), channel="presence")


def _presence(word: str) -> dict[str, str]:
    return {
        "type": "rc-adapter-syncPresence",
        "telephonyStatus": word,
        "userStatus": "Available",
        "dndStatus": "TakeAllCalls",
    }
