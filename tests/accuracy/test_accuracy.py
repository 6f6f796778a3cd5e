"""Records of simulated call centres are true, and the comparison complains when they are not."""

import copy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.accuracy.centre import a_centre
from tests.accuracy.compare import as_record, compare
from tests.accuracy.explained import Explanation
from tests.accuracy.folding import fold
from tests.accuracy.longer_stories import STORIES
from tests.accuracy.page import text, write
from tests.accuracy.run import Outcome, Records, run
from tests.accuracy.transport import deliver
from tests.oracle.reading import read

SEED = 1
LEGS = 1_500


def last(outcomes: Any) -> Outcome:
    """Return the outcome of a whole run."""
    *_, outcome = outcomes
    assert isinstance(outcome, Outcome)
    return outcome


def by_the_reading(envelopes: Sequence[dict[str, Any]], until: int) -> Records:
    """Stand in for the fold: the records that the offline reading concludes."""
    return [{**as_record(leg), "is_final": True} for leg in read(envelopes, until)]


@pytest.fixture(scope="module")
def records() -> Records:
    """Records of a small call centre, as the offline reading concludes them."""
    envelopes = deliver(a_centre(SEED * 1_000, 200, STORIES))
    return by_the_reading(envelopes, envelopes[-1]["received_at"] + 5 * 3_600_000)


def judged(changed: Records) -> list[str]:
    """Return the bounds that break when these records are what came out for the small call centre."""
    return last(run(200, SEED, lambda *_: changed, chunk=200)).broken()


def test_the_fold_tells_the_truth() -> None:
    """All bounds hold for a small call centre folded by the product."""
    assert last(run(LEGS, SEED, fold, chunk=LEGS)).broken() == []


def test_the_reading_tells_the_truth() -> None:
    """The offline reading itself keeps the bounds: the rules, the truth and the simulation agree."""
    assert last(run(LEGS, SEED + 1, by_the_reading, chunk=LEGS)).broken() == []


def test_the_same_seed_gives_the_same_world() -> None:
    """A run can be repeated."""
    assert deliver(a_centre(3, 60, STORIES)) == deliver(a_centre(3, 60, STORIES))


def test_every_story_happens() -> None:
    """A run of the usual size tells every story."""
    centre = a_centre(SEED, 2_500, STORIES)
    assert len({leg.story for leg in centre.legs}) >= len(STORIES)


def test_good_records_are_not_complained_of(records: Records) -> None:
    """The check passes what is right: what the next tests change is what they are told of."""
    assert judged(records) == []


@pytest.mark.parametrize("name", ["ring_ms", "talk_ms", "hold_ms", "total_ms"])
def test_a_shifted_duration_is_complained_of(records: Records, name: str) -> None:
    """One duration off by a minute breaks the bound of durations and the comparison with the reading."""
    changed = copy.deepcopy(records)
    next(record for record in changed if record["hold_ms"])[name] += 60_000
    complaints = " ".join(judged(changed))
    assert "durations right for" in complaints
    assert f"{name}: record longer" in complaints


def test_a_wrong_disposition_is_complained_of(records: Records) -> None:
    """One leg told as missed that was answered breaks the bound of dispositions."""
    changed = copy.deepcopy(records)
    next(record for record in changed if record["disposition"] == "ANSWERED")["disposition"] = "MISSED"
    assert "disposition right for" in " ".join(judged(changed))


def test_a_dropped_record_is_complained_of(records: Records) -> None:
    """A leg without a record is missed."""
    assert "1 legs have no record" in judged(records[1:])


def test_an_invented_record_is_complained_of(records: Records) -> None:
    """A record of a call that never was, and a second record of one that was, are found."""
    stranger = {**records[0], "call_id": "s-never"}
    assert "1 records of legs that never were" in judged([*records, stranger])
    assert "1 legs have two records" in judged([*records, records[0]])


def test_a_record_that_is_not_final_is_complained_of(records: Records) -> None:
    """Every record settles."""
    assert "1 records are not final" in judged([{**records[0], "is_final": False}, *records[1:]])


def test_the_command_fails_when_a_bound_is_broken(tmp_path: Path) -> None:
    """A product that says nothing makes the command end with 1, naming what is missing."""
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    mute.chmod(0o755)
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.accuracy", "--legs", "50", "--command", str(mute)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "legs have no record" in done.stdout


def test_the_page_has_the_figures_and_the_plot(records: Records, tmp_path: Path) -> None:
    """The page shows the shares found and is drawn by the run."""
    outcome = last(run(200, SEED, lambda *_: records, chunk=200))
    write(outcome, tmp_path)
    assert f"{outcome.outcomes_right:.3%} of {outcome.verdict.outcomes_judged:,}" in text(outcome)
    assert "<polyline" in (tmp_path / "accuracy.svg").read_text(encoding="utf-8")


def test_a_difference_is_listed_by_leg_with_its_rule_and_fault(records: Records) -> None:
    """Legs that differ are counted by class; an explained class is no unexplained one, another one stays so."""
    envelopes = deliver(a_centre(SEED * 1_000, 200, STORIES))
    reading = read(envelopes, envelopes[-1]["received_at"] + 5 * 3_600_000)
    changed = copy.deepcopy(records)
    changed[0]["transfer"], changed[1]["ended_by"] = "SOMEHOW", "SOMEBODY"
    known = Explanation("a transfer", "a rule", "the reading's", lambda _, found: found[0].field == "transfer")
    found = compare(reading, changed, [known])
    assert found.differing == 2
    assert found.classes["a transfer"] == 1
    assert list(found.unexplained.values()) == [1]
    outcome = Outcome(SEED, comparison=found)
    assert "| 1 | a transfer | a rule | the reading's |" in text(outcome)
    assert "SOMEBODY | not explained | open |" in text(outcome)
