"""The offline reading concludes what the scenario book says, and the reading itself can be wrong."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.posts import Instant
from tests.oracle.reading import Expected, read

BOOK = Path(__file__).resolve().parents[3] / "shared" / "domain" / "scenarios"
pytestmark = pytest.mark.skipif(not BOOK.is_dir(), reason="the scenario book is not beside this checkout")
CASES = sorted(path.stem for path in BOOK.glob("*.json"))
BESIDE_LEGS = frozenset(
    ("leg_id", "remote", "is_final", "longest_hold_ms", "team", "site", "queue", "queues", "calling_mode")
)
"""Fields of the book's call records that this reading does not conclude."""


def envelopes(name: str) -> list[dict[str, Any]]:
    """Return the input of a case; what is no JSON object is left out."""
    text = subprocess.run(
        [sys.executable, BOOK / "build.py", BOOK / f"{name}.json"], capture_output=True, text=True, check=True
    ).stdout
    found = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(value, dict) and len(line) <= 262_144:
            found.append(value)
    return found


def shown(leg: Expected, start: int) -> dict[str, Any]:
    """Return an expected leg in the words of a record, instants after the start of the case."""

    def after(instant: Instant | None) -> int | None:
        return instant.at - start if instant else None

    return {
        "extension_key": leg.extension_key, "direction": leg.direction, "call_id": leg.call_id,
        "initiated_at": after(leg.initiated), "answered_at": after(leg.answered), "ended_at": after(leg.ended),
        "first_held_at": after(leg.first_held), "ring_ms": leg.ring_ms, "talk_ms": leg.talk_ms, "hold_ms": leg.hold_ms,
        "park_ms": leg.park_ms, "mute_ms": leg.mute_ms, "total_ms": leg.total_ms, "hold_count": leg.hold_count,
        "mute_count": leg.mute_count, "disposition": leg.outcome.disposition, "transfer": leg.outcome.transfer,
        "ended_by": leg.outcome.ended_by, "end_reason": leg.outcome.reason, "end_source": leg.end.source.value,
        "queue_call": leg.queue_call, "quality": leg.flags,
    }  # fmt: skip


def differences(want: dict[str, Any], got: dict[str, Any], tolerance: int) -> list[str]:
    """Return the fields in which an expected leg differs from the book."""
    found = []
    for name, value in want.items():
        if name in BESIDE_LEGS:
            continue
        mine = got[name]
        if name == "quality":
            same = mine.must <= set(value) <= mine.may
        elif name.endswith(("_ms", "_at")) and value is not None:
            same = mine is not None and abs(mine - value) <= tolerance + (250 if name.endswith("_at") else 0)
        else:
            same = mine == value
        if not same:
            found.append(f"{name}: the book says {value}, the reading {mine}")
    return found


def problems(case: dict[str, Any], lines: list[dict[str, Any]]) -> list[str]:
    """Return where the reading differs from the call records of a case; each leg is compared with its best match."""
    start = round(datetime.fromisoformat(case["start"].replace("Z", "+00:00")).timestamp() * 1000)
    legs = [shown(leg, start) for leg in read(lines, start + case["until"])]
    wanted = case["expect"].get("call_records")
    if wanted is None:
        return []
    if len(legs) != len(wanted):
        return [f"the book says {len(wanted)} legs, the reading {len(legs)}"]
    found = []
    for want in wanted:
        best = min(legs, key=lambda leg: len(differences(want, leg, case.get("tolerance_ms", 0))))
        found += differences(want, best, case.get("tolerance_ms", 0))
        legs.remove(best)
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_reading_agrees_with_the_book(name: str) -> None:
    """The call records of a case are those that the offline reading concludes."""
    case = json.loads((BOOK / f"{name}.json").read_text(encoding="utf-8"))
    assert problems(case, envelopes(name)) == []


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"talk_ms": 1}, "talk_ms: the book says 1"),
        ({"disposition": "MISSED"}, "disposition: the book says MISSED"),
        ({"quality": ["GAP"]}, "quality: the book says ['GAP']"),
    ],
)
def test_a_wrong_expectation_is_complained_of(changed: dict[str, Any], complaint: str) -> None:
    """The comparison can fail."""
    case = json.loads((BOOK / "inbound-answered.json").read_text(encoding="utf-8"))
    case["expect"]["call_records"][0].update(changed)
    assert complaint in " ".join(problems(case, envelopes("inbound-answered")))
