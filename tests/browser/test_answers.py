"""What the collector does with each answer of the gateway: what can heal is tried again, what cannot is told."""

import base64
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import OpenTab
from tests.browser.ledger import CLEAN, Answer, Ledger, all_of, judge, refused, taken
from tests.browser.tabs import Tab, dialer, everything, large, login

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
ROOT = Path(__file__).resolve().parents[2]


def token(extension: str, serial: int) -> str:
    """Return something of the form of a token; its signature is the gateway's business."""
    claims = {"sub": f"400111001/{extension}", "exp": 1_800_000_000 + serial, "iat": serial}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims))
    return ".".join((*parts, "signature"))


def test_refused_events_are_dropped_and_told(tab: OpenTab, ledger: Ledger) -> None:
    """The gateway names two of a batch: they are struck out and the hook hears why; the next envelope tells."""

    def answer(batch: dict[str, Any]) -> Answer:
        codes = ("BAD_ENVELOPE", "TOO_LARGE")
        named = [
            {"index": index, "code": codes[index % 2], "retry": False}
            for index, item in enumerate(batch["events"])
            if item["event"].get("bad")
        ]
        return Answer(202, {"accepted": len(batch["events"]) - len(named), "refused": named})

    ledger.answer = refused(503, "BUSY", retry=True)
    opened = tab()
    bad = [{**event, "bad": True} for event in dialer(2)]
    opened.post([*bad, *dialer(3)])
    opened.until("status.trouble === 'BUSY'")
    ledger.answer = answer
    opened.until("status.sent === 3")
    assert set(ledger.marks()) == set(opened.posted[2:])
    assert sum(len(request.batch["events"]) for request in ledger.posts() if request.answer.status == 202) == 5
    assert opened.page.evaluate("drops") == [
        {"reason": "refused", "count": 1, "code": "BAD_ENVELOPE"},
        {"reason": "refused", "count": 1, "code": "TOO_LARGE"},
    ]
    opened.post(dialer(1))
    ledger.wait_for(lambda seen: len(seen.envelopes) == 4)
    assert ledger.envelopes[-1]["dropped"] == {"refused": 2}


def test_an_event_that_may_come_later_is_kept(tab: OpenTab, ledger: Ledger) -> None:
    """`retry: true` in `refused`: the others are struck out, this one comes again after the wait."""

    def first(_: dict[str, Any]) -> Answer:
        ledger.answer = taken
        return Answer(202, {"accepted": 0, "refused": [{"index": 0, "code": "SESSION_RATE_LIMITED", "retry": True}]}, 1)

    ledger.answer = first
    opened = tab()
    opened.post(dialer(1))
    ledger.wait_for(all_of(opened.posted))
    first_try, second_try = ledger.posts()
    assert second_try.at - first_try.at >= 1.0
    assert first_try.batch["events"][0]["event_id"] == second_try.batch["events"][0]["event_id"]
    assert first_try.batch["sent_at"] < second_try.batch["sent_at"]
    assert judge(ledger, opened.posted) == CLEAN


def test_retry_after_is_kept(tab: OpenTab, ledger: Ledger) -> None:
    """No try before the gateway's time is over, not even when the page is looked at or the network comes back."""
    ledger.answer = refused(429, "RATE_LIMITED", retry=True, retry_after=3)
    opened = tab()
    opened.post(dialer(1))
    opened.until("status.trouble === 'RATE_LIMITED'")
    ledger.answer = taken
    opened.post(dialer(5))
    opened.page.evaluate("() => { dispatchEvent(new Event('online')); }")
    ledger.wait_for(all_of(opened.posted))
    tries = ledger.posts()
    assert len(tries) == 2
    assert 3.0 <= tries[1].at - tries[0].at <= 6.0


def test_waits_grow_and_differ(tab: OpenTab, ledger: Ledger) -> None:
    """Without Retry-After: at least a second, more after each failure, never the same for all tabs."""
    ledger.answer = refused(503, "BUSY", retry=True)
    opened = tab()
    opened.page.evaluate("() => { Math.random = () => 0.999; }")
    opened.post(dialer(1))
    ledger.wait_for(lambda seen: len(seen.posts()) >= 3)
    at = [request.at for request in ledger.posts()]
    waits = [after - before for before, after in pairwise(at)]
    assert [round(wait) for wait in waits] == [2, 4]


def test_a_batch_that_is_too_large_is_halved(tab: OpenTab, ledger: Ledger) -> None:
    """413: half as much each time until it passes; what is too large alone is dropped and told."""

    def answer(batch: dict[str, Any]) -> Answer:
        size = len(json.dumps(batch))
        return taken(batch) if size < 6_000 else refused(413, "BODY_TOO_LARGE", retry=False)(batch)

    ledger.answer = refused(503, "BUSY", retry=True)
    opened = tab()
    opened.post([*dialer(10), *large(9_000, 1), *dialer(10)])
    opened.until("status.trouble === 'BUSY'")
    ledger.answer = answer
    fit = opened.posted[:10] + opened.posted[11:]
    ledger.wait_for(all_of(fit))
    opened.until("status.dropped.refused === 1")
    assert judge(ledger, fit) == CLEAN
    assert opened.page.evaluate("drops") == [{"reason": "refused", "count": 1, "code": "BODY_TOO_LARGE"}]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BAD_HTTP"),
        (401, "KEY_UNKNOWN"),
        (403, "ORIGIN_NOT_ALLOWED"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
        (418, "NEW"),
    ],
)
def test_a_page_that_is_not_wanted_stops_and_keeps(tab: OpenTab, ledger: Ledger, status: int, code: str) -> None:
    """Wrong key, origin or address: one try and no more from this page; a page with better settings sends it all."""
    ledger.answer = refused(status, code, retry=False)
    opened = tab()
    opened.post(dialer(3))
    opened.until(f"status.trouble === '{code}'")
    opened.post(dialer(3))
    opened.page.evaluate("() => { dispatchEvent(new Event('online')); }")
    opened.until("status.in_memory === 0")
    tries = len(ledger.posts())
    assert tries == 1
    ledger.answer = taken
    better = tab(key="wk_better")
    ledger.wait_for(all_of(opened.posted))
    better.until("status.leads")
    assert judge(ledger, opened.posted) == CLEAN
    assert opened.status()["dropped"] == {}


@pytest.mark.parametrize("code", ["BAD_REQUEST", "UNSUPPORTED_TYPE"])
def test_a_batch_that_cannot_heal_is_dropped(tab: OpenTab, ledger: Ledger, code: str) -> None:
    """400 and 415 by the gateway's own word: not tried again, counted, told; what comes after goes on."""
    ledger.answer = refused(400, code, retry=False)
    opened = tab()
    opened.post(dialer(1))
    opened.until("status.dropped.refused === 1")
    ledger.answer = taken
    opened.post(dialer(1))
    ledger.wait_for(lambda seen: len(seen.envelopes) == 1)
    assert ledger.envelopes[0]["dropped"] == {"refused": 1}
    assert len(ledger.posts()) == 2


def test_a_batch_of_which_nothing_is_accepted(tab: OpenTab, ledger: Ledger) -> None:
    """422 names each event: all are dropped under their own codes."""

    def answer(batch: dict[str, Any]) -> Answer:
        named = [{"index": index, "code": "TOO_LARGE", "retry": False} for index in range(len(batch["events"]))]
        return Answer(422, {"accepted": 0, "refused": named, "code": "NOTHING_ACCEPTED", "retry": False})

    ledger.answer = answer
    opened = tab()
    opened.post(dialer(2))
    opened.until("status.dropped.refused === 2")
    assert {drop["code"] for drop in opened.page.evaluate("drops")} == {"TOO_LARGE"}
    assert opened.status()["in_memory"] == 0


def with_tokens(context: BrowserContext, *tokens: str) -> None:
    """Have the page give these tokens, one after the other; the last one for ever."""
    context.add_init_script(
        f"""{{ const tokens = {json.dumps(tokens)}; let config;
          Object.defineProperty(window, 'WidgetStreamsConfig', {{ configurable: true, get: () => config,
            set: (value) => {{ config = value;
              config.token = async () => tokens.length > 1 ? tokens.shift() : tokens[0]; }} }}); }}"""
    )


def test_the_token_goes_with_the_users_events(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """Every batch carries it."""
    with_tokens(context, token("101", 1))
    opened = tab()
    opened.post([login(), *dialer(5)])
    ledger.wait_for(all_of(opened.posted))
    assert {request.batch.get("token") for request in ledger.posts()} == {token("101", 1)}


def test_a_token_that_comes_late(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """A site requires one and the page is slow to give it: what was captured before goes with it afterwards."""

    def answer(batch: dict[str, Any]) -> Answer:
        return taken(batch) if "token" in batch else refused(401, "TOKEN_REQUIRED", retry=False)(batch)

    ledger.answer = answer
    context.add_init_script(
        """{ let config; Object.defineProperty(window, 'WidgetStreamsConfig', { get: () => config, set: (value) => {
             config = value; config.token = () => new Promise((resolve) => { window.give = resolve; }); } }); }"""
    )
    opened, follower = tab(), tab()
    opened.until("status.leads")
    for each in (opened, follower):
        each.post(dialer(3))
    ledger.wait_for(lambda seen: len(seen.posts()) >= 1)
    assert ledger.envelopes == []
    for each in (opened, follower):
        each.page.evaluate("given => { give(given); }", token("101", 1))
    ledger.wait_for(all_of(everything(opened, follower)))
    assert judge(ledger, everything(opened, follower)) == CLEAN


def test_an_expired_token_is_renewed(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """The page is asked for a new one and the batch goes out at once."""

    def answer(batch: dict[str, Any]) -> Answer:
        expired = batch.get("token") == token("101", 1)
        return refused(401, "TOKEN_EXPIRED", retry=False)(batch) if expired else taken(batch)

    ledger.answer = answer
    with_tokens(context, token("101", 1), token("101", 2))
    opened = tab()
    opened.post(dialer(2))
    ledger.wait_for(all_of(opened.posted))
    assert ledger.posts()[-1].batch["token"] == token("101", 2)
    assert ledger.posts()[-1].at - ledger.posts()[0].at < 1.0
    assert judge(ledger, opened.posted) == CLEAN


def test_a_bad_token_is_left_out(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """The page has no better one: events go without, unverified, rather than not at all."""

    def answer(batch: dict[str, Any]) -> Answer:
        return refused(401, "TOKEN_INVALID", retry=False)(batch) if "token" in batch else taken(batch)

    ledger.answer = answer
    with_tokens(context, token("101", 1))
    opened = tab()
    opened.post(dialer(2))
    ledger.wait_for(all_of(opened.posted))
    assert judge(ledger, opened.posted) == CLEAN


def left_behind(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> Tab:
    """Have 101 work while the gateway is down, and go; three events stay on disk."""
    with_tokens(context, token("101", 1))
    ledger.down()
    left = tab()
    left.post(dialer(3))
    left.until("status.in_memory === 0 && status.trouble === 'NO_ANSWER'")
    left.page.close()
    ledger.up()
    return left


def test_nobody_vouches_for_somebody_else(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """What 101 left in the queue is sent without the token of 102 who works at this browser now."""
    left = left_behind(tab, ledger, context)
    with_tokens(context, token("102", 1))
    opened = tab()
    opened.post(dialer(3))
    ledger.wait_for(all_of(everything(left, opened)))
    vouched = {
        envelope["event"]["mark"]: request.batch.get("token")
        for request in ledger.posts()
        for envelope in request.batch["events"]
    }
    assert {vouched[mark] for mark in left.posted} == {None}
    assert {vouched[mark] for mark in opened.posted} == {token("102", 1)}


def test_events_wait_for_the_token_that_a_site_requires(tab: OpenTab, ledger: Ledger, context: BrowserContext) -> None:
    """TOKEN_REQUIRED: 101's events stay in the queue without standing in the way of 102's, and go when 101 is back."""

    def answer(batch: dict[str, Any]) -> Answer:
        return taken(batch) if "token" in batch else refused(401, "TOKEN_REQUIRED", retry=False)(batch)

    ledger.answer = answer
    left = left_behind(tab, ledger, context)
    with_tokens(context, token("102", 1))
    other = tab()
    other.post(dialer(3))
    ledger.wait_for(all_of(other.posted))
    assert not set(left.posted) & set(ledger.marks())
    other.page.close()
    with_tokens(context, token("101", 2))
    tab()
    ledger.wait_for(all_of(left.posted))
    assert judge(ledger, everything(left, other)) == CLEAN


def test_the_queue_keeps_within_its_bytes(tab: OpenTab, ledger: Ledger) -> None:
    """The oldest go first when there is no room, and the next envelope tells how many."""
    ledger.down()
    opened = tab(**{"max-bytes": "20000"})
    opened.post(large(1_000, 40))
    opened.until("status.dropped.overflow >= 20 && status.in_memory === 0")
    ledger.up()
    opened.page.evaluate("() => { dispatchEvent(new Event('online')); }")
    ledger.wait_for(all_of(opened.posted[-10:]))
    dropped = 40 - len(ledger.envelopes)
    assert 20 <= dropped <= 30, "about 13 of them fit"
    assert opened.status()["dropped"] == {"overflow": dropped}
    assert set(ledger.marks()) == set(opened.posted[dropped:])
    assert ledger.envelopes[0]["dropped"] == {"overflow": dropped}
    assert ledger.envelopes[0]["sequence"] == dropped + 1


def test_the_queue_keeps_within_its_age(tab: OpenTab, ledger: Ledger) -> None:
    """What is too old for the gateway's other side is not sent any more."""
    ledger.down()
    opened = tab()
    opened.post(dialer(3))
    opened.until("status.trouble === 'NO_ANSWER' && status.in_memory === 0")
    opened.page.close()
    ledger.up()
    context_script = "{ const now = Date.now; Date.now = () => now() + 24 * 3600000; }"
    opened.page.context.add_init_script(context_script)
    later = tab()
    later.until("status.dropped.expired === 3")
    later.post(dialer(1))
    ledger.wait_for(lambda seen: len(seen.envelopes) == 1)
    assert set(ledger.marks()) == set(later.posted)
    assert ledger.envelopes[0]["dropped"] == {"expired": 3}


def test_nothing_before_consent(tab: OpenTab, ledger: Ledger) -> None:
    """Neither heard nor stored nor sent; after start() everything from then on."""
    opened = tab(consent="required")
    opened.post(dialer(2))
    assert opened.status()["state"] == "waiting_for_consent"
    assert opened.page.evaluate("indexedDB.databases()") == []
    opened.page.evaluate("WidgetStreams.start()")
    opened.post(dialer(2))
    ledger.wait_for(lambda seen: len(seen.envelopes) == 2)
    assert set(ledger.marks()) == set(opened.posted[2:])
    assert opened.status()["state"] == "capturing"


@pytest.mark.parametrize("discards", [False, True])
def test_switched_off_in_all_tabs(tab: OpenTab, ledger: Ledger, discards: bool) -> None:
    """stop() in one tab ends capturing in all; what waits is still sent, or forgotten when that is wanted."""
    ledger.answer = refused(503, "BUSY", retry=True, retry_after=2)
    tabs = [tab() for _ in range(3)]
    tabs[0].until("status.leads")
    for opened in tabs:
        opened.post(dialer(2))
    tabs[0].until("status.trouble === 'BUSY'")
    waiting = everything(*tabs)
    for opened in tabs:
        opened.until("status.in_memory === 0")
    tabs[1].page.evaluate(f"WidgetStreams.stop({{discard: {json.dumps(discards)}}})")
    for opened in tabs:
        opened.until("status.state === 'stopped'")
        opened.post(dialer(1))
    ledger.answer = taken
    if discards:
        assert sum(opened.status()["dropped"].get("discarded", 0) for opened in tabs) == len(waiting)
        tabs[0].page.evaluate("WidgetStreams.start()")
        tabs[0].post(dialer(1))
        ledger.wait_for(all_of(tabs[0].posted[-1:]))
        assert set(ledger.marks()) == {tabs[0].posted[-1]}
    else:
        ledger.wait_for(all_of(waiting))
        assert set(ledger.marks()) == set(waiting)


def test_a_page_that_is_not_wanted_can_be_switched_off_too(tab: OpenTab, ledger: Ledger) -> None:
    """stop() reaches tabs that send no more because their key is wrong."""
    ledger.answer = refused(401, "KEY_UNKNOWN", retry=False)
    unwanted, other = tab(), tab()
    unwanted.until("status.leads")
    unwanted.post(dialer(1))
    unwanted.until("status.trouble === 'KEY_UNKNOWN'")
    other.page.evaluate("WidgetStreams.stop()")
    unwanted.until("status.state === 'stopped'")


def test_a_name_for_every_code() -> None:
    """The collector knows every code that the gateway's page names, where that page is there."""
    page = ROOT / "docs" / "gateway.md"
    if not page.exists():
        pytest.skip("docs/gateway.md is not there")
    known = set(re.findall(r"^  ([A-Z_]+):", (ROOT / "streams" / "collector" / "src" / "verdict.ts").read_text(), re.M))
    rows = re.findall(r"^\| (4\d\d(?:, 4\d\d)?) \| (.+?) *\| false \|", page.read_text(), re.M)
    named = {code for _, codes in rows for code in re.findall(r"`([A-Z_]+)`", codes)}
    assert named
    assert named <= known
