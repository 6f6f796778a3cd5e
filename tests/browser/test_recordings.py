"""Recordings of the real widget, played by the stand-in: what arrives is what was posted, envelope by envelope."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import OpenTab
from tests.browser.ledger import CLEAN, Ledger, all_of, judge
from tests.browser.tabs import Tab, everything, mark
from tests.scenarios.book import ABSENT, DOMAIN

RECORDINGS = DOMAIN / "recordings"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason=ABSENT),
]
FAST = 200.0
SILENT = {"rc-adapter-pushLocale", "rc-adapter-syncSize"}
"""What the collector leaves out, beside notifications about looks."""


OFTEN = {
    "inbound-hold-mute",
    "login-reload",
    "messages-inbound",
    "reload-in-call",
    "ringout-mode",
    "two-tabs-same-call-id",
    "two-tabs-shared-phone",
}
"""Those that differ most; the others are left to `make test-all`."""


def names() -> list[Any]:
    """Return the recordings; a placeholder where the book is absent."""
    found = sorted(path.stem for path in RECORDINGS.glob("*.jsonl")) or ["(absent)"]
    return [pytest.param(name, marks=() if name in OFTEN else pytest.mark.slow) for name in found]


def loads(path: Path) -> dict[str, list[list[dict[str, Any]]]]:
    """Return the messages of each tab, a list for each page load; the page's clock restarts with it."""
    tabs: dict[str, list[list[dict[str, Any]]]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        pages = tabs[message["tab"]]
        if not pages or message["at_ms"] < pages[-1][-1]["at_ms"]:
            pages.append([])
        pages[-1].append(message)
    return tabs


def is_taken(message: dict[str, Any]) -> bool:
    """Tell whether a message says something about calls, people or the page load."""
    kind = message["data"]["type"]
    looks = kind.startswith(("rc-brand-assets", "rc-adapter-")) and kind.endswith("-notify")
    return not looks and kind not in SILENT


def play(tab: Tab, messages: list[dict[str, Any]], speed: float) -> list[str]:
    """Play messages in a tab and return the marks of those that must arrive."""
    marked = [{**message, "data": mark(message["data"])} for message in messages]
    tab.widget.evaluate("([messages, speed]) => play(messages, speed)", [marked, speed])
    tab.page.wait_for_function("count => heard.length >= count", arg=len(marked))
    return [message["data"]["mark"] for message in marked if is_taken(message)]


def replay(opened: dict[str, Tab], path: Path, speed: float) -> None:
    """Play a recording, the tabs one after the other and the page loads of each in turn."""
    for name, pages in loads(path).items():
        for number, messages in enumerate(pages):
            if number:
                opened[name].goto()
            opened[name].posted += play(opened[name], messages, speed)


@pytest.mark.parametrize("name", names())
def test_a_recording_arrives_whole(tab: OpenTab, ledger: Ledger, name: str) -> None:
    """Nothing lost, nothing doubled, each page load numbered without holes, the login told from its event on."""
    path = RECORDINGS / f"{name}.jsonl"
    opened = {each: tab() for each in loads(path)}
    replay(opened, path, FAST)
    ledger.wait_for(all_of(everything(*opened.values())))
    assert judge(ledger, everything(*opened.values()))._replace(repeated=0) == CLEAN
    sessions: dict[str, dict[int, Any]] = defaultdict(dict)
    for envelope in ledger.envelopes:
        sessions[envelope["session_id"]][envelope["sequence"]] = envelope
    assert len(sessions) == sum(len(pages) for pages in loads(path).values())
    for numbered in sessions.values():
        assert sorted(numbered) == list(range(1, len(numbered) + 1))
        login = None
        for _, envelope in sorted(numbered.items()):
            login = envelope["event"].get("loginNumber") or login
            assert envelope["login_number"] == login
