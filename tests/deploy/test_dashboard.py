"""The dashboard: Grafana's shape, metrics that exist, and answers from a Prometheus that scraped real processes."""

import json
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Producer

from streams.cli.main import COMMANDS
from streams.local.embedded import EmbeddedKafka
from streams.local.ports import free_ports
from tests.deploy.catalogue import catalogue, needs, problems
from tests.deploy.operators import ROOT, debian_tool

DASHBOARD: dict[str, Any] = json.loads(
    (ROOT / "deploy" / "grafana" / "dashboards" / "widget-streams.json").read_text(encoding="utf-8")
)
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
QUERIES = {
    f"{panel['id']} {panel['title']} {one['refId']}": str(one["expr"])
    for panel in PANELS
    for one in panel.get("targets", [])
}
RATE = "30s"
WITHIN_SECONDS = 180
WRITE_KEY = "wk_for_tests_only"
UNHEARD = ("+16505550100*101", "+16505550100*102", "+16505550100*103")
"""In the directory, and nobody has the collector open."""


def written(expression: str) -> str:
    """Return a query as Grafana sends it."""
    return expression.replace("$__rate_interval", RATE)


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_asks_for_what_exists(name: str) -> None:
    """Metrics and labels are those of the code; nothing but the interval is filled in by Grafana."""
    expression = written(QUERIES[name])
    assert "$" not in expression
    service = needs(expression)
    if service and service not in COMMANDS:
        pytest.skip(f"this build has no {service}")
    assert problems(expression, catalogue()) == []


def test_panels_have_a_place_a_title_and_a_sentence() -> None:
    """No two overlap, none is wider than the grid, each says what it shows."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["targets"]
    for one, other in combinations((panel["gridPos"] for panel in PANELS), 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y


def test_the_data_source_is_the_provisioned_one() -> None:
    """Panels name it by the uid under which Grafana is given Prometheus, and the dashboard lies where it looks."""
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text(encoding="utf-8"))["datasources"]
    uids = {one["datasource"]["uid"] for panel in PANELS for one in panel.get("targets", [])}
    assert uids == {source["uid"]}
    (provider,) = yaml.safe_load((folder / "dashboards" / "dashboards.yaml").read_text(encoding="utf-8"))["providers"]
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in compose["services"]["grafana"]["volumes"]
    assert source["url"] == "http://prometheus:9090"


class Installation:
    """Kafka, two workers, a gateway, people who call, and a Prometheus that scrapes all of it."""

    def __init__(self, folder: Path, stack: ExitStack):
        """Start everything; the stack ends it."""
        self._folder, self._stack = folder, stack
        prometheus = debian_tool("prometheus")
        kafka = stack.enter_context(EmbeddedKafka())
        worker_0, worker_1, gateway, port = free_ports(4)
        self.url = f"http://127.0.0.1:{port}"
        (folder / "token.key").write_text("a key for tests only", encoding="utf-8")
        self._common = ["--bootstrap-servers", kafka.bootstrap]
        self._ours("topics", "topics", "apply", *self._common, "--partitions", "4", "--replication-factor", "1").wait(
            60
        )
        for number, at in enumerate((worker_0, worker_1)):
            self._service("worker", "--instance-id", f"worker-{number}", "--health-port", str(at))
        self._traffic(kafka.bootstrap, gateway)
        targets = {"worker": [worker_0, worker_1], "gateway": [gateway]}
        self._prometheus(prometheus, port, targets)

    def _traffic(self, bootstrap: str, gateway: int) -> None:
        """Let people call through the gateway, with losses, and put a record on the topic that is no JSON."""
        sites = self._folder / "sites.toml"
        sites.write_text(
            f'[[site]]\nname = "crm"\nwrite_key = "{WRITE_KEY}"\norigins = ["https://crm.example.com"]\n',
            encoding="utf-8",
        )
        self._service("gateway", "--gateway-sites-file", str(sites), "--gateway-port", str(gateway))
        where = ["--gateway", f"http://127.0.0.1:{gateway}", "--write-key", WRITE_KEY]
        self._ours("simulate", "simulate", *where, "--rate", "60", "--lost", "0.05", "--late", "0.05")
        producer = Producer({"bootstrap.servers": bootstrap})
        producer.produce("widget.events.v1", b"no JSON")
        for key in UNHEARD:
            row = {"account_id": "16", "extension_id": key[-3:], "login_number": key}
            producer.produce("widget.directory.v1", json.dumps(row), f"16/{key[-3:]}")
        assert producer.flush(20) == 0

    def _service(self, name: str, *arguments: str) -> None:
        key = ["--token-key-file", str(self._folder / "token.key")]
        self._ours(name, name, *self._common, *key, *arguments)

    def _ours(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        return self._start(name, sys.executable, "-m", "streams.cli.main", *arguments)

    def _start(self, name: str, *command: str) -> "subprocess.Popen[bytes]":
        log = self._stack.enter_context((self._folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(command, stdout=log, stderr=log)
        self._stack.callback(_end, process)
        return process

    def _prometheus(self, program: Path, port: int, targets: dict[str, list[int]]) -> None:
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{at}" for at in ports]}]}
            for job, ports in targets.items()
        ]
        seconds = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        rules = str(ROOT / "deploy" / "prometheus" / "rules.yml")
        config = self._folder / "prometheus.yml"
        config.write_text(yaml.safe_dump({"global": seconds, "rule_files": [rules], "scrape_configs": jobs}))
        data = self._folder / "data"
        where = [f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={data}"]
        self._start("prometheus", str(program), f"--config.file={config}", *where)

    def ask(self, path: str, **query: str) -> Any:
        """Ask Prometheus, and return its data."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            told = json.load(answer)
        assert told["status"] == "success"
        return told["data"]

    def is_answered(self, expression: str) -> bool:
        """Tell whether a query gives a number now."""
        try:
            result = self.ask("query", query=written(expression))["result"]
        except OSError:
            return False  # It is still starting.
        return any(row["value"][1] != "NaN" for row in result)

    def values(self, expression: str, label: str) -> dict[str, float]:
        """Return the numbers that a query gives now, by a label."""
        rows = self.ask("query", query=written(expression))["result"]
        return {row["metric"][label]: float(row["value"][1]) for row in rows}


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if "gateway" not in COMMANDS:
        pytest.skip("this build has no gateway")
    with ExitStack() as stack:
        yield Installation(tmp_path_factory.mktemp("installation"), stack)


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.timeout(400)
def test_every_query_returns_data(installation: Installation) -> None:
    """Each panel shows a number once real calls have become final."""
    waiting, deadline = dict(QUERIES), time.monotonic() + WITHIN_SECONDS
    while waiting:
        waiting = {name: query for name, query in waiting.items() if not installation.is_answered(query)}
        assert not waiting or time.monotonic() < deadline, f"no data for {waiting}"
        time.sleep(2)


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.timeout(400)
def test_the_panel_of_coverage_counts_the_directory(installation: Installation) -> None:
    """Those who are not heard are all that the directory lists here, and they are told apart from those who are."""
    (query,) = (query for name, query in QUERIES.items() if "Capture coverage" in name)
    wanted, deadline = {"no": len(UNHEARD), "yes": 0}, time.monotonic() + WITHIN_SECONDS
    while (found := installation.values(query, "heard")) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(2)


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.timeout(400)
def test_every_alert_is_evaluated_and_a_healthy_installation_raises_none_of_the_critical(
    installation: Installation,
) -> None:
    """A real Prometheus takes the rules as they stand; a query for nothing gives nothing, so the check can fail."""
    groups = installation.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules
    assert {rule["health"] for rule in rules} == {"ok"}
    firing = {rule["name"] for rule in rules if rule["state"] == "firing" and rule["labels"]["severity"] == "critical"}
    assert firing == set()
    assert not installation.is_answered("widgetstreams_nonsense")
