"""Disposition, who ended it, transfer, answer and durations (CONTRACT 6, DECISIONS 7, 15, 17, 29 to 33)."""

import pytest

from streams.domain.legs.reasons import ENDED_BY, INBOUND, OUTBOUND, VOICEMAIL
from streams.domain.words import Direction
from tests.builders import Json, Result, Tab, fold

MINUTE = 60_000


def ended(posts: list[Json], until: int = 5 * MINUTE) -> Result:
    """Fold posts and let time pass."""
    return fold(posts, until=until)


@pytest.mark.parametrize(
    ("direction", "reason", "disposition"),
    [("Inbound", reason, word) for reason, word in INBOUND.items() if reason != VOICEMAIL]
    + [("Outbound", reason, word) for reason, word in OUTBOUND.items()],
)
def test_the_reason_of_the_telephony_session_decides(direction: str, reason: str, disposition: str) -> None:
    """Every row of the table of reasons, in whatever spelling; the word itself stays verbatim."""
    call, word = Tab(delay_ms=0).call(direction=direction), reason.title()
    record = ended([call.telephony("Setup", 0), call.telephony("Disconnected", 9_000, reason=word)]).record()
    assert (record["disposition"], record["end_reason"]) == (disposition, word)
    assert record["ended_by"] == ENDED_BY[Direction(direction.upper())].get(reason, "UNKNOWN")
    assert (record["ring_ms"], record["talk_ms"]) == (9_000, 0)


@pytest.mark.parametrize(("flag", "disposition"), [("isToVoicemail", "VOICEMAIL"), ("isReplied", "REPLIED")])
def test_flags_decide_where_no_reason_is_told(flag: str, disposition: str) -> None:
    """The second end of a dialog often brings the flag that the first lacks (SPEC 12, DECISIONS 4)."""
    call = Tab(delay_ms=0).call()
    record = ended([call.ring(0), call.end(4_000), call.end(4_007, **{flag: True})]).record()
    assert (record["disposition"], record["ended_by"], record["ring_ms"]) == (disposition, "SELF", 4_000)


def test_a_reason_beats_a_flag() -> None:
    """Telephony reasons decide when present (CONTRACT 6)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.telephony("Setup", 50), call.end(4_000, isToVoicemail=True),
             call.telephony("Disconnected", 4_100, reason="Rejected")]  # fmt: skip
    assert ended(posts).record()["disposition"] == "REJECTED"


def test_rejected_and_then_in_the_mailbox_stays_rejected() -> None:
    """What the person did counts, not what became of the caller (DECISIONS 29)."""
    call = Tab(delay_ms=0).call()
    posts = [call.telephony("Setup", 0), call.telephony("VoiceMail", 5_000, reason="Rejected"),
             call.telephony("Disconnected", 25_000)]  # fmt: skip
    assert ended(posts).record()["disposition"] == "REJECTED"


@pytest.mark.parametrize("code", ["VoiceMail", "Voicemail", "VMScreening", "FaxReceive"])
def test_the_mailbox_is_the_end(code: str) -> None:
    """The leg ends the moment the call goes to the mailbox; the rest is the caller's (DECISIONS 29)."""
    call = Tab(delay_ms=0).call()
    posts = [call.telephony("Proceeding", 0), call.telephony(code, 15_000, missedCall=True),
             call.telephony("Disconnected", 50_000, missedCall=True)]  # fmt: skip
    record = ended(posts).record()
    assert (record["disposition"], record["total_ms"]) == ("VOICEMAIL", 15_000)


def test_another_device_of_the_person_is_answered() -> None:
    """Answered on the desk phone is ANSWERED, not ANSWERED_ELSEWHERE (DECISIONS 30)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.telephony("Setup", 50), call.telephony("Answered", 5_000), call.end(5_200),
             call.telephony("Disconnected", 20_000)]  # fmt: skip
    record = ended(posts).record()
    assert (record["disposition"], record["talk_ms"]) == ("ANSWERED", 15_000)


@pytest.mark.parametrize(
    ("status", "events"),
    [("CallConnected", ["ANSWERED", "ENDED"]), ("OnHold", ["HELD", "ENDED"]), ("ParkedCall", ["PARKED", "ENDED"])],
)
def test_first_seen_in_the_middle_of_a_call(status: str, events: list[str]) -> None:
    """The server's start is the answer, the ring is unknown, nothing is made up before (DECISIONS 7)."""
    call = Tab(delay_ms=0).call()
    call.created = 0
    result = ended([call.active(status, 30_000), call.active("NoCall", 90_000)])
    record = result.record()
    assert (record["ring_ms"], record["quality"], record["total_ms"]) == (None, ["INFERRED_ANSWER"], 90_000)
    assert record["talk_ms"] + record["hold_ms"] + record["park_ms"] == 90_000
    assert result.told() == events


def test_a_start_without_a_ring_tells_the_ring() -> None:
    """The creationTime to startTime is the ring all the same (DECISIONS 7)."""
    call = Tab(delay_ms=0).call()
    call.created = 0
    record = ended([call.start(7_000), call.end(20_000)]).record()
    assert (record["ring_ms"], record["talk_ms"], record["quality"]) == (7_000, 13_000, [])


def test_a_start_that_was_no_answer() -> None:
    """Start while the other side rings, and then a reason of no answer: UNANSWERED, talk 0 (DECISIONS 31)."""
    call = Tab(delay_ms=0).call(direction="Outbound", remote="102")
    posts = [call.init(0), call.telephony("Setup", 100), call.start(2_000),
             call.telephony("Answered", 2_100, others=[(2, "Proceeding")]), call.end(30_000),
             call.telephony("Disconnected", 30_100, reason="NoAnswer", others=[(2, "Proceeding")])]  # fmt: skip
    record = ended(posts).record()
    assert (record["disposition"], record["talk_ms"], record["ring_ms"]) == ("UNANSWERED", 0, 30_000)
    assert record["quality"] == ["START_WHILE_RINGING"]


def test_an_answer_within_two_seconds_stays_the_browsers() -> None:
    """Pushes lag: within 2 s the web phone's instant stands (DECISIONS 31)."""
    call = Tab(delay_ms=0).call(direction="Outbound")
    posts = [call.init(0), call.telephony("Setup", 100), call.start(5_000), call.telephony("Answered", 6_900),
             call.end(20_000)]  # fmt: skip
    record = ended(posts).record()
    assert (record["talk_ms"], record["quality"]) == (15_000, [])


def test_an_active_call_never_corrects_the_answer() -> None:
    """Only the telephony session does (DECISIONS 31)."""
    call = Tab(delay_ms=0).call(direction="Outbound")
    posts = [call.init(0), call.active("Ringing", 100), call.start(5_000), call.active("CallConnected", 12_000),
             call.end(20_000)]  # fmt: skip
    assert ended(posts).record()["talk_ms"] == 15_000


def test_the_other_side_decides_when_a_desk_phone_dials() -> None:
    """The caller's party is answered before the other side is: it still rings."""
    call = Tab(delay_ms=0).call(direction="Outbound", remote="102")
    posts = [call.telephony("Setup", 0), call.telephony("Answered", 1_000, others=[(2, "Proceeding")]),
             call.telephony("Answered", 8_000, others=[(2, "Answered")]),
             call.telephony("Disconnected", 20_000, others=[(2, "Answered")])]  # fmt: skip
    record = ended(posts).record()
    assert (record["ring_ms"], record["talk_ms"]) == (8_000, 12_000)


def test_warm_transfer_without_a_web_phone() -> None:
    """Own party Gone with AttendedTransfer and a peer is the leg that was handed over (DECISIONS 32)."""
    call = Tab(delay_ms=0).call()
    posts = [call.telephony("Setup", 0), call.telephony("Answered", 3_000), call.telephony("Hold", 10_000)]
    gone = call.telephony("Gone", 30_000, reason="AttendedTransfer")
    gone["event"]["telephonySession"]["parties"][0]["status"]["peerId"] = {"partyId": "p-9-2", "sessionId": "s-9"}
    result = ended([*posts, gone])
    assert result.record()["transfer"] == "WARM"
    assert result.told()[-2:] == ["TRANSFERRED", "ENDED"]


def test_a_given_up_consultation_is_no_transfer() -> None:
    """Neither leg was handed on when the person went back to the customer (DECISIONS 32)."""
    tab = Tab(delay_ms=0)
    customer, colleague = tab.call(1), tab.call(2, direction="Outbound", remote="102")
    names = {"warmTransferSessionId": "dialog-A-1"}
    posts = [customer.ring(0), customer.start(2_000), customer.hold(10_000),
             colleague.says("init", 10_100, partyData=None, **names), colleague.says("start", 12_000, **names),
             colleague.end(20_000, isOnTransfer=True, **names), customer.resume(21_000),
             customer.end(40_000)]  # fmt: skip
    assert [record["transfer"] for record in ended(posts).last("CallRecord")] == ["NONE", "NONE"]


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (["ParkedCall"], {"transfer": "PARK", "park_ms": 0}),
        (["ParkedCall", "CallConnected"], {"transfer": "NONE", "park_ms": 10_000}),
        (["OnHold"], {"transfer": "NONE", "hold_count": 1, "hold_ms": 0}),
        (["OnHold", "CallConnected"], {"hold_count": 1, "hold_ms": 10_000}),
    ],
)
def test_the_last_news_counts_though_it_is_the_end_of_a_timeout(last: list[str], told: Json) -> None:
    """Nobody tells the end: it is put at the last news, and what that told happened (DECISIONS 26, 32)."""
    call = Tab(delay_ms=0).call()
    posts = [call.active("Ringing", 0), call.active("CallConnected", 5_000)]
    posts += [call.active(status, 20_000 + 10_000 * place) for place, status in enumerate(last)]
    record = ended(posts, until=5 * 60 * MINUTE).record()
    assert record["end_source"] == "TIMEOUT"
    assert {name: record[name] for name in told} == told


def test_parked_and_never_fetched_back_is_park() -> None:
    """CallPark ends the leg with PARK, without a TRANSFERRED (DECISIONS 32, 59)."""
    call = Tab(delay_ms=0).call()
    posts = [call.telephony("Setup", 0), call.telephony("Answered", 2_000),
             call.telephony("Disconnected", 20_000, reason="CallPark")]  # fmt: skip
    result = ended(posts)
    assert result.record()["transfer"] == "PARK"
    assert "TRANSFERRED" not in result.told()


def test_a_hold_told_by_two_witnesses_is_one_with_the_browsers_instants() -> None:
    """The same change within 5 s is one, whoever was first (DECISIONS 17)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.telephony("Setup", 10), call.start(2_000), call.telephony("Answered", 2_100),
             call.telephony("Hold", 9_900), call.hold(10_000), call.resume(20_000), call.telephony("Answered", 20_400),
             call.end(40_000)]  # fmt: skip
    record = ended(posts).record()
    assert (record["hold_count"], record["hold_ms"], record["talk_ms"]) == (1, 10_000, 28_000)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3), (1, 2, 0, 3)])
def test_a_mute_right_after_a_hold_is_no_resume(order: tuple[int, ...]) -> None:
    """The telephony session tells mute and hold after the browser told them; posts may overtake each other."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    begun = [call.ring(0), call.telephony("Setup", 10), call.start(2_000), call.telephony("Answered", 2_100)]
    posts = [call.hold(10_000), call.telephony("Answered", 10_020, muted=True),
             call.telephony("Hold", 10_030, muted=True), call.end(40_000)]  # fmt: skip
    record = ended([*begun, *(posts[place] for place in order)]).record()
    assert (record["hold_count"], record["hold_ms"], record["mute_count"]) == (1, 30_000, 1)


def test_a_mute_that_only_the_telephony_session_tells_counts() -> None:
    """Own party's `muted`; told by both within 5 s it is one (DECISIONS 15)."""
    call = Tab(delay_ms=0).call()
    posts = [call.ring(0), call.telephony("Setup", 10), call.start(2_000), call.telephony("Answered", 2_100),
             call.telephony("Answered", 5_000, muted=True), call.telephony("Answered", 9_000),
             call.mute(20_000), call.telephony("Answered", 20_300, muted=True), call.mute(24_000, on=False),
             call.telephony("Answered", 24_200), call.end(40_000)]  # fmt: skip
    result = ended(posts)
    record = result.record()
    assert (record["mute_count"], record["mute_ms"]) == (2, 8_000)
    assert [word for word in result.told() if "MUTED" in word] == ["MUTED", "UNMUTED", "MUTED", "UNMUTED"]


def test_the_calling_mode_is_the_widgets() -> None:
    """What rc-calling-settings-notify said last stands in the record, an equal one repeats (DECISIONS 20)."""
    tab = Tab(delay_ms=0)
    settings = {"callWith": "browser", "callingMode": "webphone"}
    call = tab.call()
    posts = [tab.say("rc-calling-settings-notify", 0, **settings), tab.say("rc-calling-settings-notify", 5, **settings),
             call.ring(100), call.end(4_000)]  # fmt: skip
    result = ended(posts)
    assert result.record()["calling_mode"] == "webphone"
    assert (result.summary["accepted"], result.summary["duplicate"]) == (3, 1)


def test_absurd_instants_are_not_believed() -> None:
    """A stale creationTime makes no ring of years: the post's own time stands in (DECISIONS 56)."""
    call = Tab(delay_ms=0).call()
    ring = call.says("ring", 1_000, creationTime=1_000)
    record = ended([ring, call.end(9_000)]).record()
    assert (record["ring_ms"], record["total_ms"]) == (8_000, 8_000)


def test_who_sees_a_leg_on_hold_first_does_not_say_when_it_was_answered() -> None:
    """The telephony session lost the answer; the active call has it, though it ranks lower (DECISIONS 3)."""
    tab = Tab(delay_ms=0)
    call = tab.call()
    posts = [call.telephony("Setup", 0), call.active("Ringing", 10)]
    tab.lose()
    posts += [call.active("CallConnected", 10_300), call.telephony("Hold", 20_000), call.active("OnHold", 20_100),
              call.telephony("Answered", 30_000), call.telephony("Disconnected", 60_000)]  # fmt: skip
    record = ended(posts).record()
    assert (record["ring_ms"], record["talk_ms"], record["hold_ms"]) == (10_300, 39_700, 10_000)


def test_held_is_the_answer_where_nobody_tells_it() -> None:
    """No later than that it was answered."""
    call = Tab(delay_ms=0).call()
    posts = [call.telephony("Setup", 0), call.telephony("Hold", 20_000), call.telephony("Disconnected", 60_000)]
    assert (ended(posts).record()["ring_ms"], ended(posts).record()["hold_ms"]) == (20_000, 40_000)


def test_a_call_taken_over_from_the_desk_phone_was_answered_there() -> None:
    """The browser's start comes a minute after the answer that the active call told: another fact (DECISIONS 3, 8)."""
    call = Tab(delay_ms=0).call()
    posts = [call.active("Ringing", 0), call.active("CallConnected", 5_000)]
    call.created = 65_000
    posts += [call.start(65_000), call.end(90_000), call.active("NoCall", 90_300, startTime=posts[0]["captured_at"])]
    record = ended(posts).record()
    assert (record["ring_ms"], record["talk_ms"]) == (5_000, 85_000)


@pytest.mark.parametrize(("lost", "talk_ms"), [(False, 30_000), (True, 38_000)])
def test_a_resume_whose_answer_was_lost_is_no_late_answer(lost: bool, talk_ms: int) -> None:
    """Answered seconds after the browser's start corrects it, unless it may be a resume (DECISIONS 31)."""
    tab = Tab(delay_ms=0)
    call = tab.call(direction="Outbound")
    posts = [call.init(0), call.telephony("Setup", 30), call.start(2_000)]
    if lost:
        tab.lose(2)
    posts += [call.telephony("Answered", 10_000), call.end(40_000)]
    record = ended(posts).record()
    assert (record["talk_ms"], "START_WHILE_RINGING" in record["quality"]) == (talk_ms, not lost)
