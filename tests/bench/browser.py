"""From the posting of a call's end in a real browser to its committed record: page, collector, gateway, Kafka, worker.

A stand-in widget on another origin posts calls at their own pace, whatever becomes of them: open loop. The wait of a
call counts from when its end was due to be posted, so a browser that was late is not hidden.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.sync_api import sync_playwright

from streams.contracts.numbers import DEVELOPMENT_KEY
from streams.local.ports import free_ports
from tests.bench.figures import Figure, below
from tests.bench.installation import Installation
from tests.bench.latency import RecordReader
from tests.bench.processes import Program
from tests.browser.chromium import ABSENT, FLAGS, environment, executable
from tests.browser.ledger import Ledger
from tests.browser.site import Site
from tests.browser.tabs import KEY, Tab, login

CALLS: Final = 250
QUICK_CALLS: Final = 50
WARM_UP_CALLS: Final = 5
"""The first ones meet cold code, in the browser and behind it; they are played and not counted."""
CALL_MS: Final = 500
PHASES: Final = {"ring": 0, "start": 100, "hold": 200, "resume": 300, "end": 400}
"""When each is posted, ms from the beginning of its call."""
LEAD_MS: Final = 2_000
PATIENCE_SECONDS: Final = 30.0
TABS: Final = (1, 5)

Message = dict[str, Any]


def a_call(number: int, begins: int) -> list[tuple[int, Message]]:
    """Return the posts of a call with their instants, ms since the epoch."""
    call: Message = {"id": f"call{number}-tag", "callId": f"call{number}", "direction": "Inbound"}
    call |= {"from": "+14155550123", "to": "16505550100*101"}
    call |= {"partyData": {"partyId": f"p-{number:032x}-2", "sessionId": call_id(number)}}
    named = {"ring": "creationTime", "start": "startTime", "end": "endTime"}
    posts = []
    for phase, after in PHASES.items():
        if phase in named:
            call = {**call, named[phase]: begins + after}
        posts.append((begins + after, {"type": f"rc-call-{phase}-notify", "call": call}))
    return posts


def call_id(number: int) -> str:
    """Return the telephony session of a call."""
    return f"s-{number:032x}"


class BrowserToRecord:
    """One tab, then five that all hear every call, before one gateway and one worker."""

    def __init__(self, bootstrap: str, say: Callable[[str], None], *, quick: bool):
        """Use this broker and tell what is done."""
        self._bootstrap, self._say = bootstrap, say
        self._calls = WARM_UP_CALLS + (QUICK_CALLS if quick else CALLS)

    def measure(self) -> list[Figure]:
        """Return median and 99th percentile for each number of tabs."""
        figures = []
        for tabs in TABS:
            waits = self._run(tabs)
            cuts = quantiles(waits, n=100)
            name, about = "Browser to call record", f"{len(waits)} calls, {tabs} tab{'s' if tabs > 1 else ''}"
            for text, value, most in (("p50", cuts[49], 700), ("p99", cuts[98], 2_500)):
                figures.append(Figure(f"{name}, {text}, {tabs} tab{'s' if tabs > 1 else ''}", "ms", below(most), about))
                figures[-1].add(value)
            self._say(f"browser: {about}, p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, largest {max(waits):.0f} ms")
        return figures

    def _run(self, tabs: int) -> list[float]:
        if executable() is None:
            raise RuntimeError(ABSENT)
        there, site = Installation(self._bootstrap, f"browser{tabs}", replay=False), Site()
        reader = RecordReader(there)
        with there.worker() as worker, self._gateway(there, site) as endpoint:
            worker.wait_for("assignment.ready", 60)
            reader.start()
            began = self._play(site, endpoint, tabs, reader)
        reader.stop()
        site.close()
        return self._waits(began, reader)

    @contextmanager
    def _gateway(self, there: Installation, site: Site) -> Iterator[str]:
        port = free_ports(1)[0]
        with TemporaryDirectory() as folder:
            sites = Path(folder) / "sites.toml"
            sites.write_text(f'[[site]]\nname = "bench"\nwrite_key = "{KEY}"\norigins = ["{site.page}"]\n')
            arguments = [f"--bootstrap-servers={there.bootstrap}", f"--topic-prefix={there.naming.prefix}"]
            arguments += [f"--gateway-port={port}", f"--gateway-sites-file={sites}", "--gateway-notice-seconds=0"]
            secret = {"WIDGET_STREAMS_TOKEN_KEY": DEVELOPMENT_KEY.decode()}
            with Program("the gateway", "-m", "streams.cli.main", "gateway", *arguments, environment=secret) as gateway:
                gateway.wait_for("broker.connected", 60)
                yield f"http://127.0.0.1:{port}/v1/events"

    def _play(self, site: Site, endpoint: str, tabs: int, reader: RecordReader) -> int:
        """Play all calls in all tabs, wait for their records and return when the first call began."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS, env=environment())
            context = browser.new_context()
            opened = [Tab(context, site, Ledger(), endpoint=endpoint) for _ in range(tabs)]
            for tab in opened:
                tab.post([login()])
            began = round(time.time() * 1000) + LEAD_MS
            posts = [post for number in range(self._calls) for post in a_call(number, began + number * CALL_MS)]
            for tab in opened:
                # Not awaited: all tabs play at once.
                tab.widget.evaluate(PLAY, [[{"due": due, "data": data} for due, data in posts]])
            end = time.monotonic() + (LEAD_MS + self._calls * CALL_MS) / 1000 + PATIENCE_SECONDS
            while len({row["call_id"] for _, row in reader.seen}) < self._calls and time.monotonic() < end:
                opened[0].page.wait_for_timeout(100)
            browser.close()
        return began

    def _waits(self, began: int, reader: RecordReader) -> list[float]:
        first: dict[str, float] = {}
        for came, row in reader.seen:
            first.setdefault(row["call_id"], came * 1000)
        legs = {row["leg_id"] for _, row in reader.seen}
        assert len(legs) == len(first) == self._calls, f"{self._calls} calls gave {len(legs)} records"
        ends = [began + number * CALL_MS + PHASES["end"] for number in range(self._calls)]
        return [first[call_id(number)] - end for number, end in enumerate(ends)][WARM_UP_CALLS:]


PLAY: Final = """([posts]) => {
  const next = () => {
    while (posts.length && posts[0].due <= Date.now()) parent.postMessage(posts.shift().data, '*');
    if (posts.length) setTimeout(next, posts[0].due - Date.now());
  };
  next();
}"""
