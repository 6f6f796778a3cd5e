"""What a population does: statistics, and what the widgets post about it (SPEC 3.1, 3.5, 12)."""

import statistics
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from streams.simulate.habits import CallKind, Crowd, Habits, Scenario, shift
from streams.simulate.history import Direction, Disposition, TrueLeg
from streams.simulate.scripts import ENDS, presence_changes
from tests.simulate.runs import START_MS, Day, a_day, a_rate, busy_day

REQUIRED = {
    "id", "direction", "callStatus", "to", "from", "creationTime", "lastActiveTime", "isOnHold", "isOnMute",
    "isOnFlip", "isOnTransfer", "isToVoicemail", "isForwarded", "isReplied", "minimized", "recordStatus",
    "partyData", "cached", "removed", "callQueueName",
}  # fmt: skip


def by_leg(day: Day) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The `call` objects, with their type, of each leg of an extension in one call."""
    party = {
        due.envelope["event"]["call"]["id"]: due.envelope["event"]["call"]["partyData"]
        for due in day.dues
        if due.envelope["event"].get("call", {}).get("partyData")
    }
    posts = defaultdict(list)
    for due in day.dues:
        if call := due.envelope["event"].get("call"):
            seen = {**call, "type": due.envelope["event"]["type"], "session": due.session_id, "due": due}
            posts[party.get(call["id"], {}).get("partyId", "none"), due.envelope["login_number"]].append(seen)
    return posts


def of_kind(kind: str, posts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The postings of a type by their page load."""
    return {post["session"]: post for post in posts if post["type"] == kind}


def test_every_call_object_has_the_fields_that_are_always_there() -> None:
    """SPEC 3.1: what is required is there; start time only after the answer; no ids on init."""
    for kind in ("ring", "init", "start", "hold", "resume", "mute", "end"):
        posts = busy_day().posts(f"rc-call-{kind}-notify")
        assert posts, kind
        for _, call in posts:
            assert call.keys() >= REQUIRED
            if kind in ("start", "hold", "resume", "mute"):
                assert call["startTime"] >= call["creationTime"]
            if kind in ("ring", "init"):
                assert "startTime" not in call
            assert (call["partyData"] is None) == (kind == "init") == ("callId" not in call)
            assert ("fromNumber" in call) == (call["direction"] == "Outbound")


def test_what_is_posted_says_what_happened() -> None:
    """Start, end and their instants of each ended leg are those of the truth, on the browser's clock."""
    day = busy_day()
    posts = by_leg(day)
    for leg in day.ended:
        mine = posts[leg.party_id, leg.extension_key]
        skew = mine[0]["creationTime"] - leg.initiated_at
        starts = {post["startTime"] - skew for post in mine if "startTime" in post}
        assert starts == ({leg.answered_at} if leg.answered_at else set())
        ends = [post["endTime"] - skew for post in mine if post["type"] == "rc-call-end-notify"]
        assert min(ends, default=leg.ended_at) == leg.ended_at
        assert bool(ends) != leg.ended_by_reload
        assert all(post["due"].envelope["captured_at"] - skew >= leg.initiated_at for post in mine)


def test_each_tab_posts_the_call_and_one_the_mutes() -> None:
    """One `call.id` in all tabs; the number of ends of a tab is that of SPEC 12; mutes come from one tab only."""
    day = busy_day()
    posts = by_leg(day)
    several = 0
    for leg in day.ended:
        mine = posts[leg.party_id, leg.extension_key]
        assert len({post["id"] for post in mine}) == 1
        ends = Counter(post["session"] for post in mine if post["type"] == "rc-call-end-notify")
        assert set(ends.values()) == (set() if leg.ended_by_reload else {ENDS[leg.disposition]})
        assert len({post["session"] for post in mine if post["type"] == "rc-call-mute-notify"}) <= 1
        several += len(ends) > 1
    assert several > 100


def test_the_hold_of_a_second_call_has_a_stale_flag_and_comes_first() -> None:
    """SPEC 3.1.2: the widget's own hold is posted with isOnHold false, before the start of the other call."""
    day = busy_day()
    posts = by_leg(day)
    firsts = [leg for leg in day.ended if leg.auto_holds]
    assert len(firsts) > 10
    for leg in firsts:
        second = next(other for other in day.legs if other.answered_at == leg.holds[0][0] + 55)
        held = of_kind("rc-call-hold-notify", posts[leg.party_id, leg.extension_key])
        started = of_kind("rc-call-start-notify", posts[second.party_id, second.extension_key])
        assert held.keys() == started.keys() != set()
        for session, hold in held.items():
            assert hold["isOnHold"] is False
            assert hold["due"].envelope["sequence"] < started[session]["due"].envelope["sequence"]


def test_a_reload_in_mid_call_is_told_by_the_next_page_load_only() -> None:
    """No end is posted; the new page load says NoCall within some seconds."""
    day = busy_day()
    reloaded = [leg for leg in day.ended if leg.ended_by_reload]
    assert len(reloaded) == pytest.approx(day.counts["reloads_in_call"], abs=3)
    assert len(reloaded) > 5
    for leg in reloaded:
        told = [
            due
            for due in day.dues
            if leg.ended_at < due.at < leg.ended_at + 4_000
            and due.envelope["login_number"] == leg.extension_key
            and due.envelope["event"].get("telephonyStatus") == "NoCall"
            and due.envelope["sequence"] < 12
        ]
        assert told, leg


def test_a_page_load_posts_in_the_usual_order() -> None:
    """Logged out and nulls, region, dialer, meeting, route; then the login and the status (SPEC 6, 12)."""
    order = defaultdict(list)
    for due in busy_day().dues:
        event = due.envelope["event"]
        order[due.session_id].append((event["type"], event.get("loggedIn"), event.get("userStatus")))
    for posts in order.values():
        kinds = [kind for kind, _, _ in posts[:8]]
        assert posts[0] == ("rc-login-status-notify", False, None)
        assert posts[1] == ("rc-adapter-syncPresence", None, None)
        assert [kind.split("-")[1] for kind in kinds[2:6]] == ["region", "dialer", "meeting", "route"]
    whole = [posts for posts in order.values() if len(posts) > 8]
    assert all({posts[6][0], posts[7][0]} == {"rc-login-status-notify", "rc-adapter-syncPresence"} for posts in whole)


def test_presence_says_each_change_once_in_each_page() -> None:
    """No page posts the same status twice in a row."""
    last: dict[str, Any] = {}
    for due in busy_day().dues:
        if due.envelope["event"]["type"] == "rc-adapter-syncPresence":
            assert last.get(due.session_id) != due.envelope["event"]
            last[due.session_id] = due.envelope["event"]


def test_presence_over_two_legs_shows_the_more_urgent_one() -> None:
    """Ringing before connected before held, as the widget showed a second call (SPEC 3.5)."""
    leg = TrueLeg("k", "c", "p", Direction.INBOUND, "r", None, 0, 10, 100, Disposition.ANSWERED, ((39, 70),))
    second = replace(leg, initiated_at=20, answered_at=40, ended_at=60, holds=())
    changes = [(0, "Ringing"), (10, "CallConnected"), (20, "Ringing"), (40, "CallConnected"), (60, "OnHold")]
    assert list(presence_changes([leg, second])) == [*changes, (70, "CallConnected"), (100, "NoCall")]


def test_an_extension_is_in_one_place_at_a_time() -> None:
    """Legs of one extension do not overlap, except a call that waited and the one that was held for it."""
    legs = defaultdict(list)
    for leg in busy_day().legs:
        legs[leg.extension_key].append(leg)
    waited = 0
    for mine in legs.values():
        for before, after in pairwise(mine):
            if before.auto_holds:
                waited += 1
                assert before.initiated_at < after.initiated_at < after.ended_at < before.ended_at
            else:
                free_at = max(leg.ended_at for leg in mine[: mine.index(after)])
                assert after.initiated_at > free_at
    assert waited > 10


def test_statistics_are_those_asked_for() -> None:
    """Legs per hour, median talk, shares of outcomes and of anonymous callers, within what chance allows."""
    habits = Habits(calls_per_hour=8, talk_median_ms=60_000)
    day = a_day(habits, Crowd(extensions=400))
    answered = [leg for leg in day.legs if leg.answered_at and not leg.holds]
    talks = [leg.ended_at - (leg.answered_at or 0) for leg in answered]
    inbound = [leg for leg in day.legs if leg.is_inbound]
    assert len(day.legs) / 400 == pytest.approx(8, rel=0.1)
    assert statistics.median(talks) == pytest.approx(60_000, rel=0.1)
    assert statistics.mean(talks) > 1.2 * statistics.median(talks), "a long tail"
    rings = [(leg.answered_at or 0) - leg.initiated_at for leg in answered]
    assert statistics.mean(rings) == pytest.approx(habits.ring_mean_ms, rel=0.1)
    assert sum(leg.remote == "anonymous" for leg in inbound) / len(inbound) == pytest.approx(0.05, abs=0.025)
    shares = Counter(leg.disposition for leg in day.legs)
    assert set(shares) == set(Disposition)
    assert shares[Disposition.ANSWERED] / len(day.legs) == pytest.approx(0.77, abs=0.05)
    assert {leg.queue for leg in day.legs} >= {None, "Sales", "Support"}
    assert any(leg.remote.isdigit() and len(leg.remote) == 3 for leg in day.legs), "calls between colleagues"


def test_tabs_are_limited() -> None:
    """With one tab each nobody posts anything twice."""
    day = a_day(crowd=Crowd(extensions=30, tabs=1), minutes=15)
    assert day.counts["page_loads"] < 45
    assert len({due.session_id for due in day.dues}) <= day.counts["page_loads"]
    assert {len({due.session_id for due in dues}) for dues in day.by_dialog().values()} == {1}


@pytest.mark.parametrize("rate", [300, 2_000])
def test_a_rate_is_held_from_the_third_second_on(rate: int) -> None:
    """Every second's count is near the rate, and the mean nearer; no start-up of minutes."""
    seconds = Counter((due.at - START_MS) // 1_000 for due in a_rate(rate).dues)
    counts = [seconds[second] for second in range(3, 45)]
    assert statistics.mean(counts) == pytest.approx(rate, rel=0.02)
    assert all(count == pytest.approx(rate, rel=0.25) for count in counts)


def test_a_login_storm_comes_at_once() -> None:
    """All people log in within seconds, afresh: the status comes before the login."""
    day = a_day(*shift(Scenario.LOGIN_STORM, extensions=300, tabs=2, calls_per_hour=12), minutes=1)
    early = [due for due in day.dues if due.at < START_MS + 7_000]
    logins = [due for due in early if due.envelope["event"].get("loggedIn")]
    assert len({due.envelope["login_number"] for due in logins}) == 300
    assert all(due.envelope["event"]["isFreshLogin"] for due in logins)
    shown: set[str] = set()
    for due in early:
        if due.envelope["event"].get("loggedIn"):
            assert due.session_id in shown
        elif due.envelope["event"].get("userStatus"):
            shown.add(due.session_id)


def test_a_queue_burst_rings_at_many() -> None:
    """The rush brings far more queue calls than a steady day, several phones ringing for one call."""
    burst, steady = (
        a_day(*shift(scenario, extensions=200, tabs=1, calls_per_hour=12), minutes=10)
        for scenario in (Scenario.QUEUE_BURST, Scenario.STEADY)
    )
    queued, usual = ([leg for leg in day.legs if leg.queue] for day in (burst, steady))
    assert len(queued) > 5 * len(usual)
    assert max(Counter(leg.call_id for leg in queued).values()) == 5


def test_a_kind_that_nobody_wants_does_not_happen() -> None:
    """Weights decide: with outbound calls only there is no ring."""
    day = a_day(Habits(kinds={CallKind.OUTBOUND: 1.0}, reloaded_in_call=0), Crowd(extensions=20), minutes=20)
    assert day.posts("rc-call-init-notify")
    assert not day.posts("rc-call-ring-notify")
