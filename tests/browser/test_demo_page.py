"""The demo's page: a person opens it and sees calls captured and sent."""

import pytest
from playwright.sync_api import BrowserContext

from streams.demo.page import serve
from tests.browser.ledger import Ledger
from tests.browser.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]


def test_a_call_is_played_shown_and_sent(context: BrowserContext, site: Site, ledger: Ledger) -> None:
    """The stand-in rings, is answered, held and hung up; the page shows it and the gateway has it."""
    problems: list[str] = []
    with serve(f"{site.page}/collector.js", "wk_demo", endpoint=ledger.url) as served:
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.goto(served.url)
        phone = page.frame_locator("#rc-widget-adapter-frame")
        phone.get_by_label("Calls come by themselves").uncheck()
        for button in ("Let it ring", "Answer", "Hold", "Resume", "Hang up"):
            phone.get_by_role("button", name=button, exact=True).click()
        ledger.wait_for(lambda seen: any("endTime" in item["event"].get("call", {}) for item in seen.envelopes))
        kinds = [item["event"]["type"] for item in ledger.envelopes]
        calls = [kind for kind in kinds if kind.startswith("rc-call-")]
        assert calls == [f"rc-call-{kind}-notify" for kind in ("ring", "start", "hold", "resume", "end")]
        assert ledger.envelopes[-1]["login_number"] == "+16505550100*701"
        assert {item["page_origin"] for item in ledger.envelopes} == {served.origin}
        assert {item["widget_origin"] for item in ledger.envelopes} == {served.widget_origin}
        page.wait_for_function("count => +document.getElementById('sent').textContent >= count", arg=len(kinds))
        assert page.locator("#events tr").count() >= 5
        assert page.locator("#role").text_content() == "sends for all tabs"
    assert problems == []


def test_calls_come_by_themselves(context: BrowserContext, site: Site, ledger: Ledger) -> None:
    """Left alone, the stand-in plays calls."""
    with serve(f"{site.page}/collector.js", "wk_demo", endpoint=ledger.url) as served:
        page = context.new_page()
        page.goto(served.url)
        ledger.wait_for(lambda seen: any("ring" in item["event"]["type"] for item in seen.envelopes))
