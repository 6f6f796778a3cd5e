"""What belongs to one page load: its user, its clock, its repeats, and what waits for its login (CONTRACT 4, 5)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain import page_loads
from streams.domain.page_loads import (
    AUDIT_MS,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    MEMORY_MS,
    RECENT_IDS,
    Judgement,
    PageLoad,
    Waiting,
    judge,
)
from streams.domain.postings import Meaning, Posting, Rejection, WidgetEvent
from streams.domain.words import EventType, Identity, Outcome, Quirk, RejectReason

T0 = 1_772_442_000_000
LOGIN, OTHER = "+16505550100*101", "+16505550100*102"
KINDS = {
    Meaning.LIFE: EventType.RC_ADAPTER_SYNC_PRESENCE,
    Meaning.EMPTY_PRESENCE: EventType.RC_ADAPTER_SYNC_PRESENCE,
    Meaning.LOGIN: EventType.RC_LOGIN_STATUS_NOTIFY,
    Meaning.LOGOUT: EventType.RC_LOGIN_STATUS_NOTIFY,
    Meaning.SMALL_TALK: EventType.RC_ROUTE_CHANGED_NOTIFY,
    Meaning.FOREIGN: EventType.OTHER,
}


def a_load(**changes: Any) -> PageLoad:
    """Return the memory of a page load."""
    return PageLoad(**{"session_id": "tab", **changes})


def a_posting(meaning: Meaning = Meaning.SMALL_TALK, at: int = 0, login: str | None = None, **changes: Any) -> Posting:
    """Return an envelope; `login` is what the event itself says."""
    event = WidgetEvent(KINDS[meaning], meaning, login_number=login)
    told = {"session_id": "tab", "sequence": 1, "captured_at": T0 + at, "sent_at": T0 + at, "login_number": LOGIN}
    return Posting(type=event.type, event=event, **{**told, **changes})


def judged(
    load: PageLoad, posting: Posting, at: int = 40, directory: dict[tuple[str, str], str] | None = None
) -> Judgement:
    """Judge an envelope that arrives `at` ms after T0."""
    known = directory or {}
    return judge(
        load, posting, T0 + at, T0 + at, lambda account, extension: known.get((account or "", extension or ""))
    )


def test_an_envelope_in_order_is_admitted_to_its_user() -> None:
    """With its event time, corrected by the skew that was just measured."""
    judgement = judged(a_load(), a_posting())
    assert (judgement.outcome, judgement.extension_key, judgement.identity) == (
        Outcome.ACCEPTED,
        LOGIN,
        Identity.ENVELOPE,
    )
    assert (judgement.event_time, judgement.skew_ms, judgement.missing_before) == (T0 + 40, 40, 0)


def test_what_is_refused_comes_before_what_is_repeated() -> None:
    """The order of checks: parse, size, schema, repeats, lateness, identity (DECISIONS 44)."""
    load, refused = a_load(), Rejection(RejectReason.SCHEMA_VIOLATION, "call: missing")
    judged(load, a_posting())
    assert judged(load, a_posting(rejection=refused)).rejection is refused
    late = a_posting(captured_at=T0 - 25 * 3_600_000)
    assert judged(load, late).outcome is Outcome.DUPLICATE
    nobody = a_posting(sequence=2, captured_at=T0 - 25 * 3_600_000, login_number=None)
    rejection = judged(a_load(), nobody).rejection
    assert rejection is not None
    assert rejection.reason is RejectReason.TOO_LATE


def test_a_refused_envelope_leaves_no_hole() -> None:
    """It was read; it is not lost."""
    load = a_load()
    judged(load, a_posting(rejection=Rejection(RejectReason.SCHEMA_VIOLATION, "")))
    assert judged(load, a_posting(sequence=2)).missing_before == 0


def test_a_known_sequence_or_id_is_a_repeat() -> None:
    """The id counts where there is no sequence."""
    load = a_load()
    judged(load, a_posting(sequence=None, event_id="e"))
    assert judged(load, a_posting(sequence=None, event_id="e")).outcome is Outcome.DUPLICATE
    assert judged(load, a_posting(sequence=None, event_id="f")).outcome is Outcome.ACCEPTED
    assert judged(load, a_posting(sequence=None)).outcome is Outcome.ACCEPTED
    assert load.counts.unsequenced == 4


def test_so_many_ids_are_remembered() -> None:
    """The last thousand (DECISIONS 45)."""
    load = a_load()
    for number in range(RECENT_IDS + 1):
        judged(load, a_posting(sequence=None, event_id=str(number)))
    assert judged(load, a_posting(sequence=None, event_id="1")).outcome is Outcome.DUPLICATE
    assert judged(load, a_posting(sequence=None, event_id="0")).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("field", "quirk"),
    [("captured_at", Quirk.NO_CAPTURED_AT), ("sequence", Quirk.NO_SEQUENCE), ("session_id", Quirk.NO_SESSION)],
)
def test_what_the_collector_left_out_is_noted(field: str, quirk: Quirk) -> None:
    """And the event is processed with what there is (CONTRACT 3)."""
    left_out: dict[str, Any] = {field: None}
    judgement = judged(a_load(), a_posting(**left_out))
    assert judgement.outcome is Outcome.ACCEPTED
    assert quirk in judgement.quirks


def test_without_a_capture_time_the_arrival_stands_in() -> None:
    """Nothing is known of the browser's clock then."""
    judgement = judged(a_load(), a_posting(captured_at=None), at=900)
    assert (judgement.event_time, judgement.skew_ms) == (T0 + 900, None)
    assert judgement.time_uncertainty_ms > judged(a_load(), a_posting()).time_uncertainty_ms


def test_nothing_happens_after_it_arrived() -> None:
    """A skew of earlier posts may say so; then the arrival is the event time."""
    load = a_load()
    judged(load, a_posting(), at=5_000)
    judgement = judged(load, a_posting(sequence=2, at=6_000), at=6_010)
    assert judgement.event_time == T0 + 6_010
    judgement = judged(load, a_posting(sequence=3, captured_at=T0 + 99_000, sent_at=T0 + 7_000), at=7_010)
    assert judgement.event_time == T0 + 7_010
    assert Quirk.FUTURE_INSTANT in judgement.quirks


def test_a_token_beats_everything_else() -> None:
    """The order of CONTRACT 4."""
    load = a_load(login=OTHER)
    judgement = judged(load, a_posting(Meaning.LOGIN, login=OTHER, verified=True))
    assert (judgement.extension_key, judgement.identity) == (LOGIN, Identity.TOKEN)


def test_the_last_login_of_the_page_load_serves_later_events() -> None:
    """The envelope's own number is better, a directory's worse."""
    load, row = a_load(), {("1", "7"): OTHER}
    judged(load, a_posting(Meaning.LOGIN, login=LOGIN, login_number=None))
    later = judged(load, a_posting(sequence=2, login_number=None, account_id="1", extension_id="7"), directory=row)
    assert (later.extension_key, later.identity) == (LOGIN, Identity.SESSION)
    told = judged(load, a_posting(sequence=3, login_number=OTHER))
    assert (told.extension_key, told.identity) == (OTHER, Identity.ENVELOPE)


def test_ids_that_the_directory_knows_name_the_user_for_the_whole_page_load() -> None:
    """Learned once, it holds (DECISIONS 23); unknown ids are no key."""
    load, row = a_load(), {("1", "7"): LOGIN}
    ids: dict[str, Any] = {"login_number": None, "account_id": "1"}
    assert judged(load, a_posting(extension_id="8", **ids), directory=row).outcome is None
    found = judged(load, a_posting(sequence=2, extension_id="7", **ids), directory=row)
    assert (found.extension_key, found.identity) == (LOGIN, Identity.DIRECTORY)
    assert judged(load, a_posting(sequence=3, login_number=None)).identity is Identity.SESSION


def test_another_login_starts_a_new_owner_from_there() -> None:
    """What came before stays with the old one, also where it arrives late (DECISIONS 23)."""
    load = a_load()
    judged(load, a_posting(Meaning.LOGIN, login=LOGIN, sequence=1))
    judged(load, a_posting(Meaning.LOGIN, login=OTHER, sequence=5, login_number=None))
    late = judged(load, a_posting(sequence=2, login_number=LOGIN))
    assert late.extension_key == LOGIN
    assert judged(load, a_posting(sequence=6, login_number=None)).extension_key == OTHER


@pytest.mark.parametrize("number", ["*101", "+16505550100*", "+1650*101", "101"])
def test_a_login_that_names_nobody_is_noted_and_waits(number: str) -> None:
    """Unless the envelope knows better (DECISIONS 21)."""
    judgement = judged(a_load(), a_posting(Meaning.LOGIN, login=number, login_number=None))
    assert judgement.outcome is None
    assert Quirk.LOGIN_NUMBER_INCOMPLETE in judgement.quirks
    assert judged(a_load(), a_posting(Meaning.LOGIN, login=number)).extension_key == LOGIN


@pytest.mark.parametrize("meaning", [Meaning.LOGOUT, Meaning.EMPTY_PRESENCE])
def test_the_first_empty_posts_of_a_page_load_are_no_logout(meaning: Meaning) -> None:
    """Every page load posts them before its login (SPEC 12); after a login they are real."""
    load = a_load()
    assert judged(load, a_posting(meaning)).outcome is Outcome.IGNORED
    judged(load, a_posting(Meaning.LOGIN, login=LOGIN, sequence=2))
    assert judged(load, a_posting(meaning, sequence=3)).outcome is Outcome.ACCEPTED


def test_what_is_foreign_is_ignored_whoever_the_user_is() -> None:
    """And teaches nothing about him."""
    load = a_load()
    assert judged(load, a_posting(Meaning.FOREIGN)).outcome is Outcome.IGNORED
    assert load.login is None


@pytest.mark.parametrize("meaning", list(KINDS))
def test_without_a_page_load_nothing_waits(meaning: Meaning) -> None:
    """There is nothing whose login could come (DECISIONS 20, 45)."""
    judgement = judged(PageLoad(), a_posting(meaning, session_id=None, login_number=None))
    lost = meaning in (Meaning.LIFE, Meaning.LOGIN)
    assert judgement.outcome is (Outcome.DEAD_LETTER if lost else Outcome.IGNORED)
    assert (judgement.rejection is not None) is lost
    assert page_loads.ignorable(meaning) is not lost


def test_the_user_is_learned_when_somebody_waits() -> None:
    """Then those are released before this event."""
    load = a_load()
    assert judged(load, a_posting(Meaning.LIFE, login_number=None)).outcome is None
    page_loads.wait(load, a_waiting())
    assert judged(load, a_posting(sequence=2)).learned


def a_waiting(due: int = T0, size: int = 10) -> Waiting:
    """Return something that waits."""
    return Waiting(due, ignorable=False, row={}, letter={}, saved_bytes=size)


@given(st.lists(st.integers(1, MAX_WAITING_BYTES + 1), max_size=MAX_WAITING + 20))
def test_what_waits_is_bounded_and_the_oldest_go_first(sizes: list[int]) -> None:
    """By number and by size; nothing disappears."""
    load, given_up = a_load(), []
    items = [a_waiting(due=index, size=size) for index, size in enumerate(sizes)]
    for item in items:
        given_up += page_loads.wait(load, item)
    assert given_up + load.waiting == items
    assert len(load.waiting) <= MAX_WAITING
    assert sum(item.saved_bytes for item in load.waiting) <= MAX_WAITING_BYTES


def test_a_wait_that_ends_now_has_ended() -> None:
    """The others go on."""
    load = a_load(waiting=[a_waiting(10), a_waiting(11)])
    assert page_loads.give_up(load, 10) == [a_waiting(10)]
    assert load.waiting == [a_waiting(11)]


def test_a_page_load_is_forgotten_25_hours_after_its_last_news() -> None:
    """Then its sequence would begin anew (DECISIONS 45)."""
    load = a_load(last_news=T0)
    assert not page_loads.is_forgettable(load, T0 + MEMORY_MS - 1)
    assert page_loads.is_forgettable(load, T0 + MEMORY_MS)
    assert page_loads.next_due(load) == T0 + MEMORY_MS


def test_an_audit_comes_a_minute_after_what_it_counts() -> None:
    """Not pushed back by what comes meanwhile; after it, only an open hole asks for another."""
    load = a_load(last_news=T0)
    page_loads.want_audit(load, T0)
    page_loads.want_audit(load, T0 + 30_000)
    assert page_loads.next_due(load) == T0 + AUDIT_MS
    page_loads.audited(load, T0 + AUDIT_MS)
    assert load.audit_due is None


def test_the_skew_is_unknown_before_the_first_sample() -> None:
    """Not zero."""
    load = a_load()
    assert page_loads.skew_of(load) is None
    judged(load, a_posting())
    assert page_loads.skew_of(load) == 40
