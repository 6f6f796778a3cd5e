"""The collected widget events: each is taken or refused as the book's minimal schema says (SPEC 3.13)."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from streams.contracts.envelope import read_posting
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.domain.words import RejectReason
from tests.scenarios.book import ABSENT, FIXTURES

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason=ABSENT)
KEY = TokenKey(DEVELOPMENT_KEY)


def verdicts() -> list[tuple[str, str]]:
    """Return file and verdict of every fixture; nothing where the book is absent."""
    table = FIXTURES / "EXPECT.tsv"
    if not table.is_file():
        return [("(absent)", "ok")]
    with table.open(encoding="utf-8", newline="") as lines:
        return [(row["file"], row["spec_3_13"]) for row in csv.DictReader(lines, delimiter="\t")]


def reason_of(event: Any) -> RejectReason | None:
    """Return why an event in an otherwise empty envelope is refused."""
    rejection = read_posting(json.dumps({"event": event}).encode(), KEY).rejection
    return None if rejection is None else rejection.reason


def event_in(path: Path) -> Any:
    """Return the widget event of a fixture file."""
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "verdict"), verdicts())
def test_a_collected_event_gets_the_verdict_of_the_book(file: str, verdict: str) -> None:
    """What the minimal schema takes is taken, what it refuses is a SCHEMA_VIOLATION."""
    expected = {"ok": None, "violates": RejectReason.SCHEMA_VIOLATION}[verdict]
    assert reason_of(event_in(FIXTURES / file)) is expected


def test_events_beyond_the_nineteen_types_are_never_refused() -> None:
    """Other types of the widget are kept or ignored, whatever is in them."""
    beyond = sorted((FIXTURES / "beyond").glob("*.json"))
    assert {path.name: reason for path in beyond if (reason := reason_of(event_in(path)))} == {}
    assert len(beyond) > 30


def test_the_book_has_events_of_both_verdicts() -> None:
    """The table is not empty on one side: both verdicts are really tested."""
    assert {verdict for _, verdict in verdicts()} == {"ok", "violates"}
