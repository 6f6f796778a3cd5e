"""The scenario book: what the processor must conclude from what the widget posted."""

import copy

import pytest

from tests.scenarios.book import ABSENT, SCENARIOS, problems, scenario

pytestmark = pytest.mark.skipif(not SCENARIOS.is_dir(), reason=ABSENT)

LATER = ("interval-day-and-scopes", "interval-metrics")
"""Cases that wait for the metrics of intervals."""
CASES = tuple(sorted(path.stem for path in SCENARIOS.glob("*.json") if path.stem not in LATER))


@pytest.mark.parametrize("name", CASES)
def test_the_fold_concludes_what_the_book_says(name: str) -> None:
    """Records, call events, presence, outcomes and audits of a case are those of the book."""
    assert problems(scenario(name)) == []


@pytest.mark.parametrize(
    ("expectation", "wrong", "complaint"),
    [
        ("call_records", [], "expected 0 legs"),
        ("call_events", ["RANG"], "call_events: expected ['RANG']"),
        ("outcomes", {"accepted": 99}, "outcomes.accepted: expected 99"),
        ("active_calls_at", [{"at": 1_000, "count": 7}], "expected 7 calls"),
        ("absent", ["extension_key"], "absent[0]: found in"),
    ],
)
def test_the_check_complains_of_a_wrong_expectation(expectation: str, wrong: object, complaint: str) -> None:
    """A case whose expectation is false does not pass: the check can fail."""
    case = copy.deepcopy(scenario("inbound-answered"))
    case["expect"][expectation] = wrong
    assert complaint in " ".join(problems(case))


def test_the_book_has_many_cases() -> None:
    """The parametrization is not empty: the book was found and read."""
    assert len(CASES) >= 50
