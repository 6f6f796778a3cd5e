"""The compose file: valid by the specification's schema, and every command, flag, port and variable is ours."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.cli.main import COMMANDS
from streams.engine.options import EngineOptions
from streams.engine.producer import CLOSE_SECONDS
from streams.local.jars import KAFKA_VERSION
from streams.settings import PREFIX, load
from tests.deploy.commands import explain, settings_of
from tests.deploy.operators import ROOT, run

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
FILE: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("widget-streams:"))
DEFAULTS = load({}, environ={})
HEALTH_PORT = {"worker": 6066, "gateway": 8080, "serve": 8081}


def schema_check(path: Path) -> subprocess.CompletedProcess[str]:
    return run(Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)


def test_it_fits_the_schema_of_the_compose_specification() -> None:
    """Unknown and misplaced words are refused there."""
    told = schema_check(COMPOSE)
    assert told.returncode == 0, told.stdout


def test_the_schema_complains_of_a_bad_file(tmp_path: Path) -> None:
    """The check can fail."""
    bad = tmp_path / "compose.yaml"
    bad.write_text("services:\n  worker:\n    image: x\n    comand: [worker]\n", encoding="utf-8")
    assert "comand" in schema_check(bad).stdout


def test_there_is_what_is_promised() -> None:
    """Kafka, topics, two workers, gateway, serve, Prometheus, Grafana."""
    assert OURS == ["gateway", "serve", "topics", "worker-0", "worker-1"]
    assert set(SERVICES) - set(OURS) == {"kafka", "prometheus", "grafana"}


@pytest.mark.parametrize("name", OURS)
def test_every_command_and_variable_is_ours(name: str) -> None:
    """Parsed by the real command line, read by the real settings."""
    service = SERVICES[name]
    explain(service["command"])
    settings = settings_of(service["environment"])
    assert settings.bootstrap_servers == "kafka:9092"
    assert all(variable.startswith(PREFIX) for variable in service["environment"])


def test_a_flag_that_does_not_exist_is_found() -> None:
    """The check can fail: flags, subcommands and values."""
    import click

    for wrong in (["worker", "--instanceid", "x"], ["topics", "make"], ["topics", "apply", "--partitions", "many"]):
        with pytest.raises(click.UsageError):
            explain(wrong)


@pytest.mark.parametrize("name", sorted(HEALTH_PORT))
def test_ports_are_those_that_our_services_listen_on(name: str) -> None:
    """The default ports of the settings, in every place that names one."""
    if name not in COMMANDS:
        pytest.skip(f"this build has no command {name}")
    field = "health_port" if name == "worker" else f"{name}_port"
    assert getattr(DEFAULTS, field) == HEALTH_PORT[name]
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    (exposed,) = re.findall(r"^EXPOSE (.*)$", dockerfile, re.MULTILINE)
    assert str(HEALTH_PORT[name]) in exposed.split()


@pytest.mark.parametrize("name", ["gateway", "serve"])
def test_what_is_published_and_probed_is_the_port_inside(name: str) -> None:
    """On this machine alone; the health check asks the same port."""
    port = HEALTH_PORT[name]
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"http://127.0.0.1:{port}/healthz" in SERVICES[name]["healthcheck"]["test"][3]
    assert SERVICES[name]["environment"][f"{PREFIX}{name.upper()}_HOST"] == "0.0.0.0"


def test_nothing_is_published_beyond_this_machine() -> None:
    """There is no login in front of Prometheus and Grafana here."""
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_worker_has_a_place_of_its_own() -> None:
    """The instance id is the service's name: stable, and not used twice."""
    for name in ("worker-0", "worker-1"):
        assert SERVICES[name]["command"] == ["worker", "--instance-id", name]


@pytest.mark.parametrize("name", OURS)
def test_every_service_of_ours_is_hardened(name: str) -> None:
    """Nothing to write but /tmp in memory, no rights."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]


def test_workers_have_time_to_commit() -> None:
    """The grace is longer than a transaction and its aftermath may take."""
    longest = EngineOptions("kafka:9092", "group", "slot").transaction_timeout_seconds + CLOSE_SECONDS
    for name in ("worker-0", "worker-1"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > longest


def test_secrets_are_files_that_git_does_not_take() -> None:
    """Every file that a variable names is a secret of that service; none lies in the repository."""
    for name in OURS:
        service = SERVICES[name]
        files = {value for variable, value in service["environment"].items() if variable.endswith("_FILE")}
        assert files == {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    for secret in FILE["secrets"].values():
        path = Path(secret["file"])
        told = subprocess.run(["git", "check-ignore", "-q", DEPLOY / path], cwd=ROOT, check=False)
        assert told.returncode == 0, f"git would take {path}"


def test_kafka_is_the_one_that_is_tested_against() -> None:
    """The version of the tests' own Kafka, and topics that its single node can hold."""
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert SERVICES["topics"]["command"][-2:] == ["--replication-factor", "1"]
    copies = {name: value for name, value in SERVICES["kafka"]["environment"].items() if "REPLICATION_FACTOR" in name}
    assert set(copies.values()) == {1}


def test_the_image_is_of_this_version() -> None:
    """What compose builds and starts is what the project says it is."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"widget-streams:{version}"}


def test_prometheus_scrapes_each_service_where_it_listens() -> None:
    """Targets are services of the compose file at their health ports; the rules it loads are mounted."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    targets = {
        target: job["job_name"]
        for job in config["scrape_configs"]
        for one in job["static_configs"]
        for target in one["targets"]
    }
    running = {name for name in OURS if name != "topics"}
    assert targets == {f"{name}:{HEALTH_PORT[name.split('-')[0]]}": name.split("-")[0] for name in running}
    for rules in config["rule_files"]:
        assert f"./prometheus/{rules}:/etc/prometheus/{rules}:ro" in SERVICES["prometheus"]["volumes"]


def test_every_file_that_is_mounted_is_there() -> None:
    """Relative paths are looked up beside the compose file."""
    mounts = [
        volume for service in SERVICES.values() for volume in service.get("volumes", []) if volume.startswith("./")
    ]
    assert mounts
    for mount in mounts:
        assert (DEPLOY / mount.split(":")[0]).exists(), mount
