"""What arrives at the gateway: repeatable, counted, stamped, and readable by the product's own reader."""

from collections import Counter, defaultdict

import orjson
import pytest

from streams.contracts.envelope import read_posting
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.domain.postings import Posting
from streams.simulate.envelopes import Due
from tests.simulate.runs import START_MS, Day, a_day, busy_day, faulty_day

KEY = TokenKey(DEVELOPMENT_KEY)


def lines(day: Day) -> list[bytes]:
    return [orjson.dumps(due.envelope) for due in day.dues]


def refused(dues: list[Due]) -> list[Posting]:
    return [posting for due in dues if (posting := read_posting(orjson.dumps(due.envelope), KEY)).rejection]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two runs with one seed agree byte for byte; another seed gives another day."""
    first, again, other = (a_day(minutes=20, seed=seed) for seed in (5, 5, 6))
    assert lines(first) == lines(again)
    assert first.legs == again.legs
    assert lines(first) != lines(other)


def test_faults_do_not_change_what_happens() -> None:
    """The legs are the same on a good network and on a bad one."""
    assert busy_day().legs == faulty_day().legs


def test_the_product_reads_every_envelope() -> None:
    """Each event passes SPEC 3.13; one that lacks what an end must have does not."""
    dues = faulty_day().dues
    assert refused(dues) == []
    spoilt = next(due for due in dues if due.envelope["event"]["type"] == "rc-call-end-notify")
    event = spoilt.envelope["event"]
    without = {**event, "call": {name: value for name, value in event["call"].items() if name != "endTime"}}
    assert len(refused([spoilt._replace(envelope={**spoilt.envelope, "event": without})])) == 1


def holes(day: Day) -> set[tuple[str, int]]:
    """Sequence numbers that are missing below the highest of their session."""
    seen = defaultdict(set)
    for due in day.dues:
        seen[due.session_id].add(due.envelope["sequence"])
    return {
        (session, number) for session, numbers in seen.items() for number in set(range(1, max(numbers) + 1)) - numbers
    }


def test_sequences_have_no_holes_but_the_planted_ones() -> None:
    """Without faults there is none; with losses each hole was planted, or its envelope is still on its way."""
    assert holes(busy_day()) == set()
    day = faulty_day()
    planted = set(day.planted.lost)
    found = holes(day)
    assert len(planted) == day.planted.counts["lost"] > 100
    assert len(found & planted) > 0.95 * len(planted), "losses at the end of a session leave no hole"
    assert len(found - planted) < 10, "late ones that had not come by the end"


def test_planted_faults_are_counted_exactly() -> None:
    """Doubled envelopes repeat id and sequence, late ones say that they are replayed; shares are as asked for."""
    day = faulty_day()
    times = Counter(due.envelope["event_id"] for due in day.dues)
    late = [due for due in day.dues if due.envelope["replayed"]]
    pending = 10
    assert 0 <= day.planted.counts["doubled"] - sum(count == 2 for count in times.values()) < pending
    assert max(times.values()) == 2
    assert 0 <= day.planted.counts["late"] - len(late) < pending
    sent = len(day.dues) + day.planted.counts["lost"] - day.planted.counts["doubled"]
    for name, share in (("lost", 0.02), ("doubled", 0.03), ("late", 0.03)):
        assert day.planted.counts[name] / sent == pytest.approx(share, rel=0.15)
    assert not busy_day().planted.counts


def test_instants_of_an_envelope_are_in_order() -> None:
    """Captured, sent, received: on true time, each is not before the one before; skews are the browser's."""
    day = busy_day()
    skews = defaultdict(set)
    for due in day.dues:
        envelope = due.envelope
        assert envelope["captured_at"] <= envelope["sent_at"]
        assert envelope["received_at"] == due.at
        skews[due.session_id].add(envelope["sent_at"] - envelope["received_at"])
        assert due.at >= START_MS
    assert all(max(seen) - min(seen) < 250 for seen in skews.values()), "one clock for each browser"
    assert len({max(seen) // 10 for seen in skews.values()}) > 20, "not one clock for all"
    assert [due.at for due in day.dues] == sorted(due.at for due in day.dues)


def test_a_page_is_heard_in_order() -> None:
    """Without faults the envelopes of a page load arrive in the order of their sequence."""
    last: dict[str, int] = {}
    for due in busy_day().dues:
        assert due.envelope["sequence"] == last.get(due.session_id, 0) + 1
        last[due.session_id] = due.envelope["sequence"]


def test_the_login_number_is_known_from_the_login_on() -> None:
    """Null before the widget posts its login, then always the same."""
    known: dict[str, str] = {}
    for due in busy_day().dues:
        event = due.envelope["event"]
        if event.get("loggedIn"):
            known[due.session_id] = event["loginNumber"]
        assert due.envelope["login_number"] == known.get(due.session_id)
        assert due.envelope["verified"] is False
    assert len(known) > 60


def test_all_numbers_are_fictitious() -> None:
    """Whatever looks like a telephone number is out of +1 aaa 555 01xx."""
    for due in busy_day().dues:
        call = due.envelope["event"].get("call", {})
        for name in ("from", "to", "fromNumber"):
            number = str(call.get(name, "anonymous")).lstrip("+").partition("*")[0]
            assert number == "anonymous" or len(number) == 3 or (len(number) == 11 and number[4:9] == "55501"), number
