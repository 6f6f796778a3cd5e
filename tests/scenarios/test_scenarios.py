"""The scenario book: what the processor must conclude from what the widget posted."""

import copy

import pytest

from tests.scenarios.book import ABSENT, SCENARIOS, problems, scenario

pytestmark = pytest.mark.skipif(not SCENARIOS.is_dir(), reason=ABSENT)

CASES = (
    "auto-hold-before-second-call",
    "calls-beat-status",
    "clock-fast",
    "closed-by-presence-but-alive",
    "colleague-to-colleague",
    "end-missing-logout",
    "end-missing-presence",
    "hold-arrives-after-its-resume",
    "hold-open-at-end",
    "identity-learned",
    "identity-never-learned",
    "inbound-answered",
    "inbound-missed",
    "inferred-end-amended",
    "login-popup-and-small-events",
    "malformed",
    "mute-while-held",
    "number-forms",
    "offline-queue-replay",
    "one-of-two-tabs-logs-out",
    "out-of-order-arrival",
    "outbound-answered",
    "presence-two-tabs-dnd",
    "privacy",
    "sequence-gap",
    "three-tabs-one-call",
    "too-late",
    "warm-transfer",
)
"""Cases that need only the web phone, presence, logins and the sessions stage."""

LATER = (
    "absurd-instants",
    "answered-on-desk-phone",
    "blind-transfer-after-hold",
    "conference-session-zero",
    "end-missing-timeout",
    "flip-to-mobile",
    "four-witnesses-web-phone-first",
    "hold-twice",
    "inbound-forwarded-and-replied",
    "inbound-rejected",
    "inbound-to-voicemail",
    "interval-day-and-scopes",
    "interval-metrics",
    "messages-out-pager-fax",
    "outbound-busy-and-invalid",
    "page-reload-in-mid-call",
    "park-and-retrieve",
    "queue-call-taken-by-colleague",
    "reopen-after-nocall",
    "ringing-never-resolved",
    "ringout-two-legs",
    "sms-inbound-repeats",
    "start-while-ringing",
    "telephony-session-only",
)
"""Cases that wait for other witnesses, messages, intervals or the directory."""


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


def test_no_case_of_the_book_is_forgotten() -> None:
    """Every case is either run here or named as one that waits."""
    assert {path.stem for path in SCENARIOS.glob("*.json")} == {*CASES, *LATER}
