"""Ends: posted, taken back, inferred, late (DECISIONS 4, 11, 12, 24 to 27, 53, 54, 59)."""

import pytest

from tests.builders import HOUR, Json, Result, Tab, fold

MINUTE = 60_000


def ended(posts: list[Json], until: int = 5 * MINUTE) -> Result:
    """Fold posts and let time pass."""
    return fold(posts, until=until)


def test_a_push_that_lags_behind_the_browsers_end_only_confirms() -> None:
    """Ring, start and end of the web phone, then the whole story of the pushes: one call, no life after (SPEC 12)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.start(500), call.end(900), call.telephony("Setup", 1_000),
             call.active("Ringing", 1_010), call.telephony("Answered", 1_100), call.active("CallConnected", 1_110),
             call.telephony("Disconnected", 1_200), call.active("NoCall", 1_210)]  # fmt: skip
    result = ended(posts)
    assert result.told() == ["RANG", "ANSWERED", "ENDED"]
    assert result.summary["accepted"] == 9


def test_an_answer_that_is_told_late_takes_the_unanswered_end_back() -> None:
    """The browser's unanswered end had ended only the browser's part (DECISIONS 11c, 12c)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.end(5_000), call.active("CallConnected", 5_400), call.active("NoCall", 40_000)]
    result = ended(posts)
    assert result.told() == ["RANG", "ENDED", "REOPENED", "ANSWERED", "ENDED"]
    assert (result.record()["disposition"], result.record()["talk_ms"]) == ("ANSWERED", 34_600)


def test_the_other_tabs_ends_do_not_end_the_leg() -> None:
    """When B answers, A posts ends of the very same dialog while the call goes on (SPEC 12, DECISIONS 52)."""
    mine, other = Tab("A", delay_ms=0), Tab("B", delay_ms=0)
    here, there = (tab.call(dialog="same") for tab in (mine, other))
    posts = [here.ring(0), there.ring(10), there.start(3_000), here.end(3_060), here.end(3_130), there.end(20_000)]
    result = ended(posts)
    assert result.told() == ["RANG", "ANSWERED", "ENDED"]
    assert result.record()["talk_ms"] == 17_000


def test_a_flip_that_the_server_shows_alive_goes_on() -> None:
    """The end with isOnFlip ends the browser's part only, also when the server's word comes after it."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.start(2_000), call.end(10_000, isOnFlip=True), call.active("CallConnected", 10_400),
             call.active("NoCall", 50_000)]  # fmt: skip
    record = ended(posts).record()
    assert (record["transfer"], record["talk_ms"], record["end_source"]) == ("FLIP", 48_000, "ACTIVE_CALL")


def test_a_flip_that_nobody_else_tells_ends_the_leg() -> None:
    """Without another witness the browser's end is all that is known."""
    call = Tab(delay_ms=0).call()
    result = ended([call.ring(0), call.start(2_000), call.end(10_000, isOnFlip=True)])
    assert (result.record()["transfer"], result.record()["ended_by"]) == ("FLIP", "SELF")
    assert result.told() == ["RANG", "ANSWERED", "TRANSFERRED", "ENDED"]


def test_forwarded_is_not_answered_though_the_end_brings_a_start() -> None:
    """Answered in order to be forwarded: talk 0, ring until the first end (DECISIONS 53)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.telephony("Proceeding", 60), call.end(6_000), call.telephony("Answered", 6_100),
             call.says("end", 6_600, endTime=call.clock(6_600), startTime=call.clock(6_050), isForwarded=True),
             call.telephony("Disconnected", 6_700)]  # fmt: skip
    record = ended(posts).record()
    assert (record["disposition"], record["ring_ms"], record["talk_ms"]) == ("FORWARDED", 6_000, 0)
    assert (record["answered_at"], record["transfer"], record["ended_by"]) == (None, "NONE", "SELF")


def test_an_end_that_brings_a_start_and_no_flag_was_answered() -> None:
    """Nobody posted the start; the end tells it (DECISIONS 53)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.says("end", 9_000, endTime=call.clock(9_000), startTime=call.clock(4_000))]
    record = ended(posts).record()
    assert (record["disposition"], record["ring_ms"], record["talk_ms"]) == ("ANSWERED", 4_000, 5_000)


def test_a_leftover_final_ends_nothing() -> None:
    """Only NoCall and final together mean ended (DECISIONS 54)."""
    call = Tab(delay_ms=0).call()
    posts = [call.active("Ringing", 0), call.active("NoCall", 5_000),
             call.active("Ringing", 6_000, terminationType="final"),
             call.active("CallConnected", 9_000, terminationType="final"), call.active("NoCall", 20_000)]  # fmt: skip
    result = ended(posts)
    assert result.told() == ["RANG", "ENDED", "REOPENED", "ANSWERED", "ENDED"]
    assert result.record()["talk_ms"] == 11_000


def test_an_intermediate_no_call_is_no_end() -> None:
    """NoCall with another termination than final says nothing (DECISIONS 54)."""
    call = Tab(delay_ms=0).call()
    posts = [call.active("CallConnected", 0), call.active("NoCall", 5_000, terminationType="intermediate")]
    result = fold(posts)
    assert (result.told(), result.summary["ignored"]) == (["ANSWERED"], 1)


def test_a_lone_no_call_is_no_call() -> None:
    """A finished call that is still listed after a load is ignored (DECISIONS 20)."""
    result = ended([Tab(delay_ms=0).call().active("NoCall", 0)])
    assert (result.of("CallRecord"), result.summary["ignored"]) == ([], 1)


@pytest.mark.parametrize("ends", [("NoCall",), ("CallConnected", "NoCall")])
def test_a_backlog_of_an_older_tab_is_ignored(ends: tuple[str, ...]) -> None:
    """Statuses that another page load had told long ago change nothing, also after the end (DECISIONS 12, 20)."""
    mine, other = Tab("A", delay_ms=0), Tab("B", delay_ms=0)
    here, there = mine.call(), other.call()
    there.created = 0
    posts = [here.active("Ringing", 0), here.active("CallConnected", 4_000), here.active("OnHold", 10_000),
             here.active("CallConnected", 20_000), here.active("NoCall", 30_000)]  # fmt: skip
    posts += [there.active(status, 90_000 + place) for place, status in enumerate(("Ringing", *ends))]
    result = ended(posts)
    assert result.told() == ["RANG", "ANSWERED", "HELD", "RESUMED", "ENDED"]
    assert (result.record()["hold_count"], result.record()["talk_ms"]) == (1, 16_000)
    assert result.summary["ignored"] == len(ends)


def test_a_backlog_in_the_middle_of_a_call_invents_no_hold() -> None:
    """The tab that wakes up goes through what was told: only what it says of now is a repetition."""
    mine, other = Tab("A", delay_ms=0), Tab("B", delay_ms=0)
    here, there = mine.call(), other.call()
    there.created = 0
    story = (("Ringing", 0), ("CallConnected", 4_000), ("OnHold", 10_000), ("CallConnected", 20_000))
    posts = [here.active(status, at) for status, at in story]
    posts += [there.active(status, 60_000 + place) for place, (status, _) in enumerate(story)]
    posts.append(here.active("NoCall", 90_000))
    result = ended(posts)
    assert (result.record()["hold_count"], result.record()["hold_ms"]) == (1, 10_000)
    assert result.told() == ["RANG", "ANSWERED", "HELD", "RESUMED", "ENDED"]


def test_a_snapshot_without_the_dialog_closes_the_leg() -> None:
    """What the page load's own list has lost is over after the grace (DECISIONS 24, 25)."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    posts = [call.ring(0), call.start(3_000), tab.say("rc-webphone-sessions-sync", 30_000, calls=[])]
    result = ended(posts)
    record = result.record()
    assert (record["end_source"], record["talk_ms"], record["quality"]) == ("SNAPSHOT", 27_000, ["INFERRED_END"])
    assert result.summary["accepted"] == 3


def test_a_snapshot_with_the_dialog_is_a_sign_of_life() -> None:
    """A list that still has it keeps the leg from being closed by older evidence."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    listed = [{"id": "dialog-A-1", "direction": "Inbound"}]
    posts = [call.ring(0), call.start(3_000), tab.presence(10_000),
             tab.say("rc-webphone-sessions-sync", 12_000, calls=listed)]  # fmt: skip
    assert ended(posts).of("CallRecord") == []


def test_a_snapshot_does_not_end_what_another_device_answered() -> None:
    """The browser's part is over, the leg is not (DECISIONS 11c)."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    posts = [call.ring(0), call.active("Ringing", 100), call.active("CallConnected", 4_000),
             tab.say("rc-webphone-sessions-sync", 30_000, calls=[])]  # fmt: skip
    assert ended(posts).of("CallRecord") == []


def test_better_evidence_near_the_first_gives_the_end() -> None:
    """Presence outranks a logout of the same moment, but not one of hours later (DECISIONS 3, 24)."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    near = [
        tab.logs_in(0),
        call.ring(0),
        call.start(3_000),
        tab.logs_out(20_000),
        Tab("B", delay_ms=0).presence(21_000),
    ]
    assert ended(near).record()["end_source"] == "PRESENCE"
    later = [*near[:4], Tab("C", delay_ms=0).presence(2 * HOUR)]
    assert ended(later, until=3 * HOUR).record()["end_source"] == "LOGOUT"


def test_presence_ends_a_parked_leg() -> None:
    """A parked call has a status of its own, so NoCall says that it is gone (DECISIONS 58)."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    posts = [call.active("Ringing", 0), call.active("CallConnected", 2_000), call.active("ParkedCall", 10_000),
             tab.presence(30_000)]  # fmt: skip
    result = ended(posts)
    record = result.record()
    assert (record["park_ms"], record["talk_ms"], record["transfer"]) == (20_000, 8_000, "PARK")
    assert result.told() == ["RANG", "ANSWERED", "PARKED", "ENDED"]


def test_a_timeout_is_taken_back_by_life() -> None:
    """Four silent hours end a leg, a later post revives it; the record is amended when it ends (DECISIONS 12, 26)."""
    call = Tab(delay_ms=0).call()
    posts = [call.active("Ringing", 0), call.active("CallConnected", 5_000), call.active("OnHold", 5 * HOUR),
             call.active("NoCall", 5 * HOUR + MINUTE)]  # fmt: skip
    result = ended(posts, until=6 * HOUR)
    assert result.told() == ["RANG", "ANSWERED", "ENDED", "REOPENED", "HELD", "ENDED"]
    assert (result.record()["hold_ms"], result.record()["quality"]) == (MINUTE, ["LATE_AMENDED"])


def lost_and_found(*, late: bool) -> tuple[list[Json], list[Json]]:
    """Return what two page loads post of one call: B tells the end, A lost a post before it or after it."""
    mine, other = Tab("A", delay_ms=0), Tab("B", delay_ms=0)
    here, there = mine.call(), other.call()
    first = [here.active("Ringing", 0), here.active("CallConnected", 5_000)]
    mine.lose()
    first.append(mine.route(41_000 if late else 39_000))
    return first, [there.active("Ringing", 20), there.active("CallConnected", 5_020), there.active("NoCall", 40_000)]


@pytest.mark.parametrize(("late", "flags"), [(False, ["GAP", "DUPLICATE_TABS"]), (True, ["DUPLICATE_TABS"])])
@pytest.mark.parametrize("end_first", [True, False])
def test_a_loss_counts_when_it_is_seen_before_the_end(late: bool, flags: list[str], end_first: bool) -> None:
    """By event time, whichever page load was read first (DECISIONS 28)."""
    mine, other = lost_and_found(late=late)
    record = ended([*other, *mine] if end_first else [*mine, *other]).record()
    assert record["quality"] == flags


def test_a_lost_post_before_the_end_that_its_page_load_told_counts() -> None:
    """The post of the end comes after the end: what it shows to be lost was lost before."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    posts = [call.ring(0), call.start(5_000)]
    tab.lose()
    posts.append(tab.post(call.end(40_000)["event"], 40_200))
    assert ended(posts[:-1] + posts[-1:]).record()["quality"] == ["GAP"]


def test_a_hole_is_filled_once_though_its_leg_was_told_of_after_the_end() -> None:
    """Two posts are missing before B's lagging end; one of them comes, the other is lost for good."""
    mine, other = Tab("A", delay_ms=0), Tab("B", delay_ms=0)
    here, there = mine.call(), other.call()
    posts = [here.ring(0), there.ring(10), here.end(8_000)]
    other.lose()
    late = other.presence(8_100)
    posts += [there.active("NoCall", 8_200), late, other.route(90_000)]
    assert ended(posts).record()["quality"] == ["GAP", "DUPLICATE_TABS"]


def test_what_fills_the_hole_of_a_final_record_takes_the_flag_back() -> None:
    """Ten minutes after the end (DECISIONS 28); the record had been final."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    posts = [call.ring(0), call.start(5_000)]
    late = tab.route(6_000)
    posts += [call.end(40_000), tab.route(90_000)]
    missing = [*posts, tab.route(100_000, "/history")]
    assert ended(missing).record()["quality"] == ["GAP"]
    assert ended([*missing, {**late, "received_at": late["received_at"] + 10 * MINUTE}], 20 * MINUTE).record()[
        "quality"
    ] == ["LATE_AMENDED"]


@pytest.mark.parametrize("later_first", [True, False])
def test_the_last_logout_is_the_last_by_event_time(later_first: bool) -> None:
    """A page load that was off line tells its logout when the next one is long there (DECISIONS 25)."""
    old, new = Tab("A", delay_ms=0), Tab("B", delay_ms=0)
    call = old.call()
    before = [old.logs_in(0), call.ring(1_000), call.start(5_000), old.logs_out(40_000)]
    after = [new.logs_in(100_000), new.presence(101_000)]
    record = ended([*after, *before] if later_first else [*before, *after]).record()
    assert (record["end_source"], record["talk_ms"]) == ("LOGOUT", 35_000)


@pytest.mark.parametrize("other_first", [True, False])
def test_a_logout_while_another_page_load_is_logged_in_ends_nothing(other_first: bool) -> None:
    """Also when that other one is heard of only later: what was taken for the last logout is taken back."""
    mine, other = Tab("A", delay_ms=0), Tab("B", delay_ms=0)
    call = mine.call()
    posts = [mine.logs_in(0), call.active("Ringing", 1_000), call.active("CallConnected", 5_000), mine.logs_out(40_000)]
    told = [other.logs_in(500), other.route(60_000), other.call(created=1_000).active("NoCall", 70_000)]
    record = ended([*told[:1], *posts, *told[1:]] if other_first else [*posts, *told]).record()
    assert (record["end_source"], record["talk_ms"]) == ("ACTIVE_CALL", 65_000)


@pytest.mark.parametrize("end_first", [True, False])
def test_an_end_that_nobody_knew_ends_its_leg_when_that_is_told(end_first: bool) -> None:
    """The page load before a reload was off line: its ring and answer are read after the end (DECISIONS 20)."""
    old, new = Tab("A", delay_ms=0), Tab("B", delay_ms=0)
    call = old.call()
    life = [call.ring(0), call.start(5_000), call.active("CallConnected", 5_100)]
    end = [new.call(created=0).active("NoCall", 40_000), new.presence(40_500)]
    result = ended([*end, *life] if end_first else [*life, *end])
    assert (result.record()["end_source"], result.record()["talk_ms"]) == ("ACTIVE_CALL", 35_000)
    assert result.summary["ignored"] == (1 if end_first else 0)
