"""A browser tab with the host page, and events to post in it."""

import itertools
from collections.abc import Iterable
from typing import Any, Final

from playwright.sync_api import BrowserContext, Frame, Page

from tests.browser.ledger import Ledger
from tests.browser.site import Site

Event = dict[str, Any]
KEY: Final = "wk_for_tests"
WAIT_MS: Final = 20_000
_numbers = itertools.count(1)


class Tab:
    """The page in one tab. It is ready when the widget is there."""

    def __init__(self, context: BrowserContext, site: Site, ledger: Ledger, **attributes: str):
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        given = {"key": KEY, "endpoint": ledger.url, "snapshots": "off", **attributes}
        self.address = site.address(**{name: value for name, value in given.items() if value})
        self._widget_origin = site.widget
        self.posted: list[str] = []
        """Marks of what was posted, in their order."""
        self.goto()

    def goto(self) -> None:
        """Load the page."""
        self.page.goto(self.address)
        self.page.frame_locator("#widget").locator("html").wait_for(state="attached")

    @property
    def widget(self) -> Frame:
        """The widget's frame."""
        return next(frame for frame in self.page.frames if frame.url.startswith(self._widget_origin))

    def post(self, events: Iterable[Event]) -> None:
        """Have the widget post events, each with a mark of its own, and wait until the page has heard them."""
        before = self.page.evaluate("heard.length")
        self.post_unheard(events)
        self.page.wait_for_function("count => heard.length >= count", arg=before + self._posted)

    def post_unheard(self, events: Iterable[Event]) -> None:
        """Have the widget post events and do not wait."""
        marked = [mark(event) for event in events]
        self.posted += [event["mark"] for event in marked]
        self._posted = len(marked)
        self.widget.evaluate("events => post(events)", marked)

    def status(self) -> dict[str, Any]:
        """Return what the collector tells of itself."""
        told: dict[str, Any] = self.page.evaluate("WidgetStreams.status()")
        return told

    def until(self, condition: str) -> None:
        """Wait until something is so of `status`, a JavaScript expression."""
        self.page.wait_for_function(f"() => {{ const status = WidgetStreams.status(); return {condition}; }}")


def everything(*tabs: Tab) -> list[str]:
    """Return the marks of all that the widget posted in these tabs."""
    return [mark for tab in tabs for mark in tab.posted]


def mark(event: Event) -> Event:
    """Return an event that can be told from all others."""
    return {**event, "mark": f"m{next(_numbers)}"}


def dialer(count: int) -> list[Event]:
    """Return so many small events."""
    return [{"type": "rc-dialer-status-notify", "ready": True} for _ in range(count)]


def login(number: str = "+16505550100*101") -> Event:
    """Return a log-in."""
    return {"type": "rc-login-status-notify", "loggedIn": True, "loginNumber": number}


def ring(call_id: str = "c1", **more: Any) -> Event:
    """Return an inbound call that rings."""
    return {"type": "rc-call-ring-notify", "call": {"id": call_id, "direction": "Inbound", **more}}


def large(size: int, count: int) -> list[Event]:
    """Return events with so many bytes each in a field that nobody knows."""
    return [{"type": "rc-dialer-status-notify", "ready": True, "padding": "x" * size} for _ in range(count)]
