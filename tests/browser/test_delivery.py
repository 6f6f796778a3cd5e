"""Nothing is lost and nothing doubled, whatever becomes of tabs, network, gateway and disk. The counts are exact.

An event may be *repeated*: sent again under the same event id and number, because its answer never came. That is
recognised behind the gateway (DECISIONS 18) and is not a double.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from tests.browser.conftest import OpenTab
from tests.browser.ledger import CLEAN, MAX_BATCH_BYTES, Answer, Judgement, Ledger, all_of, judge, refused, taken
from tests.browser.tabs import dialer, everything, large, login, ring

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
# The shortest wait that chance can give.
SHORT_WAITS: Final = "Math.random = () => 0;"
CALL = [login(), ring(), {"type": "rc-call-start-notify", "call": {"id": "c1", "direction": "Inbound"}}]
END = {"type": "rc-call-end-notify", "call": {"id": "c1", "direction": "Inbound", "endTime": 1795359788343}}


def in_order(ledger: Ledger) -> bool:
    """Tell whether each session's events first arrived in the order of their numbers."""
    seen: dict[str, list[int]] = {}
    for envelope in ledger.envelopes:
        numbers = seen.setdefault(envelope["session_id"], [])
        if envelope["sequence"] not in numbers:
            numbers.append(envelope["sequence"])
    return all(numbers == sorted(numbers) for numbers in seen.values())


def crash(page: Page) -> None:
    """Kill the process of a page, which gets no chance to say good-bye."""
    with page.expect_event("crash"), pytest.raises(PlaywrightError, match=r"ERR_ABORTED|crashed"):
        page.goto("chrome://crash")


def test_the_judge_finds_what_is_wrong(ledger: Ledger) -> None:
    """The bad sample of all tests here: a loss, a double, a repetition."""

    def envelope(event_id: str, sequence: int, mark: str) -> dict[str, Any]:
        return {"event_id": event_id, "session_id": "s", "sequence": sequence, "event": {"mark": mark}}

    ledger.envelopes += [envelope("a", 1, "one"), envelope("a", 1, "one"), envelope("b", 2, "two")]
    assert judge(ledger, ["one", "two", "three"]) == Judgement(lost=["three"], doubled=[], repeated=1)
    ledger.envelopes += [envelope("c", 3, "two"), envelope("d", 3, "four")]
    assert judge(ledger, []).doubled == ["two", "number 3 of s"]


def test_reload_in_mid_call(tab: OpenTab, ledger: Ledger) -> None:
    """Events posted right before a reload arrive, as does what the next page load posts."""
    opened = tab()
    opened.post(CALL)
    opened.page.reload()
    opened.page.frame_locator("#widget").locator("html").wait_for(state="attached")
    opened.post([END])
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted)._replace(repeated=0) == CLEAN
    assert len({envelope["session_id"] for envelope in ledger.envelopes}) == 2


@pytest.mark.parametrize("leave", ["close", "navigate"])
def test_leaving_in_mid_call(tab: OpenTab, ledger: Ledger, leave: str) -> None:
    """The last events of the last tab arrive without anybody opening the page again: by keepalive."""
    opened = tab()
    opened.until("status.leads")
    opened.post([*CALL, *dialer(20)])
    if leave == "close":
        opened.page.close()
    else:
        opened.page.goto("about:blank")
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN


def taken_after(seconds: float) -> Callable[[dict[str, Any]], Answer]:
    """Return how a slow gateway answers: its slowness is what is tested."""

    def slow(batch: dict[str, Any]) -> Answer:
        time.sleep(seconds)
        return taken(batch)

    return slow


def test_leaving_while_the_gateway_is_slow(tab: OpenTab, ledger: Ledger) -> None:
    """A request is under way and more waits: both go out in requests that outlive the page."""
    ledger.answer = taken_after(0.5)
    opened = tab()
    opened.until("status.leads")
    opened.post(dialer(1))
    opened.post(dialer(30))
    opened.page.close()
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN


def test_a_page_that_is_hidden_and_goes_on(tab: OpenTab, ledger: Ledger) -> None:
    """Hidden pages may be ended without a word: what waits goes out at once beside the slow request, and once only."""
    ledger.answer = taken_after(1.0)
    opened = tab()
    opened.until("status.leads")
    opened.post(dialer(1))
    opened.until("status.in_memory === 0")
    opened.post(dialer(10))
    opened.page.evaluate(
        """() => { Object.defineProperty(document, 'visibilityState', {value: 'hidden'});
             document.dispatchEvent(new Event('visibilitychange')); }"""
    )
    ledger.wait_for(all_of(opened.posted))
    opened.until("status.sent === 11")
    first, second = ledger.posts()
    assert second.at - first.at < 0.9
    opened.post(dialer(1))
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN


def test_the_back_button(tab: OpenTab, ledger: Ledger) -> None:
    """Kept for the back button a page gives up the lead; shown again it captures on and leads when nobody else does."""
    opened, other = tab(), tab()
    opened.until("status.leads")
    opened.page.evaluate("() => { dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true})); }")
    other.until("status.leads")
    opened.page.evaluate("() => { dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true})); }")
    other.page.close()
    opened.until("status.leads")
    opened.post(dialer(3))
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN


def test_a_long_absence(tab: OpenTab, ledger: Ledger) -> None:
    """Three thousand events wait: they arrive in their order, in full batches, within seconds."""
    ledger.down()
    opened = tab()
    opened.post(dialer(3_000))
    opened.until("status.in_memory === 0")
    began = time.monotonic()
    ledger.up()
    opened.page.evaluate("() => { dispatchEvent(new Event('online')); }")
    ledger.wait_for(all_of(opened.posted))
    assert time.monotonic() - began < 15
    assert judge(ledger, opened.posted) == CLEAN
    assert in_order(ledger)
    assert max(len(request.text) for request in ledger.posts()) <= MAX_BATCH_BYTES
    assert len(ledger.posts()) < 3_000 / 50


def test_a_backlog_larger_than_browsers_let_out_at_the_end(tab: OpenTab, ledger: Ledger) -> None:
    """200 kB wait when the tab closes: 64 KiB may go out, the rest is on disk and comes with the next visit."""
    ledger.answer = refused(503, "BUSY", retry=True)
    opened = tab()
    opened.post(large(2_000, 100))
    opened.until("status.in_memory === 0 && status.trouble === 'BUSY'")
    ledger.answer = taken
    opened.page.close()
    again = tab()
    ledger.wait_for(all_of(opened.posted))
    again.until("status.sent >= 100 || !status.leads")
    assert judge(ledger, opened.posted)._replace(repeated=0) == CLEAN
    assert in_order(ledger)


def test_the_budget_of_a_closing_page_is_kept(tab: OpenTab, ledger: Ledger) -> None:
    """Memory only, 200 kB: what fits under 64 KiB is let out, and the figure in docs/collector.md holds."""
    opened = tab()
    opened.until("status.leads")
    opened.page.evaluate("() => { IDBObjectStore.prototype.add = () => { throw new Error('full') } }")
    ledger.answer = refused(503, "BUSY", retry=True)
    opened.post(large(2_000, 100))
    opened.until("status.trouble === 'BUSY'")
    ledger.answer = taken
    opened.page.close()
    ledger.wait_for(lambda seen: len(seen.envelopes) >= 23)
    sent = [request for request in ledger.posts() if request.answer.status == 202]
    assert 50_000 <= sum(len(request.text) for request in sent) <= 64 * 1024


def test_a_crash_in_mid_call(tab: OpenTab, ledger: Ledger) -> None:
    """The gateway is down and the tab's process dies: what was on disk comes with the next visit."""
    ledger.down()
    opened = tab()
    opened.post([*CALL, *dialer(40)])
    opened.until("status.in_memory === 0")
    crash(opened.page)
    opened.page.close()
    ledger.up()
    again = tab()
    again.post([END])
    ledger.wait_for(all_of(everything(opened, again)))
    assert judge(ledger, everything(opened, again)) == CLEAN
    assert in_order(ledger)
    ages = {envelope["replayed"] for envelope in ledger.envelopes}
    assert ages <= {True, False}


def test_off_line_and_back(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """Off line for a call, with a reload of neither page nor widget; back, all of it arrives in its order."""
    opened = tab()
    opened.post(CALL)
    opened.until("status.sent === 3")
    context.set_offline(True)
    opened.post([*dialer(50), END])
    opened.until("status.trouble === 'NO_ANSWER' && status.in_memory === 0")
    assert len(ledger.envelopes) == 3
    began = time.monotonic()
    context.set_offline(False)
    ledger.wait_for(all_of(opened.posted))
    assert time.monotonic() - began < 3, "the browser said that it is on line again"
    assert judge(ledger, opened.posted) == CLEAN
    assert in_order(ledger)


def test_a_clock_that_is_set_back(tab: OpenTab, ledger: Ledger) -> None:
    """The day's clock goes back an hour during a wait: the wait is not an hour longer."""
    ledger.answer = refused(503, "BUSY", retry=True)
    opened = tab()
    opened.post(dialer(2))
    opened.until("status.trouble === 'BUSY'")
    opened.page.evaluate("() => { const now = Date.now; Date.now = () => now() - 3600000; }")
    ledger.answer = taken
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN


def test_what_lay_in_the_queue_is_marked(tab: OpenTab, ledger: Ledger) -> None:
    """Sent more than ten seconds after it was captured: replayed; the time of the try is that of the try."""
    ledger.down()
    opened = tab()
    opened.post(dialer(2))
    opened.until("status.trouble === 'NO_ANSWER'")
    opened.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600000; }")
    ledger.up()
    opened.post(dialer(1))
    ledger.wait_for(all_of(opened.posted))
    assert [envelope["replayed"] for envelope in ledger.envelopes] == [True, True, False]
    waits = [envelope["sent_at"] - envelope["captured_at"] for envelope in ledger.envelopes]
    assert all(wait >= 3_600_000 for wait in waits[:2])
    assert waits[2] < 10_000


@pytest.mark.parametrize(
    "trouble",
    [
        refused(503, "BROKER_UNAVAILABLE", retry=True, retry_after=1),
        refused(503, "DRAINING", retry=True),
        refused(429, "RATE_LIMITED", retry=True, retry_after=1),
        refused(408, "REQUEST_TIMEOUT", retry=True),
        lambda _: Answer(502, None),
        lambda _: Answer(403, None),
        lambda _: Answer(200, {"hello": "captive portal"}),
        lambda _: Answer(202, None, reads=False),
    ],
    ids=["broker", "draining", "limited", "timeout", "proxy", "firewall", "portal", "no-body"],
)
def test_a_gateway_that_says_not_now(
    tab: OpenTab, ledger: Ledger, context: BrowserContext, trouble: Callable[[dict[str, Any]], Answer]
) -> None:
    """Whatever is said and by whom: kept, tried again, taken once."""
    context.add_init_script(SHORT_WAITS)
    ledger.answer = trouble
    opened = tab()
    opened.post([*CALL, *dialer(10)])
    opened.until("status.trouble !== ''")
    tries = len(ledger.posts())
    ledger.wait_for(lambda seen: len(seen.posts()) > tries)
    ledger.envelopes.clear()
    ledger.answer = taken
    opened.post([END])
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN
    assert in_order(ledger)


def test_a_gateway_that_dies_and_comes_back(tab: OpenTab, ledger: Ledger) -> None:
    """Connections are refused for a while, with events before, meanwhile and after."""
    opened = tab()
    opened.post(CALL)
    opened.until("status.sent === 3")
    ledger.down()
    opened.post(dialer(25))
    opened.until("status.trouble === 'NO_ANSWER'")
    ledger.up()
    opened.post([END])
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN
    assert in_order(ledger)


def test_answers_that_get_lost_give_repeats_and_no_doubles(tab: OpenTab, ledger: Ledger) -> None:
    """The gateway wrote the batch and its answer never came: sent again under the same ids, no double."""
    ledger.answer = lambda _: Answer(202, None)
    opened = tab()
    opened.post(CALL)
    opened.until("status.trouble !== ''")
    ledger.answer = taken
    opened.until("status.sent === 3")
    unheard = sum(len(request.batch["events"]) for request in ledger.posts() if request.answer.body is None)
    assert unheard > 0
    assert judge(ledger, opened.posted) == Judgement(lost=[], doubled=[], repeated=unheard)


def test_storage_is_full(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """The browser's real quota is used up while the gateway is down: memory holds, and all arrives in its order."""
    opened = tab()
    opened.until("status.leads")
    ledger.down()
    session = context.new_cdp_session(opened.page)
    origin = opened.page.evaluate("location.origin")
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})
    opened.post([*CALL, *large(2_000, 30)])
    opened.until("status.in_memory >= 30")
    ledger.up()
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN
    assert in_order(ledger)
    opened.until("status.in_memory === 0")


BROKEN_STORAGE: Final = {
    "absent": "delete window.indexedDB; Object.defineProperty(window, 'indexedDB', {value: undefined});",
    "forbidden": "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };",
    "refusing": "IDBObjectStore.prototype.add = () => { throw new DOMException('no', 'QuotaExceededError'); };",
    "silent": "IDBFactory.prototype.open = () => ({});",
    "failing later": "IDBObjectStore.prototype.getAll = () => { throw new DOMException('no', 'UnknownError'); };",
}


@pytest.mark.parametrize("broken", BROKEN_STORAGE)
def test_a_browser_without_storage(tab: OpenTab, ledger: Ledger, context: BrowserContext, broken: str) -> None:
    """Private mode, policies, broken disks: events go from memory, also through a gateway that is down for a while."""
    context.add_init_script(BROKEN_STORAGE[broken])
    opened = tab()
    opened.post(CALL)
    ledger.wait_for(all_of(opened.posted))
    ledger.down()
    opened.post(dialer(10))
    opened.until("status.trouble !== ''")
    ledger.up()
    opened.post([END])
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN
    assert opened.page.evaluate("errors") == []


def test_a_disk_that_does_not_let_go(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """What cannot be deleted is not sent again and again; the next page load repeats it once."""
    context.add_init_script(
        "IDBObjectStore.prototype.delete = () => { throw new DOMException('no', 'UnknownError'); };"
    )
    opened = tab()
    opened.post(CALL)
    ledger.wait_for(all_of(opened.posted))
    opened.post([END])
    ledger.wait_for(all_of(opened.posted))
    opened.until("status.sent === 4")
    assert judge(ledger, opened.posted) == CLEAN
    opened.goto()
    opened.until("status.sent === 4")
    assert judge(ledger, opened.posted) == Judgement(lost=[], doubled=[], repeated=4)


def test_the_user_clears_the_sites_data(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """The queue is deleted under the collector: what this page captured is still sent, and writing goes on."""
    opened = tab()
    opened.until("status.leads")
    ledger.down()
    opened.post([*CALL, *dialer(10)])
    opened.until("status.in_memory === 0 && status.trouble === 'NO_ANSWER'")
    origin = opened.page.evaluate("location.origin")
    context.new_cdp_session(opened.page).send(
        "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"}
    )
    ledger.up()
    opened.post([END])
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN


def test_pages_without_locks(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """Without https browsers have no Web Locks and no randomUUID: each tab sends what is its own."""
    context.add_init_script(
        "Object.defineProperty(navigator, 'locks', {value: undefined}); crypto.randomUUID = undefined;"
    )
    tabs = [tab() for _ in range(3)]
    for opened in tabs:
        opened.post(dialer(10))
    ledger.wait_for(all_of(everything(*tabs)))
    assert judge(ledger, everything(*tabs)) == CLEAN


def test_one_tab_sends_for_all(tab: OpenTab, ledger: Ledger) -> None:
    """Five tabs capture, one leads and sends; the events of the others lie on disk until it has."""
    tabs = [tab() for _ in range(5)]
    tabs[0].until("status.leads")
    for _ in range(4):
        for opened in tabs:
            opened.post(dialer(3))
    ledger.wait_for(all_of(everything(*tabs)))
    tabs[0].until("status.sent === 60")
    assert [opened.status()["sent"] for opened in tabs] == [60, 0, 0, 0, 0]
    assert judge(ledger, everything(*tabs)) == CLEAN


def test_five_tabs_closing_in_turn(tab: OpenTab, ledger: Ledger) -> None:
    """Each time the leader goes, another tab takes over and what was posted meanwhile arrives."""
    tabs = [tab() for _ in range(5)]
    rounds: list[list[str]] = []
    for number, leaving in enumerate(tabs):
        leaving.until("status.leads")
        before = everything(*tabs)
        for opened in tabs[number:]:
            opened.post(dialer(4))
        rounds.append([mark for mark in everything(*tabs) if mark not in before])
        leaving.page.close()
    # What the last tab took over and had no time to send waits on disk for the next visit.
    tab().until("status.leads")
    ledger.wait_for(all_of(everything(*tabs)))
    assert judge(ledger, everything(*tabs))._replace(repeated=0) == CLEAN
    # A page that closes hears no more answers: each leader since the event was posted may have sent it, once.
    times, leaders = ledger.marks(), len(tabs) + 1
    for number, marks in enumerate(rounds):
        assert max(times[mark] for mark in marks) <= leaders - number


def test_a_leader_that_crashes(tab: OpenTab, ledger: Ledger) -> None:
    """The leading tab's process dies: the lock is free and the other tab sends what the dead one left."""
    ledger.answer = refused(503, "BUSY", retry=True)
    leader, follower = tab(), tab()
    leader.until("status.leads")
    leader.post(CALL)
    follower.post(dialer(5))
    leader.until("status.in_memory === 0 && status.trouble === 'BUSY'")
    crashed: list[Page] = []
    follower.page.on("crash", lambda page: crashed.append(page))
    crash(leader.page)
    ledger.answer = taken
    if crashed:
        # Browsers may give two tabs of one site one process.
        follower = tab()
    ledger.wait_for(all_of(leader.posted))
    follower.until("status.leads")
    assert judge(ledger, leader.posted) == CLEAN


def test_a_leader_that_hangs(tab: OpenTab, ledger: Ledger) -> None:
    """The leading tab's page is busy for nine seconds: the other one waits five for an answer and takes the lead."""
    leader, follower = tab(), tab()
    leader.until("status.leads")
    leader.page.evaluate("() => { setTimeout(() => { const end = Date.now() + 9000; while (Date.now() < end); }, 0); }")
    began = time.monotonic()
    follower.post([*CALL, END])
    ledger.wait_for(all_of(follower.posted))
    assert 4 < time.monotonic() - began < 8
    follower.until("status.leads")
    leader.until("!status.leads")
    leader.post([END])
    ledger.wait_for(all_of(everything(leader, follower)))
    assert judge(ledger, everything(leader, follower)) == CLEAN
