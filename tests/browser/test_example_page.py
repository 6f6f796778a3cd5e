"""The page in docs/examples, as it stands, under the policy that it names: what integrators paste works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Route

from streams.collector import script

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "page.html"
ADAPTER = """const frame = document.createElement('iframe');
frame.id = 'rc-widget-adapter-frame';
frame.src = 'https://apps.ringcentral.com/app.html';
document.body.append(frame);"""
WIDGET = """<script>
parent.postMessage({type: 'rc-login-status-notify', loggedIn: true, loginNumber: '+16505550100*101'}, '*');
</script>"""


def test_the_example_captures_and_sends(context: BrowserContext) -> None:
    """The vendor's origin, the gateway's address and the policy are right without any further setting."""
    html = EXAMPLE.read_text(encoding="utf-8")
    policy = re.search(r"Content-Security-Policy:\s+(.+?)\s+-->", html, re.S)
    assert policy
    batches: list[dict[str, Any]] = []
    told: list[str] = []

    def gateway(route: Route) -> None:
        batches.append(json.loads(route.request.post_data or ""))
        body = json.dumps({"accepted": len(batches[-1]["events"]), "refused": []})
        route.fulfill(status=202, body=body, headers={"access-control-allow-origin": "https://crm.example.com"})

    def file(body: bytes | str, kind: str, **headers: str) -> Any:
        named = {"content-type": kind, "access-control-allow-origin": "*", **headers}
        return lambda route: route.fulfill(status=200, body=body, headers=named)

    one_line = {"content-security-policy": " ".join(policy[1].split())}
    context.route("https://crm.example.com/**", file(html, "text/html; charset=utf-8", **one_line))
    context.route("https://events.example.com/collector.js", file(script(), "text/javascript"))
    context.route("https://apps.ringcentral.com/**/adapter.js", file(ADAPTER, "text/javascript"))
    context.route("https://apps.ringcentral.com/app.html", file(WIDGET, "text/html"))
    context.route("https://events.example.com/v1/events", gateway)
    context.on("console", lambda message: told.append(message.text))
    page = context.new_page()
    page.goto("https://crm.example.com/")
    page.wait_for_function("() => WidgetStreams.status().sent >= 1")
    envelopes = [envelope for batch in batches for envelope in batch["events"]]
    assert envelopes[0]["login_number"] == "+16505550100*101"
    assert envelopes[0]["widget_origin"] == "https://apps.ringcentral.com"
    assert {batch["key"] for batch in batches} == {"wk_your_write_key"}
    assert [text for text in told if "integrity" not in text] == []
