"""Records against the offline reading of the rules: equal, or a difference in a class that says where it comes from."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.accuracy.difference import Difference
from tests.accuracy.explained import EXPLAINED, Explanation, explanation
from tests.oracle.reading import Expected

Record = dict[str, Any]
SAME_CLOCK_MS = 1
EXACT = ("disposition", "transfer", "ended_by", "end_reason", "end_source", "hold_count", "mute_count", "queue_call")
DURATIONS = ("ring_ms", "talk_ms", "hold_ms", "park_ms", "mute_ms", "total_ms")
INSTANTS = ("initiated_at", "answered_at", "first_held_at", "ended_at")
SEVERAL_CLOCKS = 3
"""Across page loads each end of a duration may be off by the uncertainty, and the reading's own clock by as much."""


@dataclass
class Comparison:
    """What differs, by class."""

    legs: int = 0
    differing: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    """Legs by class: one that is explained, or all that differs."""
    explained: dict[str, Explanation] = field(default_factory=dict)
    examples: dict[str, Sequence[Difference]] = field(default_factory=dict)

    @property
    def unexplained(self) -> Counter[str]:
        """Legs by class, those that nobody has explained."""
        return Counter({name: legs for name, legs in self.classes.items() if name not in self.explained})

    def add(self, other: "Comparison") -> None:
        """Take another comparison in."""
        self.legs += other.legs
        self.differing += other.differing
        self.classes.update(other.classes)
        self.explained.update(other.explained)
        self.examples = {**other.examples, **self.examples}


def compare(
    expected: Sequence[Expected], records: Iterable[Record], known: Sequence[Explanation] = EXPLAINED
) -> Comparison:
    """Return in what the records differ from the reading; `known` are the classes that are explained."""
    by_key: dict[tuple[str, str | None, str], list[Record]] = defaultdict(list)
    for record in records:
        by_key[(record["extension_key"], record["call_id"], record["direction"])].append(record)
    found = Comparison(legs=len(expected))
    for leg in expected:
        mine = by_key.get((leg.extension_key, leg.call_id, leg.direction), [])
        if not mine:
            _enter(found, [Difference("record", "present", "absent", _name(leg))])
            continue
        record = mine.pop(0)
        differing = differences(leg, record)
        _enter(found, differing, explanation(leg, differing, known) if differing else None)
    for stranger in (stranger for many in by_key.values() for stranger in many):
        name = f"{stranger['extension_key']} {stranger['call_id']} {stranger['direction']}"
        _enter(found, [Difference("record", "absent", "present", name)])
    return found


def differences(leg: Expected, record: Record) -> list[Difference]:
    """Return the fields in which a record differs from the reading of its leg."""
    reading = as_record(leg)
    name = _name(leg)
    found = [Difference(key, reading[key], record[key], name) for key in EXACT if reading[key] != record[key]]
    several = len({testimony.post.session for testimony in leg.told}) > 1 or len(leg.clocks) > 1
    allowed = SEVERAL_CLOCKS * record["time_uncertainty_ms"] if several else SAME_CLOCK_MS
    spans = max(1, leg.hold_count, leg.mute_count)
    for key in DURATIONS:
        if _apart(reading[key], record[key]) > allowed * spans:
            found.append(Difference(key, reading[key], record[key], name))
    for key in INSTANTS:
        if _apart(reading[key], record[key]) > SEVERAL_CLOCKS * record["time_uncertainty_ms"]:
            found.append(Difference(key, reading[key], record[key], name))
    quality = frozenset(record["quality"])
    for flag in sorted((leg.flags.must - quality) | (quality - leg.flags.may)):
        found.append(Difference(f"quality {flag}", flag in leg.flags.must, flag in quality, name))
    if leg.witnesses != quality_free(record["witnesses"]):
        found.append(Difference("witnesses", sorted(leg.witnesses), sorted(record["witnesses"]), name))
    return found


def quality_free(witnesses: Iterable[str]) -> frozenset[str]:
    """Return the witnesses that told of the call itself."""
    return frozenset(witnesses) - {"PRESENCE"}


def as_record(leg: Expected) -> Record:
    """Return the reading of a leg with the names of a record."""
    return {
        "extension_key": leg.extension_key,
        "call_id": leg.call_id,
        "direction": leg.direction,
        "disposition": leg.outcome.disposition,
        "transfer": leg.outcome.transfer,
        "ended_by": leg.outcome.ended_by,
        "end_reason": leg.outcome.reason,
        "end_source": leg.end.source.value,
        "hold_count": leg.hold_count,
        "mute_count": leg.mute_count,
        "queue_call": leg.queue_call,
        "ring_ms": leg.ring_ms,
        "talk_ms": leg.talk_ms,
        "hold_ms": leg.hold_ms,
        "park_ms": leg.park_ms,
        "mute_ms": leg.mute_ms,
        "total_ms": leg.total_ms,
        "initiated_at": leg.initiated.at if leg.initiated else None,
        "answered_at": leg.answered.at if leg.answered else None,
        "first_held_at": leg.first_held.at if leg.first_held else None,
        "ended_at": leg.ended.at,
        "quality": sorted(leg.flags.must),
        "witnesses": sorted(leg.witnesses, key=_rank),
        "time_uncertainty_ms": 100,
    }


def _rank(witness: str) -> int:
    return ("WEB_PHONE", "TELEPHONY_SESSION", "ACTIVE_CALL", "RINGOUT").index(witness)


def _apart(reading: int | None, record: int | None) -> float:
    if reading is None or record is None:
        return 0 if reading is record else float("inf")
    return abs(reading - record)


def _enter(found: Comparison, differing: Sequence[Difference], why: Explanation | None = None) -> None:
    if not differing:
        return
    found.differing += 1
    name = why.name if why else "; ".join(sorted(difference.kind for difference in differing))
    if why:
        found.explained[name] = why
    found.classes[name] += 1
    found.examples.setdefault(name, differing)


def _name(leg: Expected) -> str:
    return f"{leg.extension_key} {leg.call_id} {leg.direction}"
