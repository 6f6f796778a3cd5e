"""Records that nobody should send: random bytes, and real envelopes with something changed, deleted or blown up."""

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import count
from random import Random
from typing import Any, NamedTuple

from tests.builders import a_uuid

TYPES = (
    "rc-call-ring-notify", "rc-call-init-notify", "rc-call-start-notify", "rc-call-hold-notify",
    "rc-call-resume-notify", "rc-call-end-notify", "rc-call-mute-notify", "rc-ringout-call-notify",
    "rc-active-call-notify", "rc-telephony-session-notify", "rc-adapter-syncPresence", "rc-login-status-notify",
    "rc-login-popup-notify", "rc-message-updated-notify", "rc-inbound-message-notify", "rc-route-changed-notify",
    "rc-region-settings-notify", "rc-dialer-status-notify", "rc-meeting-status-notify", "rc-webphone-sessions-sync",
    "rc-calling-settings-notify", "rc-adapter-pushAdapterState", "somebody-else",
)  # fmt: skip
NASTY: Sequence[Any] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30,
    "", " ", "0", "null", "\x00", "\ud800", "\u202e", "é", "e\u0301", "😀" * 50, "*101", "+1650*", "+16505550100*101",
    "+1 (650) 555-0199", "x" * 5_000, "9" * 400, "1970-01-01T00:00:00Z", "not-a-date", "../../etc", "%s%n{}",
    [], [[]], {}, [None], {"": {}}, {"id": {"id": {"id": 1}}}, {"type": "rc-call-ring-notify"}, [1, "a", {}],
)  # fmt: skip


class Garbled(NamedTuple):
    """Key and value of a record."""

    key: bytes | None
    value: bytes | None


def garbled(seed: int, envelopes: Sequence[dict[str, Any]]) -> Iterator[Garbled]:
    """Give records for ever, the same for a seed: one in ten is real, the others are not what they were."""
    random = Random(seed)
    ways = (_real, _changed, _changed, _changed, _typed, _raw, _cut, _flipped, _wrapped, _deep)
    for number in count():
        cycle, place = divmod(number, len(envelopes))
        envelope = envelopes[place]
        # The second time round other page loads post the same.
        envelope = {**envelope, "session_id": a_uuid(envelope["session_id"], seed, cycle)}
        yield Garbled(_key(random, envelope), random.choice(ways)(random, envelope))


class Arrival(NamedTuple):
    """Key and value of a record and when it reaches Kafka, ms since the epoch."""

    at: int
    key: bytes | None
    value: bytes | None


LOST, REPEATED, LATE, CHANGED = 0.03, 0.03, 0.05, 0.12
LATE_MS = 60_000


def disturbed(seed: int, envelopes: Sequence[dict[str, Any]]) -> Iterator[Arrival]:
    """Give records for ever, the same for a seed, in order of arrival: most are real, so that there are whole calls.

    Some are lost, some come twice, some late, some are not what they were.
    """
    random = Random(seed)
    lasts = envelopes[-1]["received_at"] - envelopes[0]["received_at"] + LATE_MS
    for cycle in count():
        arrivals = []
        for envelope in envelopes:
            if random.random() < LOST:
                continue
            mine = {**envelope, "session_id": a_uuid(envelope["session_id"], seed, cycle)}
            value = _changed(random, mine) if random.random() < CHANGED else _real(random, mine)
            at = envelope["received_at"] + cycle * lasts
            times = [at + random.randrange(LATE_MS) if random.random() < LATE else at]
            times += [at + random.randrange(LATE_MS)] if random.random() < REPEATED else []
            arrivals += [Arrival(time, mine["session_id"].encode(), value) for time in times]
        yield from sorted(arrivals, key=lambda arrival: arrival.at)


def _key(random: Random, envelope: dict[str, Any]) -> bytes | None:
    session = envelope["session_id"].encode()
    return random.choice(
        (session, session, session, None, b"", random.randbytes(random.randrange(40)), b"+16505550199")
    )


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def _nasty(random: Random) -> Any:
    # A copy: the next change may go into it, and what is garbled must not depend on what was garbled before.
    return deepcopy(random.choice(NASTY))


def _real(_: Random, envelope: dict[str, Any]) -> bytes:
    return _dumped(envelope)


def _changed(random: Random, envelope: dict[str, Any]) -> bytes:
    """Change, delete or add up to three fields, anywhere."""
    copy = json.loads(json.dumps(envelope))
    for _ in range(random.randint(1, 3)):
        places = list(_places(copy))
        holder, name = random.choice(places)
        match random.randrange(5):
            case 0:
                holder.pop(name)
            case 1 if isinstance(holder, dict):
                holder[random.choice(("id", "type", "call", "sequence", "\x00", "x" * 300))] = _nasty(random)
            case 2:
                holder[name] = random.choice(("-", 7, [])) if holder is copy else holder[name]
            case _:
                holder[name] = _nasty(random)
    return _dumped(copy)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from _places(value[name])
    if not names:
        yield {"": None}, ""


def _typed(random: Random, envelope: dict[str, Any]) -> bytes:
    """Give an event of some type with fields that others have."""
    event = {"type": random.choice([*TYPES, _nasty(random)])}
    for name in ("call", "telephonyStatus", "loggedIn", "path", "message", "messages", "telephonySession", "ready"):
        if random.random() < 0.4:
            event[name] = _nasty(random)
    return _dumped({**envelope, "event": event, "event_id": str(random.random())})


def _raw(random: Random, _: dict[str, Any]) -> bytes:
    return random.randbytes(random.randrange(200))


def _cut(random: Random, envelope: dict[str, Any]) -> bytes:
    value = _dumped(envelope)
    return value[: random.randrange(len(value))]


def _flipped(random: Random, envelope: dict[str, Any]) -> bytes:
    """Change some bytes: mostly no JSON any more, sometimes another one."""
    value = bytearray(_dumped(envelope))
    for _ in range(random.randint(1, 4)):
        value[random.randrange(len(value))] = random.randrange(256)
    return bytes(value)


def _wrapped(random: Random, envelope: dict[str, Any]) -> bytes | None:
    """Give JSON that is no envelope, or nothing at all."""
    return random.choice((None, b"null", b"[]", b"{}", b'"x"', b"NaN", b'{"event":{}}', _dumped([envelope]), b"1e999"))


def _deep(random: Random, envelope: dict[str, Any]) -> bytes:
    """Nest deeper than anybody would."""
    depth = random.choice((10, 200, 900, 1_100, 30_000))
    inner = b"[" * depth + b"]" * depth
    return _dumped({**envelope, "event": {"type": "rc-call-ring-notify", "call": 0}}).replace(
        b": 0}", b": " + inner + b"}"
    )
