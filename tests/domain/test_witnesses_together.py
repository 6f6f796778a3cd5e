"""Two witnesses of one call that say more than their status, late, or at the very same instant (SPEC 3.4, 12)."""

from tests.builders import HOUR, Json, Result, Tab, fold

MINUTE = 60_000


def ended(posts: list[Json], until: int = 5 * MINUTE) -> Result:
    """Fold posts and let time pass."""
    return fold(posts, until=until)


def in_order(posts: list[Json]) -> list[Json]:
    """Return posts as they arrive."""
    return sorted(posts, key=lambda post: post["received_at"])


def test_a_mute_that_is_told_with_the_end_is_no_life_after_it() -> None:
    """The telephony session's post carries status and mute flag; Disconnected ends the leg whatever the flag says."""
    call = Tab(delay_ms=0).call()
    posts = [call.telephony("Setup", 0), call.telephony("Answered", 2_000), call.telephony("Hold", 4_000),
             call.telephony("Disconnected", 10_000, muted=True)]  # fmt: skip
    record = ended(posts, 5 * HOUR).record()
    assert (record["end_source"], record["hold_ms"], record["mute_count"]) == ("TELEPHONY_SESSION", 6_000, 0)


def test_answered_once_more_because_of_a_mute_is_no_resume() -> None:
    """The session posts Answered again when its mute flag changes; the hold that the browser told stands."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.telephony("Setup", 20), call.start(2_000), call.telephony("Answered", 2_100),
             call.mute(5_000), call.hold(5_040), call.telephony("Answered", 5_100, muted=True),
             call.telephony("Hold", 5_110, muted=True), call.end(12_000)]  # fmt: skip
    record = ended(posts).record()
    assert (record["hold_ms"], record["hold_count"]) == (12_000 - 5_040, 1)


def test_answered_after_a_lost_hold_is_a_resume() -> None:
    """Where the page load lost something between its two Answered, the hold that others told is over."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    posts = [call.ring(0), call.telephony("Setup", 20), call.start(2_000), call.telephony("Answered", 2_100)]
    posts.append(call.active("OnHold", 5_000))
    tab.lose()
    posts += [call.telephony("Answered", 9_000), call.end(12_000)]
    assert ended(posts).record()["hold_ms"] == 4_000


def test_a_post_that_was_overtaken_is_no_last_word() -> None:
    """A post with a lower number that arrives late corrects the past at most: the call stays muted."""
    call = Tab(delay_ms=0).call()
    posts = [call.telephony("Setup", 0), call.telephony("Answered", 2_000)]
    early, late = call.telephony("Hold", 4_000), call.telephony("Hold", 4_001, muted=True)
    early["received_at"] = late["received_at"] + 5
    posts += [late, early, call.telephony("Disconnected", 10_000, muted=True)]
    assert ended(posts).record()["mute_ms"] == 5_999


def test_the_browser_leaves_at_the_very_instant_of_a_park() -> None:
    """A parked leg lives on though the web phone's end has the same instant (DECISIONS 11b)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.telephony("Setup", 10), call.start(2_000), call.telephony("Answered", 2_050),
             call.active("ParkedCall", 10_000), call.telephony("Parked", 10_030), call.end(10_000),
             call.telephony("Answered", 40_000), call.telephony("Disconnected", 60_000)]  # fmt: skip
    record = ended(in_order(posts)).record()
    assert (record["park_ms"], record["end_source"]) == (40_000 - 10_030, "TELEPHONY_SESSION")


def test_first_seen_on_hold_proves_that_the_start_was_an_answer() -> None:
    """Hold is not Answered: the web phone's start stays (DECISIONS 31)."""
    call = Tab(delay_ms=0).call(direction="Outbound")
    posts = [call.init(0), call.telephony("Setup", 10), call.start(3_000), call.hold(6_000),
             call.telephony("Hold", 6_010), call.end(20_000)]  # fmt: skip
    record = ended(posts).record()
    assert (record["talk_ms"], record["hold_ms"]) == (3_000, 14_000)
    assert "START_WHILE_RINGING" not in record["quality"]


def test_a_forwarded_leg_keeps_the_browsers_ring() -> None:
    """Nobody answered, so ring and answer need not come from one witness: rank decides (DECISIONS 3, 53)."""
    tab = Tab(delay_ms=0)
    here, server = tab.call(created=0), tab.call(created=300)
    posts = [here.ring(40), server.telephony("Setup", 310), here.end(9_000), server.telephony("Answered", 9_300),
             here.end(9_600, isForwarded=True, startTime=here.clock(9_100)),
             server.telephony("Disconnected", 9_700)]  # fmt: skip
    record = ended(posts).record()
    assert (record["disposition"], record["ring_ms"], record["talk_ms"]) == ("FORWARDED", 9_000, 0)


def test_a_leg_that_lived_on_and_ended_as_before_becomes_final_again() -> None:
    """A repeated ring four hours later revives a timed-out leg; the second timeout settles the same record."""
    call = Tab(delay_ms=0).call()
    result = fold([call.ring(0), call.ring(4 * HOUR)], until=10 * HOUR)
    assert result.record()["is_final"]
    assert result.told() == ["RANG", "ENDED", "REOPENED", "ENDED"]
