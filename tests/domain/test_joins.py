"""What is one leg, whoever tells of it (SPEC 2, DECISIONS 8 to 10)."""

from typing import cast

from streams.domain.extension import Book, Extension
from streams.domain.finding import _recent
from streams.domain.legs.evidence import Kind, Leg
from streams.domain.words import State
from tests.builders import HOUR, LOGIN, Json, Result, Tab, a_leg, a_sighting, fold

MINUTE = 60_000


def ended(posts: list[Json], until: int = 5 * MINUTE) -> Result:
    """Fold posts and let time pass."""
    return fold(posts, until=until)


def test_four_witnesses_are_one_leg() -> None:
    """Web phone, telephony session, active call and ringout of one call make one record."""
    call = Tab(delay_ms=0).call()
    posts = [
        call.ring(0), call.telephony("Setup", 60), call.active("Ringing", 200, kind="ringout"),
        call.active("Ringing", 202), call.start(5_000), call.telephony("Answered", 5_100),
        call.active("CallConnected", 5_300), call.end(20_000), call.telephony("Disconnected", 20_100),
        call.active("NoCall", 20_300),
    ]  # fmt: skip
    record = ended(posts).record()
    assert record["witnesses"] == ["WEB_PHONE", "TELEPHONY_SESSION", "ACTIVE_CALL", "RINGOUT"]
    assert (record["ring_ms"], record["talk_ms"], record["end_source"]) == (5_000, 15_000, "WEB_PHONE")
    assert record["session_ids"] == ["710000", "s-1"]


def test_a_self_call_is_two_legs() -> None:
    """Calling oneself: one session, an outbound and an inbound leg (SPEC 2)."""
    tab = Tab(delay_ms=0)
    out, back = tab.call(direction="Outbound", remote="101"), tab.call(remote="101")
    posts = [out.active("Ringing", 0), back.active("Ringing", 10), back.active("CallConnected", 4_000),
             out.active("CallConnected", 4_010), out.active("NoCall", 9_000), back.active("NoCall", 9_010)]  # fmt: skip
    records = ended(posts).last("CallRecord")
    assert sorted(record["direction"] for record in records) == ["INBOUND", "OUTBOUND"]
    assert {record["call_id"] for record in records} == {"s-1"}


def test_a_self_call_in_one_telephony_session_is_two_legs() -> None:
    """Both parties of a telephony session may be the extension's own."""
    call = Tab(delay_ms=0).call(direction="Outbound", remote="101")

    def posted(at: int, outgoing: str, incoming: str) -> Json:
        envelope = call.telephony(outgoing, at, others=[(2, incoming)])
        envelope["event"]["telephonySession"]["parties"][1]["extensionId"] = "1016"
        return envelope

    posts = [posted(0, "Setup", "Setup"), posted(5_000, "Answered", "Answered"),
             posted(9_000, "Disconnected", "Disconnected")]  # fmt: skip
    records = ended(posts).last("CallRecord")
    assert [record["talk_ms"] for record in records] == [4_000, 4_000]


def test_an_init_joins_what_the_server_tells_first() -> None:
    """Number, direction and time join an init with an open outbound leg (DECISIONS 9)."""
    call = Tab(delay_ms=0).call(direction="Outbound")
    call.created = 0
    posts = [call.active("Ringing", 150), call.init(180), call.end(4_000), call.active("NoCall", 4_200)]
    result = ended(posts)
    assert result.told() == ["DIALED", "ENDED"]
    assert result.record()["witnesses"] == ["WEB_PHONE", "ACTIVE_CALL"]


def test_pushes_that_lag_behind_a_quick_hang_up_find_the_ended_leg() -> None:
    """When no leg is open, an ended one that fits by number and time is joined (DECISIONS 9, SPEC 12)."""
    call = Tab(delay_ms=0).call(direction="Outbound")
    call.party = False
    posts = [call.init(0), call.end(900), call.active("Ringing", 1_100), call.active("NoCall", 1_200)]
    result = ended(posts)
    assert result.told() == ["DIALED", "ENDED"]
    assert result.record()["call_id"] == "s-1"


class Shelf:
    """The legs of one extension; it remembers which were looked at."""

    def __init__(self, extension: Extension):
        """Hold whatever leg is asked for."""
        self.extension = extension
        self.looked: list[str] = []

    def look(self, leg_id: str) -> Leg:
        """Return a leg of that id."""
        self.looked.append(leg_id)
        return a_leg(leg_id=leg_id)


def test_legs_that_began_at_another_time_are_not_opened() -> None:
    """Somebody who calls all day has a long list of them; of an older state only the leg knows when it began."""
    sighting = a_sighting(Kind.RANG, 60_000)
    now = sighting.at.at
    begun = {"before": now - 5_001, "near": now - 5_000, "after": now + 5_001, "unknown": None, "open": now}
    shelf = Shelf(Extension(LOGIN, open_legs={"open": State.RINGING}, ended=begun))
    assert [leg.leg_id for leg in _recent(cast(Book, shelf), sighting)] == ["open", "near", "unknown"]
    assert shelf.looked == ["open", "near", "unknown"]


def test_two_calls_to_one_number_are_not_joined_by_guess() -> None:
    """With two candidates nothing is guessed; the ids of start then merge what is one (DECISIONS 9, 10)."""
    tab = Tab(delay_ms=0)
    first, second = (tab.call(number, direction="Outbound") for number in (1, 2))
    posts = [first.init(0), second.init(1_000), first.active("Ringing", 1_500), first.start(3_000),
             second.start(4_000), first.end(9_000), second.end(9_500), first.active("NoCall", 9_600)]  # fmt: skip
    result = ended(posts)
    records = {record["call_id"]: record for record in result.last("CallRecord")}
    assert set(records) == {"s-1", "s-2"}
    assert "MERGED" in records["s-1"]["quality"]
    assert records["s-1"]["witnesses"] == ["WEB_PHONE", "ACTIVE_CALL"]
    assert result.last("ActiveCall") == []


def test_a_wrong_guess_is_undone_by_the_ids() -> None:
    """A dialog that was joined by number and time moves to the leg that its ids name."""
    tab = Tab(delay_ms=0)
    browser, desk = tab.call(1, direction="Outbound"), tab.call(2, direction="Outbound")
    posts = [browser.init(0), desk.active("Ringing", 500), browser.start(4_000), desk.active("CallConnected", 5_000),
             browser.end(9_000), desk.active("NoCall", 20_000)]  # fmt: skip
    records = {record["call_id"]: record for record in ended(posts).last("CallRecord")}
    assert {call: record["witnesses"] for call, record in records.items()} == {
        "s-1": ["WEB_PHONE"],
        "s-2": ["ACTIVE_CALL"],
    }
    assert (records["s-1"]["talk_ms"], records["s-2"]["talk_ms"]) == (5_000, 15_000)


def test_legs_that_prove_to_be_one_leave_a_tombstone() -> None:
    """The leg with the telephony id stays, the other is withdrawn (DECISIONS 10)."""
    call = Tab(delay_ms=0).call(direction="Outbound", remote="anonymous")
    posts = [call.init(0), call.active("Ringing", 100), call.start(3_000), call.end(9_000)]
    result = ended(posts)
    assert result.record()["quality"] == ["MERGED"]
    assert len({row.key for row in result.rows if row.record == "ActiveCall"}) == 2
    assert result.last("ActiveCall") == []


def test_a_page_load_that_knew_a_leg_by_another_name_still_shows_what_it_lost() -> None:
    """Its leg went into another one; what it loses before the end is that one's gap (DECISIONS 10, 28)."""
    tab, other = Tab("A"), Tab("B")
    mine, theirs = (each.call(direction="Outbound", dialog="forked") for each in (tab, other))
    posts = [theirs.init(0), mine.active("Ringing", 6_000, to={}), mine.start(8_000)]
    other.lose()
    posts += [other.route(9_000), mine.end(20_000)]
    assert "GAP" in ended(posts).record()["quality"]


def ringout(inbound_first: bool) -> Result:
    """Fold a RingOut: the own phone is called, then the customer."""
    tab = Tab(delay_ms=0)
    own, customer = tab.call(1), tab.call(2, direction="Outbound")
    ids = {"sessionId": "720000"}
    begin = [customer.active("Ringing", 0, kind="ringout", **ids),
             own.active("Ringing", 20, kind="ringout", sessionId="721000")]  # fmt: skip
    posts = [*(reversed(begin) if inbound_first else begin),
             own.active("CallConnected", 5_000, kind="ringout", sessionId="721000"),
             customer.active("CallConnected", 12_000, kind="ringout", **ids),
             customer.active("NoCall", 60_000, kind="ringout", **ids),
             own.active("NoCall", 60_050, kind="ringout", sessionId="721000")]  # fmt: skip
    return ended(posts)


def test_a_post_that_merges_two_legs_may_come_after_a_loss() -> None:
    """Number and ids come with the start, and something was lost before it: one leg, one record, flagged GAP."""
    tab = Tab()
    call = tab.call(direction="Outbound")
    posts = [call.init(0), call.active("Ringing", 6_000, to={})]
    tab.lose()
    posts += [call.start(8_000), call.end(20_000)]
    result = ended(posts)
    assert result.summary["dead_letters"] == {}
    assert "GAP" in result.record()["quality"]
    assert result.last("ActiveCall") == []


def test_a_leg_that_a_ringout_took_in_after_a_loss_is_gone() -> None:
    """The inbound side was told first and went; what the page load lost does not bring it back."""
    tab = Tab()
    inbound, outbound = tab.call(number=2), tab.call(direction="Outbound")
    posts = [inbound.active("Ringing", 0, kind="ringout", sessionId="711000")]
    tab.lose()
    posts.append(outbound.active("Ringing", 500, kind="ringout", sessionId="710000"))
    posts += [outbound.active("NoCall", 9_000, kind="ringout", sessionId="710000"), tab.presence(9_500)]
    result = ended(posts, 5 * HOUR)
    assert result.summary["dead_letters"] == {}
    assert len(result.last("CallRecord")) == 1
    assert result.last("ActiveCall") == []


def test_the_two_sides_of_a_ringout_are_one_outbound_leg() -> None:
    """Ring from the first dial, answer and end of the customer's side, whichever side is told first (DECISIONS 8)."""
    for inbound_first in (False, True):
        record = ringout(inbound_first).record()
        assert (record["direction"], record["ring_ms"], record["talk_ms"]) == ("OUTBOUND", 12_000, 48_000)
        assert record["call_id"] == "s-2"
        assert ("MERGED" in record["quality"]) is inbound_first


def test_two_calls_whose_numbers_happen_to_be_near_stay_two() -> None:
    """Session ids that differ by 1000 pair only what is RingOut or has the same other side."""
    tab = Tab(delay_ms=0)
    one, other = tab.call(1), tab.call(2, direction="Outbound", remote="+14155550199")
    posts = [one.active("Ringing", 0, sessionId="721000"), other.active("Ringing", 20, sessionId="720000")]
    assert len(ended(posts, until=5 * 3_600_000).last("CallRecord")) == 2


def test_session_zero_is_no_key() -> None:
    """Two conferences have session id 0 and stay two legs (SPEC 2)."""
    tab = Tab(delay_ms=0)
    posts = []
    for number in (1, 2):
        call = tab.call(number, direction="Outbound", remote="conference")
        posts += [call.active("CallConnected", number * 1_000, sessionId="0"),
                  call.active("NoCall", number * 20_000, sessionId="0")]  # fmt: skip
    records = ended(posts).last("CallRecord")
    assert {record["call_id"] for record in records} == {"s-1", "s-2"}
    assert {record["remote"]["kind"] for record in records} == {"CONFERENCE"}


def test_a_new_own_party_after_a_flip_continues_the_leg() -> None:
    """The extension goes on as another party of the same session (DECISIONS 8)."""
    call = Tab(delay_ms=0).call()
    first, second = {"id": "p-1-1"}, {"id": "p-1-5"}
    posts = [call.telephony("Setup", 0, **first), call.telephony("Answered", 4_000, **first),
             call.telephony("Disconnected", 30_000, reason="CallFlip", **first),
             call.telephony("Answered", 30_500, **second),
             call.telephony("Disconnected", 50_000, **second)]  # fmt: skip
    result = ended(posts)
    record = result.record()
    assert (record["talk_ms"], record["transfer"], record["disposition"]) == (46_000, "FLIP", "ANSWERED")
    assert result.told() == ["RANG", "ANSWERED", "TRANSFERRED", "ENDED"]


def test_colleagues_have_a_leg_each_of_one_call() -> None:
    """Two extensions, two legs, one call id."""
    caller = Tab("A", delay_ms=0).call(direction="Outbound", remote="102")
    callee = Tab("B", delay_ms=0, login=LOGIN.replace("*101", "*102")).call(remote="101")
    posts = [caller.init(0), callee.ring(300), callee.start(4_000), caller.start(4_050), caller.end(9_000),
             callee.end(9_010)]  # fmt: skip
    records = ended(posts).last("CallRecord")
    assert len(records) == 2
    assert {record["call_id"] for record in records} == {"s-1"}
