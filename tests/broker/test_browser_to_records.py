"""From the browser to the call record: a real page, the collector, the gateway, Kafka and a worker."""

import json
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from playwright.sync_api import sync_playwright

from streams.local.embedded import EmbeddedKafka
from tests.broker.conftest import Namespace, read_topic
from tests.broker.installation import Installation
from tests.broker.processes import until
from tests.browser.chromium import ABSENT, FLAGS, environment, executable
from tests.browser.ledger import Ledger
from tests.browser.site import Site
from tests.browser.tabs import KEY, Tab, dialer, login

gateways = pytest.importorskip("tests.broker.gateways", reason="the gateway is not part of this checkout")
pytestmark = [
    pytest.mark.broker,
    pytest.mark.browser,
    pytest.mark.skipif(executable() is None, reason=ABSENT),
]
CALLS = 12
PAUSE_SECONDS = 0.05
AWAY_SECONDS = 60.0
PHASES = ("ring", "start", "hold", "resume", "end")


def play_a_call(tabs: list[Tab], number: int) -> dict[str, int]:
    """Have all tabs post a call, phase by phase, and return its instants on the browser's clock."""
    call: dict[str, Any] = {
        "id": f"call{number}-tag",
        "callId": f"call{number}",
        "direction": "Inbound",
        "from": "+14155550123",
    }
    call |= {"to": "16505550100*101"}
    call |= {"partyData": {"partyId": f"p-{number:032x}-2", "sessionId": f"s-{number:032x}"}}
    named = {"ring": "creationTime", "start": "startTime", "end": "endTime"}
    instants: dict[str, int] = {}
    for phase in PHASES:
        time.sleep(PAUSE_SECONDS)  # the length of what is measured
        if phase in named:
            instants[named[phase]] = int(time.time() * 1000)
        for tab in tabs:
            tab.post([{"type": f"rc-call-{phase}-notify", "call": {**call, **instants}}])
    return instants


class Records:
    """The call records as a consumer sees them, and when it saw each first."""

    def __init__(self, installation: Installation):
        self.seen: dict[bytes, float] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": installation.kafka,
                "group.id": f"{installation.naming.group}-reader",
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
            }
        )
        self._consumer.subscribe([installation.topic("CallRecord")])
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ends.is_set():
            message = self._consumer.poll(0.2)
            if message is not None and message.error() is None:
                self.seen.setdefault(message.key() or b"", time.time() * 1000)

    def close(self) -> None:
        """Stop reading."""
        self._ends.set()
        self._thread.join(10)
        self._consumer.close()


@contextmanager
def a_running_system(kafka: str, namespace: Namespace, folder: Path, site: Site) -> Iterator[tuple[Installation, Any]]:
    """Run a gateway that takes events of the site's pages, and a worker."""
    installation = Installation(kafka, namespace, folder)
    (folder / "sites.toml").write_text(f'[[site]]\nname = "crm"\nwrite_key = "{KEY}"\norigins = ["{site.page}"]\n')
    with gateways.a_gateway(kafka, namespace.prefix, folder) as gateway, installation.worker():
        yield installation, gateway


@pytest.mark.parametrize("tabs", [1, 5])
def test_calls_in_the_browser_become_records(kafka: str, namespace: Namespace, tmp_path: Path, tabs: int) -> None:
    """Every call gives one record with its durations, whether one tab posts it or five do."""
    site, nobody = Site(), Ledger()
    with a_running_system(kafka, namespace, tmp_path, site) as (installation, gateway), sync_playwright() as playwright:
        records = Records(installation)
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS, env=environment())
        context = browser.new_context()
        endpoint = f"http://127.0.0.1:{gateway.port}/v1/events"
        opened = [Tab(context, site, nobody, endpoint=endpoint) for _ in range(tabs)]
        for tab in opened:
            tab.post([login()])
        calls = []
        for number in range(CALLS):
            calls.append(play_a_call(opened, number))
            until(lambda: len(records.seen) == len(calls), 60)
        waits = [seen - call["endTime"] for seen, call in zip(sorted(records.seen.values()), calls, strict=True)]
        sys.stdout.write(f"\n{tabs} tabs: median {statistics.median(waits):.0f} ms, max {max(waits):.0f} ms\n")
        records.close()
        browser.close()
    rows = sorted(newest_records(installation).values(), key=lambda row: row["call_id"])
    assert len(rows) == CALLS
    for row, call in zip(rows, calls, strict=True):
        assert row["extension_key"] == "+16505550100*101"
        assert row["disposition"] == "ANSWERED"
        assert row["ring_ms"] == call["startTime"] - call["creationTime"]
        # Skew is a fraction of a millisecond, and each instant is rounded by itself.
        assert abs(row["talk_ms"] + row["hold_ms"] - (call["endTime"] - call["startTime"])) <= 2
        assert row["hold_count"] == 1
        assert ("DUPLICATE_TABS" in row["quality"]) == (tabs > 1)
    site.close()


def test_a_gateway_killed_in_mid_call_costs_nothing(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """SIGKILL while a page sends, and another gateway on the same port: every number of the page load is in Kafka."""
    site, nobody = Site(), Ledger()
    with a_running_system(kafka, namespace, tmp_path, site) as (installation, gateway), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS, env=environment())
        tab = Tab(browser.new_context(), site, nobody, endpoint=f"http://127.0.0.1:{gateway.port}/v1/events")
        tab.post([login()])
        for number in range(20):
            tab.post(dialer(10))
            if number == 5:
                gateway.stop(signal.SIGKILL)
        tab.until("status.trouble !== '' && status.in_memory === 0")
        port = f"--gateway-port={gateway.port}"
        with gateways.a_gateway(kafka, namespace.prefix, tmp_path, port):
            tab.until("status.sent >= 201 || status.trouble === ''")
            until(lambda: len(numbers_in_kafka(installation)) >= 201, 60)
        browser.close()
    numbers = numbers_in_kafka(installation)
    assert sorted(number for _, number in numbers) == list(range(1, 202))
    assert {len(event_ids) for event_ids in numbers.values()} == {1}
    site.close()


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_a_broker_that_is_away_for_a_minute_costs_nothing(tmp_path: Path) -> None:
    """Two tabs post calls before, during and after: every number is in Kafka once, and every call is one record."""
    site, nobody = Site(), Ledger()
    with EmbeddedKafka() as broker:
        namespace = Namespace("away.", AdminClient({"bootstrap.servers": broker.bootstrap}))
        with (
            a_running_system(broker.bootstrap, namespace, tmp_path, site) as (installation, gateway),
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS, env=environment())
            context, endpoint = browser.new_context(), f"http://127.0.0.1:{gateway.port}/v1/events"
            tabs = [Tab(context, site, nobody, endpoint=endpoint) for _ in range(2)]
            for tab in tabs:
                tab.post([login()])
            calls = [play_a_call(tabs, number) for number in range(3)]
            until(lambda: len(newest_records(installation)) == 3, 60)
            broker.kill()
            back = time.monotonic() + AWAY_SECONDS
            while time.monotonic() < back:
                calls.append(play_a_call(tabs, len(calls)))
                tabs[0].page.wait_for_timeout(1_000)  # a call now and then
            assert "BROKER_UNAVAILABLE" in {tab.status()["trouble"] for tab in tabs}
            broker.restart()
            calls += [play_a_call(tabs, number) for number in range(len(calls), len(calls) + 3)]
            posted = sum(tab.status()["captured"] for tab in tabs)
            until(lambda: len(numbers_in_kafka(installation)) == posted, 120)
            assert gateway.metric("requests_total", outcome="broker_unavailable") > 0
            assert [tab.status()["dropped"] for tab in tabs] == [{}, {}]
            browser.close()
            # The worker went on or ended and is started again, as any supervisor does.
            with installation.worker("b"):
                until(lambda: len(newest_records(installation)) == len(calls), 90)
                verified = installation.command("verify")
            assert verified.code == 0, verified.text
            assert {len(event_ids) for event_ids in numbers_in_kafka(installation).values()} == {1}
            rows = installation.rows("CallRecord")
            assert len({row["call_id"] for row in rows}) == len({row["leg_id"] for row in rows}) == len(calls)
            assert len({(row["leg_id"], row["revision"]) for row in rows}) == len(rows)
            assert {row["disposition"] for row in newest_records(installation).values()} == {"ANSWERED"}
    site.close()


def numbers_in_kafka(installation: Installation) -> dict[tuple[str, int], set[str]]:
    """Return the numbers of each page load and the event ids that each came under."""
    found: dict[tuple[str, int], set[str]] = {}
    for record in read_topic(installation.kafka, installation.events):
        envelope = json.loads(record.value or b"")
        found.setdefault((envelope["session_id"], envelope["sequence"]), set()).add(envelope["event_id"])
    return found


def newest_records(installation: Installation) -> dict[str, dict[str, Any]]:
    """Return the newest revision of each call record, by leg."""
    return {row["leg_id"]: row for row in installation.rows("CallRecord")}
