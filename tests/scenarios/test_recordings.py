"""What the real widget posted, against what really happened: every recording folds to the truth beside it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from streams.cli.fold import command
from tests.scenarios.book import DOMAIN
from tests.scenarios.checkers import checker

RECORDINGS = DOMAIN / "recordings"
NAMES = tuple(sorted(path.stem for path in RECORDINGS.glob("*.jsonl")))
pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not beside this checkout")


def complaints(recording: Path, work: Path) -> list[str]:
    """Fold a recording with our command, called instead of started, and return what the checker has to complain of."""
    module = checker(RECORDINGS)
    check = module.Check(recording, [])
    source, out = work / f"{recording.stem}.jsonl", work / "out"
    source.write_text("".join(line + "\n" for line in check.recording.lines), encoding="utf-8")
    until = module.text_of(check.recording.until())
    command.main([str(source), "--out", str(out), "--until", until], standalone_mode=False)
    check.out = out
    for step in (check.legs, check.messages, check.logins, check.presence, check.counts, check.private):
        step()
    found: list[str] = check.problems
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_folds_to_what_really_happened(name: str, tmp_path: Path) -> None:
    """Legs, instants, durations, outcomes, messages, logins and presence are those of the truth, within its limits."""
    assert complaints(RECORDINGS / f"{name}.jsonl", tmp_path) == []


def test_there_are_recordings() -> None:
    """The parametrization is not empty, and says how many there are."""
    assert len(NAMES) >= 23


def test_the_check_complains_of_another_truth(tmp_path: Path) -> None:
    """A recording whose truth is changed does not pass: the check can fail."""
    for suffix in (".jsonl", ".truth.json"):
        text = (RECORDINGS / f"inbound-missed{suffix}").read_text(encoding="utf-8")
        if suffix == ".truth.json":
            told = json.loads(text)
            told["calls"] = []
            text = json.dumps(told)
        (tmp_path / f"changed{suffix}").write_text(text, encoding="utf-8")
    kinds = Counter(line.split(":")[1].strip()[:14] for line in complaints(tmp_path / "changed.jsonl", tmp_path))
    assert kinds["0 legs happened"[:14]] == 1
