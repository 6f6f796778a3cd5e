"""Calls as page loads post them, and what the records must say: read off SPEC, CONTRACT 6 and DECISIONS by hand.

Every instant is milliseconds after T0; each page load's posts arrive at once where nothing else is said.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.builders import HOUR, Json, Tab

MINUTE = 60_000
COLLEAGUE = "+16505550100*102"


@dataclass(frozen=True)
class Case:
    """Posts in order of arrival; by call id and direction, and extension where it is not the first, what is told."""

    posts: list[Json]
    legs: dict[str, Json]
    until: int = 10 * MINUTE
    told: list[str] = field(default_factory=list)
    """The types of the call events; empty where they are not what the case is about."""


def a_tab(name: str = "A", **about: object) -> Tab:
    """Return a page load whose posts arrive at once."""
    return Tab(name, **{"delay_ms": 0, **about})  # type: ignore[arg-type]


def conference() -> Case:
    """Two talks become one: both legs end, the conference's own leg is first seen connected (DECISIONS 7, SPEC 2)."""
    tab = a_tab()
    first, second = tab.call(1), tab.call(2, direction="Outbound", remote="+14155550177")
    meeting = tab.call(3, direction="Outbound", remote="conference", created=60_000)
    posts = [first.ring(0), first.start(4_000), first.hold(30_000), second.init(31_000), second.start(40_000),
             first.telephony("Gone", 60_000, reason="Conference"), first.end(60_050),
             second.end(60_060), meeting.active("CallConnected", 60_200, sessionId="0"),
             meeting.active("NoCall", 120_000, sessionId="0")]  # fmt: skip
    return Case(posts, {
        "s-1 INBOUND": {"ring_ms": 4_000, "hold_ms": 30_050, "talk_ms": 26_000, "end_source": "WEB_PHONE"},
        "s-2 OUTBOUND": {"ring_ms": 9_000, "talk_ms": 20_060, "transfer": "NONE"},
        "s-3 OUTBOUND": {"ring_ms": None, "talk_ms": 60_000, "quality": ["INFERRED_ANSWER"]},
    })  # fmt: skip


def park_fetched_by_a_colleague() -> Case:
    """Parked here, fetched there: this leg ended parked, the colleague has a leg of their own (DECISIONS 32)."""
    here, there = a_tab(), a_tab("B", login=COLLEAGUE)
    mine, theirs = here.call(1), there.call(2, direction="Outbound", remote="*55")
    posts = [mine.ring(0), mine.start(5_000), mine.telephony("Parked", 30_000), mine.end(30_040),
             theirs.init(48_000), theirs.start(50_000), mine.active("NoCall", 50_000), theirs.end(90_000)]  # fmt: skip
    return Case(posts, {
        "s-1 INBOUND": {"talk_ms": 25_000, "park_ms": 20_000, "transfer": "PARK", "end_source": "ACTIVE_CALL"},
        "s-2 OUTBOUND 102": {"talk_ms": 40_000, "ring_ms": 2_000, "transfer": "NONE"},
    }, told=["RANG", "ANSWERED", "PARKED", "DIALED", "ANSWERED", "ENDED", "ENDED"])  # fmt: skip


def consultation_that_nobody_answers() -> Case:
    """The colleague does not answer, the customer is taken back: nothing was handed over (DECISIONS 32)."""
    tab = a_tab()
    customer, colleague = tab.call(1), tab.call(2, direction="Outbound", remote="103")
    names = {"warmTransferSessionId": "dialog-A-1"}
    posts = [customer.ring(0), customer.start(2_000), customer.hold(10_000),
             colleague.says("init", 10_100, partyData=None, **names), colleague.telephony("Setup", 10_150),
             colleague.telephony("Disconnected", 30_000, reason="NoAnswer"), colleague.end(30_050, **names),
             customer.resume(31_000), customer.end(60_000)]  # fmt: skip
    return Case(posts, {
        "s-1 INBOUND": {"hold_ms": 21_000, "talk_ms": 37_000, "transfer": "NONE"},
        "s-2 OUTBOUND": {"disposition": "UNANSWERED", "talk_ms": 0, "transfer": "NONE", "ended_by": "SYSTEM"},
    })  # fmt: skip


def flip_to_the_mobile() -> Case:
    """The browser leaves, the extension goes on as another party: one leg, FLIP (DECISIONS 8, 11 a, 32)."""
    call = a_tab().call()
    posts = [call.ring(0), call.telephony("Setup", 20), call.start(3_000), call.telephony("Answered", 3_050),
             call.telephony("Disconnected", 20_000, reason="CallFlip"),
             call.telephony("Answered", 20_020, id="p-1-3"), call.end(20_300, isOnFlip=True),
             call.telephony("Disconnected", 60_000, id="p-1-3")]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"talk_ms": 57_000, "transfer": "FLIP", "end_source": "TELEPHONY_SESSION"}},
                told=["RANG", "ANSWERED", "TRANSFERRED", "ENDED"])  # fmt: skip


def ringout_whose_ends_are_missing() -> Case:
    """Ring from the first dial, answer of the customer's side, end by presence (DECISIONS 8, 24)."""
    tab = a_tab()
    own, customer = tab.call(1), tab.call(2, direction="Outbound")
    posts = [own.active("Ringing", 0, kind="ringout", sessionId="500000"),
             own.active("CallConnected", 4_000, kind="ringout", sessionId="500000"),
             customer.active("Ringing", 4_500, kind="ringout", sessionId="501000"),
             customer.active("CallConnected", 12_000, kind="ringout", sessionId="501000"),
             tab.presence(60_000)]  # fmt: skip
    return Case(posts, {"s-2 OUTBOUND": {"ring_ms": 12_000, "talk_ms": 48_000, "end_source": "PRESENCE",
                                         "quality": ["INFERRED_END", "MERGED"], "ended_by": "UNKNOWN"}})  # fmt: skip


def self_call() -> Case:
    """One session, two directions: two legs (DECISIONS 8)."""
    tab = a_tab()
    out, back = tab.call(1, direction="Outbound", remote="101"), tab.call(1, remote="101")
    posts = [out.active("Ringing", 0), back.active("Ringing", 100), out.active("CallConnected", 5_000),
             back.active("CallConnected", 5_050), back.active("NoCall", 30_000),
             out.active("NoCall", 30_100)]  # fmt: skip
    return Case(posts, {"s-1 OUTBOUND": {"ring_ms": 5_000, "talk_ms": 25_100},
                        "s-1 INBOUND": {"ring_ms": 4_950, "talk_ms": 24_950}})  # fmt: skip


def two_browsers_and_a_mobile() -> Case:
    """Both browsers ring, the mobile answers: the browsers' ends end their own part only (DECISIONS 11 c, 30)."""
    one, two = a_tab(), a_tab("B", skew_ms=7_000)
    posts: list[Json] = []
    for tab in (one, two):
        call = tab.call()
        posts += [call.active("Ringing", 0), call.ring(100), call.active("CallConnected", 8_000), call.end(8_100),
                  call.active("NoCall", 60_000)]  # fmt: skip
    posts.sort(key=lambda post: post["received_at"])
    return Case(posts, {"s-1 INBOUND": {"disposition": "ANSWERED", "ring_ms": 8_000, "talk_ms": 52_000,
                                        "quality": ["DUPLICATE_TABS"]}},
                told=["RANG", "ANSWERED", "ENDED"])  # fmt: skip


def reload_while_it_rings() -> Case:
    """The page that rang is gone, the next one sees it ring and answers (SPEC 12, DECISIONS 3)."""
    before, after = a_tab(), a_tab("B")
    old, new = before.call(), after.call(created=5_900, dialog="dialog-new")
    posts = [before.logs_in(0), old.ring(1_000), after.logs_in(5_500), new.ring(5_900), new.start(11_000),
             new.end(40_000)]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"ring_ms": 5_100, "talk_ms": 29_000, "total_ms": 34_100}},
                told=["RANG", "ANSWERED", "ENDED"])  # fmt: skip


def a_wrong_clock_and_a_late_batch() -> Case:
    """Ten minutes fast and off line for an hour: differences on one clock are exact (DECISIONS 2, 6)."""
    tab = a_tab(skew_ms=600_000, delay_ms=40)
    call = tab.call()
    kept = [call.ring(0), call.start(6_000), call.hold(20_000), call.resume(25_000), call.end(50_000)]
    posts = [{**post, "sent_at": post["sent_at"] + HOUR, "received_at": post["received_at"] + HOUR} for post in kept]
    # What was queued was sent an hour later: captured then, sent now.
    return Case(posts, {"s-1 INBOUND": {"ring_ms": 6_000, "talk_ms": 39_000, "hold_ms": 5_000,
                                        "quality": ["SKEW_HIGH"]}}, until=2 * HOUR)  # fmt: skip


def queue_call_that_a_colleague_takes() -> Case:
    """Offered to two, answered by one: two legs of one call (DECISIONS 29, 30, 33)."""
    here, there = a_tab(), a_tab("B", login=COLLEAGUE)
    mine, theirs = here.call(), there.call()
    posts = [mine.ring(0), mine.telephony("Setup", 20, queueCall=True), theirs.ring(30), theirs.start(9_000),
             mine.telephony("Disconnected", 9_100, reason="AgentAnswered", queueCall=True), mine.end(9_150),
             theirs.end(70_000)]  # fmt: skip
    return Case(posts, {
        "s-1 INBOUND": {"disposition": "ANSWERED_ELSEWHERE", "ended_by": "SYSTEM", "ring_ms": 9_150,
                        "queue_call": True},
        "s-1 INBOUND 102": {"disposition": "ANSWERED", "ring_ms": 8_970, "talk_ms": 61_000},
    })  # fmt: skip


def a_ring_and_then_silence() -> Case:
    """Nobody knows how it went; silence is no ring either (DECISIONS 26)."""
    call = a_tab().call()
    return Case([call.active("Ringing", 0)], {"s-1 INBOUND": {
        "disposition": "UNKNOWN", "end_source": "TIMEOUT", "ring_ms": 0, "quality": ["INFERRED_END"]}},
        until=5 * HOUR)  # fmt: skip


def a_leftover_end() -> Case:
    """A finished call that is still listed is no call (DECISIONS 20)."""
    return Case([a_tab().call().active("NoCall", 1_000)], {}, told=[])


def reopened_in_the_middle() -> Case:
    """Presence lost a call and has it back, on hold: one leg, the first end does not count (DECISIONS 4, 12 a)."""
    call = a_tab().call()
    posts = [call.active("Ringing", 0), call.active("CallConnected", 5_000), call.active("NoCall", 20_000),
             call.active("OnHold", 25_000), call.active("CallConnected", 30_000),
             call.active("NoCall", 50_000)]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"ring_ms": 5_000, "talk_ms": 40_000, "hold_ms": 5_000, "hold_count": 1}},
                told=["RANG", "ANSWERED", "ENDED", "REOPENED", "HELD", "RESUMED", "ENDED"])  # fmt: skip


def amended_after_it_was_final() -> Case:
    """Closed by presence; ten minutes later the real end comes (DECISIONS 24, 27)."""
    tab = a_tab()
    call = tab.call()
    posts = [call.ring(0), call.start(5_000), tab.presence(60_000)]
    end = call.end(58_000)
    posts.append({**end, "received_at": end["received_at"] + 10 * MINUTE, "sent_at": end["sent_at"] + 10 * MINUTE})
    return Case(posts, {"s-1 INBOUND": {"talk_ms": 53_000, "end_source": "WEB_PHONE", "quality": ["LATE_AMENDED"]}},
                until=20 * MINUTE, told=["RANG", "ANSWERED", "ENDED"])  # fmt: skip


def held_twice_by_two_witnesses() -> Case:
    """The platform tells each hold half a second later: two holds, the browser's instants (DECISIONS 17, 18)."""
    call = a_tab().call()
    posts = [call.ring(0), call.start(2_000), call.telephony("Answered", 2_300), call.hold(10_000),
             call.telephony("Hold", 10_500), call.resume(13_000), call.telephony("Answered", 13_500), call.hold(16_000),
             call.telephony("Hold", 16_500), call.resume(19_000), call.telephony("Answered", 19_500),
             call.end(40_000)]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"hold_count": 2, "hold_ms": 6_000, "talk_ms": 32_000}})


def log_out_in_the_middle() -> Case:
    """The only page load logs out: what is open is over (DECISIONS 24, 25)."""
    tab = a_tab()
    call = tab.call()
    posts = [tab.logs_in(0), call.ring(1_000), call.start(5_000), tab.logs_out(45_000), tab.route(60_000)]
    return Case(posts, {"s-1 INBOUND": {"talk_ms": 40_000, "end_source": "LOGOUT", "quality": ["INFERRED_END"]}})


def blind_transfer_without_its_flag() -> Case:
    """The browser clears the flag before it posts the end; only telephony tells (SPEC 12, DECISIONS 32, 33)."""
    call = a_tab().call()
    posts = [call.ring(0), call.telephony("Setup", 20), call.start(4_000), call.telephony("Answered", 4_100),
             call.end(30_000), call.end(30_500),
             call.telephony("Disconnected", 30_700, reason="BlindTransfer")]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"transfer": "BLIND", "ended_by": "SELF", "talk_ms": 26_000}})


def the_consulted_colleague_takes_it() -> Case:
    """The leg that the consultation names is the one handed over, it alone (DECISIONS 32)."""
    tab = a_tab()
    customer, colleague = tab.call(1), tab.call(2, direction="Outbound", remote="103")
    names = {"warmTransferSessionId": "dialog-A-1"}
    posts = [customer.ring(0), customer.start(2_000), customer.hold(10_000, isOnTransfer=True),
             colleague.says("init", 10_100, partyData=None, **names), colleague.says("start", 14_000, **names),
             customer.end(30_000, isOnTransfer=True), colleague.end(30_020, isOnTransfer=True, **names)]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"transfer": "WARM", "hold_ms": 20_000, "talk_ms": 8_000},
                        "s-2 OUTBOUND": {"transfer": "NONE", "ended_by": "SELF"}})  # fmt: skip


CASES: dict[str, Callable[[], Case]] = {
    case.__name__: case
    for case in (
        conference, park_fetched_by_a_colleague, consultation_that_nobody_answers, flip_to_the_mobile,
        ringout_whose_ends_are_missing, self_call, two_browsers_and_a_mobile, reload_while_it_rings,
        a_wrong_clock_and_a_late_batch, queue_call_that_a_colleague_takes, a_ring_and_then_silence, a_leftover_end,
        reopened_in_the_middle, amended_after_it_was_final, held_twice_by_two_witnesses, log_out_in_the_middle,
        blind_transfer_without_its_flag, the_consulted_colleague_takes_it,
    )
}  # fmt: skip
