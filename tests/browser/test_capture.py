"""What the collector takes from the page, and what it makes of it (CONTRACT 3)."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import OpenTab
from tests.browser.ledger import MAX_BATCH_BYTES, Ledger
from tests.browser.site import Site
from tests.browser.tabs import KEY, Tab, dialer, login, mark, ring

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def count(number: int) -> Any:
    """Return a condition: so many envelopes were taken."""
    return lambda ledger: len(ledger.envelopes) >= number


def test_an_event_becomes_an_envelope(tab: OpenTab, ledger: Ledger, site: Site) -> None:
    """Every field of CONTRACT 3 that is the collector's is there, and the event as it was posted."""
    event = ring("753038-tag", callId="753038", creationTime=1795359788343)
    opened = tab()
    opened.post([event])
    ledger.wait_for(count(1))
    (envelope,) = ledger.envelopes
    assert UUID.fullmatch(envelope["event_id"])
    assert UUID.fullmatch(envelope["session_id"])
    assert envelope["event_id"] != envelope["session_id"]
    assert 0 <= envelope["sent_at"] - envelope["captured_at"] < 5_000
    known = {
        name: envelope[name] for name in envelope if name not in ("event_id", "session_id", "captured_at", "sent_at")
    }
    assert known == {
        "envelope": 1,
        "sequence": 1,
        "login_number": None,
        "account_id": None,
        "extension_id": None,
        "page_origin": site.page,
        "widget_origin": site.widget,
        "collector": "browser-0.1.0",
        "visibility": "visible",
        "replayed": False,
        "event": {**event, "mark": opened.posted[0]},
    }


def test_a_batch_is_a_simple_request(tab: OpenTab, ledger: Ledger, site: Site) -> None:
    """No preflight, no cookies, no address of the page; at most 40 kB."""
    tab().post(dialer(150))
    ledger.wait_for(count(150))
    assert {request.method for request in ledger.requests} == {"POST"}
    for request in ledger.requests:
        assert request.headers["content-type"] == "text/plain"
        assert request.headers["origin"] == site.page
        assert "cookie" not in request.headers
        assert "referer" not in request.headers
        assert len(request.text) <= MAX_BATCH_BYTES
        assert request.batch["key"] == KEY
        assert {envelope["sent_at"] for envelope in request.batch["events"]} == {request.batch["sent_at"]}


def test_events_are_numbered_in_their_order(tab: OpenTab, ledger: Ledger) -> None:
    """One page load counts from 1 without holes; the next one begins anew under another session."""
    opened = tab()
    opened.post(dialer(60))
    opened.until("status.sent === 60")
    opened.goto()
    opened.post(dialer(5))
    ledger.wait_for(count(65))
    marks = [envelope["event"]["mark"] for envelope in ledger.envelopes]
    assert marks == opened.posted
    assert [envelope["sequence"] for envelope in ledger.envelopes] == [*range(1, 61), *range(1, 6)]
    assert len({envelope["session_id"] for envelope in ledger.envelopes}) == 2
    assert len({envelope["event_id"] for envelope in ledger.envelopes}) == 65


def test_the_login_is_remembered(tab: OpenTab, ledger: Ledger) -> None:
    """From its own event on and after a log-out; half a number names nobody; ids come with the telephony session."""
    telephony = {"id": "s-1", "accountId": "400111001", "extensionId": "400111002", "parties": [{"id": "p-1"}]}
    logout = {"type": "rc-login-status-notify", "loggedIn": False}
    opened = tab()
    opened.post(
        [
            logout,
            login("*101"),
            login(),
            login("+16505550100*"),
            {"type": "rc-telephony-session-notify", "telephonySession": telephony},
            logout,
            login("+16505550100*102"),
        ]
    )
    ledger.wait_for(count(7))
    told = [(item["login_number"], item["account_id"], item["extension_id"]) for item in ledger.envelopes]
    nobody, first = (None, None, None), ("+16505550100*101", None, None)
    known = ("+16505550100*101", "400111001", "400111002")
    assert told == [nobody, nobody, first, first, known, known, ("+16505550100*102", None, None)]


def test_only_the_widget_is_heard(tab: OpenTab, ledger: Ledger, site: Site) -> None:
    """Messages of the page itself, of another origin's frame, and of unknown shapes are none of our business."""
    opened = tab()
    page = opened.page
    page.evaluate("event => postMessage(event, '*')", ring())
    page.evaluate(
        """address => new Promise((loaded) => { const frame = document.createElement('iframe');
             frame.src = address; frame.onload = loaded; document.body.append(frame); })""",
        f"{site.widget.replace('localhost', '127.0.0.1')}/widget",
    )
    stranger = next(frame for frame in page.frames if frame.url.startswith("http://127.0.0.1") and frame.parent_frame)
    stranger.evaluate("event => post([event])", ring())
    shapes = "[null, 1, 'rc-call-ring-notify', [], {}, {type: 7}, {type: null}, {type: 'hello'}, {type: 'rc-'}]"
    opened.widget.evaluate(f"post({shapes})")
    opened.widget.evaluate(
        "post([{type: 'rc-adapter-message-response', response: {}}, {type: 'rc-adapter-pushLocale'}])"
    )
    page.wait_for_function("heard.length >= 13")
    opened.post(dialer(1))
    ledger.wait_for(count(1))
    assert ledger.marks() == {opened.posted[0]: 1}
    assert ledger.envelopes[0]["sequence"] == 1
    assert page.evaluate("errors") == []


def test_a_selector_names_the_frame(tab: OpenTab, ledger: Ledger, site: Site) -> None:
    """With data-widget-frame another frame of the same origin is not the widget."""
    opened = tab(**{"widget-frame": "#widget"})
    opened.page.evaluate(
        """address => new Promise((loaded) => { const frame = document.createElement('iframe');
             frame.src = address; frame.onload = loaded; document.body.append(frame); })""",
        f"{site.widget}/widget",
    )
    opened.page.frames[-1].evaluate("event => post([event])", mark(ring()))
    opened.post(dialer(1))
    ledger.wait_for(count(1))
    assert ledger.marks() == {opened.posted[0]: 1}


def test_what_is_no_event_is_dropped_counted_and_told(tab: OpenTab, ledger: Ledger) -> None:
    """A cycle, an abyss, a giant: each takes a number, the hook hears of it and so does the next envelope."""
    opened = tab()
    opened.widget.evaluate(
        """() => { const cycle = {type: 'rc-dialer-status-notify'}; cycle.self = cycle;
             let abyss = {}; const deep = {type: 'rc-dialer-status-notify', abyss};
             for (let depth = 0; depth < 200; depth++) abyss = abyss.next = {};
             const giant = {type: 'rc-dialer-status-notify', text: 'x', blob: 'x'.repeat(5e6)};
             post([cycle, deep, giant]); }"""
    )
    opened.post(dialer(1))
    ledger.wait_for(count(1))
    assert ledger.envelopes[0]["sequence"] == 4
    assert ledger.envelopes[0]["dropped"] == {"too_large": 3}
    assert opened.status()["dropped"] == {"too_large": 3}
    assert opened.page.evaluate("drops") == [{"reason": "too_large", "count": 1}] * 3
    assert opened.page.evaluate("errors") == []
    opened.post(dialer(1))
    ledger.wait_for(count(2))
    assert "dropped" not in ledger.envelopes[1]


def test_odd_values_become_json(tab: OpenTab, ledger: Ledger) -> None:
    """Half a surrogate pair, a big integer, not a number: what is sent is JSON that a strict parser takes."""
    opened = tab()
    opened.widget.evaluate(
        r"""post([{type: 'rc-dialer-status-notify', ready: true, half: 'a\ud800b', pair: '\ud83d\ude00',
              slash: '\\ud800', big: 10n, nan: NaN, date: new Date(0), map: new Map([[1, 2]]),
              nothing: undefined, zero: null}])"""
    )
    ledger.wait_for(count(1))
    assert b"\\ud8" not in ledger.requests[0].text.replace(b"\\\\", b"")
    assert ledger.envelopes[0]["event"] == {
        "type": "rc-dialer-status-notify",
        "ready": True,
        "half": "a\N{REPLACEMENT CHARACTER}b",
        "pair": "\N{GRINNING FACE}",
        "slash": "\\ud800",
        "nan": None,
        "date": {},
        "map": {},
        "zero": None,
    }


def test_the_hosts_listeners_are_left_alone(tab: OpenTab, ledger: Ledger) -> None:
    """The host hears all that it heard before, and cannot keep us from hearing by stopping a message."""
    opened = tab()
    opened.page.evaluate("addEventListener('message', (event) => event.stopImmediatePropagation())")
    opened.post(dialer(3))
    ledger.wait_for(count(3))
    assert opened.page.evaluate("heard") == ["rc-dialer-status-notify"] * 3


def test_a_throwing_hook_does_no_harm(tab: OpenTab, ledger: Ledger) -> None:
    """The page's hook may throw; capturing goes on and the page sees no error of ours."""
    opened = tab()
    opened.page.evaluate("() => { window.isAngry = true; }")
    opened.widget.evaluate("post([{type: 'rc-dialer-status-notify', blob: 'x'.repeat(5e6)}])")
    opened.post(dialer(1))
    ledger.wait_for(count(1))
    assert opened.page.evaluate("[drops.length, errors]") == [1, []]


def test_the_widget_is_asked_for_its_calls(tab: OpenTab, ledger: Ledger) -> None:
    """At a log-in, when its connection is back and when somebody looks again; the answer is an event like any other."""
    connected = {"type": "rc-webphone-connection-status-notify", "connectionStatus": "connectionStatus-connected"}
    lost = {"type": "rc-webphone-connection-status-notify", "connectionStatus": "connectionStatus-reconnecting"}
    opened = tab(snapshots="")
    opened.widget.evaluate("calls = [{id: 'c1', direction: 'Inbound', fromTag: 'secret'}]")
    for asked, events in enumerate(([login()], [lost, connected]), 1):
        opened.post(events)
        opened.widget.wait_for_function("count => asked.length >= count", arg=asked)
    opened.page.evaluate("() => { const now = Date.now(); Date.now = () => now + 60000; }")
    opened.page.evaluate("() => { dispatchEvent(new Event('focus')); dispatchEvent(new Event('focus')); }")
    opened.widget.wait_for_function("asked.length >= 3")
    ledger.wait_for(count(6))
    assert opened.widget.evaluate("asked") == ["rc-adapter-webphone-sessions-sync"] * 3
    answers = [item["event"] for item in ledger.envelopes if item["event"]["type"] == "rc-webphone-sessions-sync"]
    assert answers == [{"type": "rc-webphone-sessions-sync", "calls": [{"id": "c1", "direction": "Inbound"}]}] * 3


def test_a_page_under_a_strict_policy(tab: OpenTab, ledger: Ledger) -> None:
    """default-src 'none', trusted types and subresource integrity: everything works and nothing is violated."""
    opened = tab(csp="strict", sri="yes")
    opened.post(dialer(3))
    ledger.wait_for(count(3))
    assert opened.page.evaluate("violations") == []
    assert opened.status()["in_memory"] == 0


def test_a_policy_that_forbids_the_gateway_is_noticed(tab: OpenTab, ledger: Ledger) -> None:
    """The bad sample of the test above: the policy is real."""
    opened = tab(csp="strict", sri="yes", endpoint="http://127.0.0.1:9/v1/events")
    opened.page.evaluate("fetch('/collector.js').catch(() => undefined)")
    opened.page.wait_for_function("violations.length > 0")
    assert opened.page.evaluate("violations") == ["connect-src"]
    assert ledger.envelopes == []


@pytest.mark.parametrize(
    ("attributes", "said"),
    [({"key": ""}, "data-key"), ({"max-bytes": "lots"}, "maxBytes"), ({"widget-origins": "nonsense"}, "URL")],
)
def test_wrong_settings_are_said_and_harm_nobody(
    context: BrowserContext, site: Site, ledger: Ledger, attributes: dict[str, str], said: str
) -> None:
    """The console names what is wrong, nothing is captured, and the page goes on."""
    told: list[str] = []
    context.on("console", lambda message: told.append(message.text))
    opened = Tab(context, site, ledger, **attributes)
    opened.post(dialer(1))
    assert len(told) == 1
    assert told[0].startswith("widget-streams: nothing is captured:")
    assert said in told[0]
    assert opened.page.evaluate("[typeof WidgetStreams, errors.length]") == ["undefined", 0]
    assert ledger.requests == []
