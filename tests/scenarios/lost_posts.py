"""Calls of which a post was lost or late: what is left still tells what happened, and the records must say so.

In each of these the fold or the offline reading was once misled.
"""

from collections.abc import Callable

from tests.scenarios.calls import MINUTE, Case, a_tab

FOUR_HOURS = 4 * 60 * MINUTE


def the_colleague_answers_after_a_lost_post() -> Case:
    """The colleague, once seen, decides when the call was answered, whatever was lost before (DECISIONS 31)."""
    tab = a_tab()
    call = tab.call(direction="Outbound", remote="102")
    posts = [call.telephony("Setup", 0), call.init(100), call.start(1_300)]
    tab.lose()  # own party Answered, the colleague's phone rings
    posts += [call.telephony("Answered", 13_000, others=[(2, "Answered")]), call.end(60_000)]
    return Case(posts, {"s-1 OUTBOUND": {"ring_ms": 13_000, "talk_ms": 47_000,
                                         "quality": ["GAP", "START_WHILE_RINGING"]}})  # fmt: skip


def a_mute_after_a_lost_answer() -> Case:
    """The first Answered that came was posted for the mute: it is no late answer, the start stays (DECISIONS 31)."""
    tab = a_tab()
    call = tab.call(direction="Outbound")
    posts = [call.init(0), call.telephony("Setup", 20), call.start(19_000)]
    tab.lose()  # own party Answered
    posts += [call.telephony("Answered", 25_000, muted=True), call.mute(25_050), call.end(60_000)]
    return Case(posts, {"s-1 OUTBOUND": {"ring_ms": 19_000, "talk_ms": 41_000, "mute_ms": 34_950, "quality": ["GAP"]}})


def an_answer_that_overtakes_another_post() -> Case:
    """What seemed lost before the answer comes a moment later: nothing was lost, the answer counts (DECISIONS 31)."""
    call = a_tab().call(direction="Outbound")
    posts = [call.init(0), call.telephony("Setup", 20), call.start(10_000)]
    overtaken = call.active("CallConnected", 16_990)
    posts += [call.telephony("Answered", 17_000), {**overtaken, "received_at": overtaken["received_at"] + 50},
              call.end(60_000)]  # fmt: skip
    return Case(posts, {"s-1 OUTBOUND": {"ring_ms": 17_000, "talk_ms": 43_000, "quality": ["START_WHILE_RINGING"]}})


def a_hold_told_again_for_its_mute() -> Case:
    """B's post of a mute during the hold lags behind the resume that A tells: no second hold (SPEC 3.4)."""
    mine, other = a_tab().call(), a_tab("B").call()
    other.created = 0
    posts = [mine.telephony("Setup", 0), other.telephony("Setup", 10),
             mine.telephony("Answered", 10_000), other.telephony("Answered", 10_020),
             mine.telephony("Hold", 20_000), other.telephony("Hold", 20_020),
             mine.telephony("Hold", 32_000, muted=True), mine.telephony("Answered", 33_000, muted=True),
             other.telephony("Hold", 33_040, muted=True), other.telephony("Answered", 33_050, muted=True),
             mine.telephony("Disconnected", 60_000), other.telephony("Disconnected", 60_020)]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"hold_count": 1, "hold_ms": 13_000, "talk_ms": 37_000, "mute_ms": 28_000}})


def forwarded_and_its_first_end_is_lost() -> Case:
    """The other tab's end is the leg's first: nobody answered but in order to forward (DECISIONS 4, 11 c, 53)."""
    here, there = a_tab(), a_tab("B")
    mine, other = here.call(), there.call()
    posts = [mine.ring(0), other.ring(20), mine.telephony("Setup", 30)]
    here.lose()  # the first end here
    posts += [other.end(22_000), mine.telephony("Answered", 22_300),
              mine.end(22_600, startTime=mine.clock(22_050), isForwarded=True),
              mine.telephony("Disconnected", 22_700)]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"disposition": "FORWARDED", "ring_ms": 22_000, "total_ms": 22_000,
                                        "talk_ms": 0, "answered_at": None}})  # fmt: skip


def a_second_hold_after_a_lost_resume() -> Case:
    """Telephony tells the resume that the browser lost; the second hold is the browser's as well (DECISIONS 17)."""
    tab = a_tab()
    call = tab.call()
    posts = [call.ring(0), call.telephony("Setup", 20), call.start(5_000), call.telephony("Answered", 5_060),
             call.hold(10_000), call.telephony("Hold", 10_070), call.telephony("Answered", 20_000)]  # fmt: skip
    tab.lose()  # the browser's resume
    posts += [call.telephony("Hold", 39_900), call.hold(40_000), call.resume(50_000),
              call.telephony("Answered", 50_010), call.end(60_000)]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"hold_count": 2, "hold_ms": 20_000, "talk_ms": 35_000}})


def a_second_mute_after_a_lost_unmute() -> Case:
    """Told by both within 5 s, the second mute has the browser's instant too (DECISIONS 15)."""
    tab = a_tab()
    call = tab.call()
    posts = [call.ring(0), call.telephony("Setup", 20), call.start(5_000), call.telephony("Answered", 5_060),
             call.telephony("Answered", 10_050, muted=True), call.mute(10_000),
             call.telephony("Answered", 20_000)]  # fmt: skip
    tab.lose()  # the browser's unmute
    posts += [call.telephony("Answered", 39_900, muted=True), call.mute(40_000), call.end(60_000)]
    return Case(posts, {"s-1 INBOUND": {"mute_count": 2, "mute_ms": 30_000, "talk_ms": 55_000}})


def silence_after_a_repetition_by_another_tab() -> Case:
    """What A had told a moment before is no news when B tells it: the last news is A's (DECISIONS 18, 26)."""
    mine, other = a_tab().call(), a_tab("B").call()
    other.created = 0
    posts = [mine.active("Ringing", 0), other.active("Ringing", 30), mine.active("CallConnected", 14_000),
             other.active("CallConnected", 15_500)]  # fmt: skip
    return Case(posts, {"s-1 INBOUND": {"total_ms": 14_000, "talk_ms": 0, "end_source": "TIMEOUT"}},
                until=FOUR_HOURS + 10 * MINUTE)  # fmt: skip


CASES: dict[str, Callable[[], Case]] = {
    case.__name__: case
    for case in (
        the_colleague_answers_after_a_lost_post, a_mute_after_a_lost_answer,
        an_answer_that_overtakes_another_post, a_hold_told_again_for_its_mute,
        forwarded_and_its_first_end_is_lost, a_second_hold_after_a_lost_resume, a_second_mute_after_a_lost_unmute,
        silence_after_a_repetition_by_another_tab,
    )
}  # fmt: skip
