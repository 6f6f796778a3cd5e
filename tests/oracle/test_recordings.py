"""The offline reading concludes from recordings of the real widget what really happened."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.accuracy.compare import as_record
from tests.oracle.reading import read
from tests.scenarios.checkers import checker

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "domain" / "recordings"
pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not beside this checkout")
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.jsonl"))
NOT_READ = ("call_events", "remote.kind")
"""What the recordings' checker asks that this reading does not conclude."""


def problems(name: str, **changes: object) -> list[str]:
    """Return where the reading of a recording, changed if asked, differs from its truth."""
    module = checker(RECORDINGS)

    class OfTheReading(module.Check):  # type: ignore[name-defined,misc]  # the checker is loaded by its path
        """The checker, with the reading's conclusions in place of the fold's files."""

        def rows(self, topic: str) -> list[dict[str, Any]]:
            if topic != "call-records":
                return []
            legs = read([json.loads(line) for line in self.recording.lines], self.recording.until())
            rest = {"is_final": True, "revision": 1}
            return [
                {"key": str(i), "value": {**as_record(leg), **rest, "leg_id": str(i), **changes}}
                for i, leg in enumerate(legs)
            ]

    check = OfTheReading(RECORDINGS / f"{name}.jsonl", [])
    check.legs()
    return [problem for problem in check.problems if not any(word in problem for word in NOT_READ)]


@pytest.mark.parametrize("name", NAMES)
def test_the_reading_agrees_with_what_happened(name: str) -> None:
    """Legs, instants, durations, outcome and quality are those of the recording's truth."""
    assert problems(name) == []


def test_a_wrong_reading_is_complained_of() -> None:
    """The comparison can fail."""
    assert "talk_ms: expected" in " ".join(problems("inbound-answered", talk_ms=1))
