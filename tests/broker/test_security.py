"""Login and encryption against a real Kafka: every client of ours gets in, and none without them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from streams.local.embedded import EmbeddedKafka
from streams.local.ports import free_ports, is_free
from tests.broker.conftest import read_topic
from tests.broker.gateways import SITES, WRITE_KEY
from tests.certificates import Files, write_certificates

pytestmark = pytest.mark.broker

PASSWORD = "correct horse battery staple"
USER = "widget-streams"
ENRICHED = "secured.enriched-events.v1"


class Secured(NamedTuple):
    """A broker with four doors: plain (for the test), login over TLS, certificate over TLS, login without TLS."""

    plain: str
    login: dict[str, str]
    certificate: dict[str, str]
    bare: dict[str, str]
    folder: Path


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    files = write_certificates(folder)
    port, login, certificate, bare = _ports()
    with EmbeddedKafka(port=port, properties=_properties(files, port, login, certificate, bare)) as kafka:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        upserted = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())])
        upserted[USER].result(20)
        password, token = folder / "password", folder / "token.key"
        password.write_text(PASSWORD + "\n", encoding="utf-8")
        token.write_text("a key for tests only", encoding="utf-8")
        names = {"TOKEN_KEY_FILE": str(token), "TOPIC_PREFIX": "secured."}
        common = names | {"SSL_CA_FILE": str(files.ca)}
        yield Secured(
            kafka.bootstrap,
            {
                **common,
                "BOOTSTRAP_SERVERS": f"127.0.0.1:{login}",
                "SECURITY_PROTOCOL": "SASL_SSL",
                "SASL_USERNAME": USER,
                "SASL_PASSWORD_FILE": str(password),
            },
            {
                **common,
                "BOOTSTRAP_SERVERS": f"127.0.0.1:{certificate}",
                "SECURITY_PROTOCOL": "SSL",
                "SSL_CERT_FILE": str(files.client_cert),
                "SSL_KEY_FILE": str(files.client_key),
            },
            {
                **names,
                "BOOTSTRAP_SERVERS": f"127.0.0.1:{bare}",
                "SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "SASL_MECHANISM": "PLAIN",
                "SASL_USERNAME": "bare",
                "SASL_PASSWORD": PASSWORD,
            },
            folder,
        )


def _ports() -> list[int]:
    """Return a port whose next one is free too, for broker and controller, and three others."""
    while True:
        ports = free_ports(4)
        if is_free(ports[0] + 1) and ports[0] + 1 not in ports:
            return ports


def _properties(files: Files, port: int, login: int, certificate: int, bare: int) -> dict[str, str]:
    doors = {"PLAINTEXT": port, "LOGIN": login, "CERTIFICATE": certificate, "BARE": bare}
    return {
        "listeners": ",".join(f"{name}://127.0.0.1:{at}" for name, at in {**doors, "CONTROLLER": port + 1}.items()),
        "advertised.listeners": ",".join(f"{name}://127.0.0.1:{at}" for name, at in doors.items()),
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL,CERTIFICATE:SSL,BARE:SASL_PLAINTEXT"
        ),
        "listener.name.bare.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.bare.plain.sasl.jaas.config": (
            f'org.apache.kafka.common.security.plain.PlainLoginModule required user_bare="{PASSWORD}";'
        ),
        "listener.name.login.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.login.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.certificate.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": files.broker.as_posix(),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": files.ca.as_posix(),
    }


def run(settings: dict[str, str], *arguments: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams.cli.main", *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def environment(settings: dict[str, str]) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("WIDGET_STREAMS_")}
    return others | {f"WIDGET_STREAMS_{name}": value for name, value in settings.items()}


@pytest.mark.slow
def test_every_client_of_ours_logs_in_over_tls(secured: Secured) -> None:
    """Topics are made, events sent and posted, folded by a worker and verified, with user and password over TLS."""
    assert _apply(secured.login) == 0
    sent = run(secured.login, "simulate", "--events", "200", "--rate", "200", "--extensions", "10")
    assert sent.returncode == 0, sent.stderr
    _through_a_gateway(secured)
    log = _work(secured, secured.login, after=0)
    verified = run(secured.login, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "0 lost, 0 doubled" in verified.stdout
    assert PASSWORD not in log


@pytest.mark.parametrize("door", ["certificate", "bare"])
def test_other_doors_let_in(secured: Secured, door: str) -> None:
    """A client certificate instead of a password; a password without TLS: for the worker's clients too."""
    settings: dict[str, str] = getattr(secured, door)
    assert _apply(settings) == 0
    before = len(read_topic(secured.plain, ENRICHED))
    _work(secured, settings, after=before)


def _apply(settings: dict[str, str]) -> int:
    return run(settings, "topics", "apply", "--partitions", "2", "--replication-factor", "1").returncode


def _through_a_gateway(secured: Secured) -> None:
    """Run a gateway with the login, and post events to it."""
    sites = secured.folder / "sites.toml"
    sites.write_text(SITES, encoding="utf-8")
    settings = secured.login | {"GATEWAY_SITES_FILE": str(sites), "GATEWAY_PORT": "0", "GATEWAY_NOTICE_SECONDS": "0"}
    gateway = subprocess.Popen(
        [sys.executable, "-m", "streams.cli.main", "gateway"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert gateway.stdout is not None
        url = gateway.stdout.readline().split()[-1]
        posted = run({}, "simulate", "--gateway", url, "--write-key", WRITE_KEY, "--events", "50", "--rate", "50")
        assert posted.returncode == 0, posted.stderr
        assert "50 acknowledged" in posted.stdout
    finally:
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(30) == 0


def _work(secured: Secured, settings: dict[str, str], after: int) -> str:
    """Run a worker until there are more enriched events (marks count), end it in order, and return its log."""
    path = secured.folder / "worker.log"
    with path.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "worker", "--health-port", "0", "--instance-id", "worker-0"],
            env=environment(settings),
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for_commit(secured.plain, worker, path, after)
    finally:
        worker.send_signal(signal.SIGTERM)
        ended = worker.wait(30)
    assert ended == 0, path.read_text()
    return path.read_text()


def _wait_for_commit(plain: str, worker: "subprocess.Popen[bytes]", log: Path, after: int) -> None:
    deadline = time.monotonic() + 60
    while len(read_topic(plain, ENRICHED)) <= after:
        assert worker.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


@pytest.mark.parametrize("wrong", ["password", "authority", "certificate", "plain text"])
def test_who_has_no_login_is_kept_out(secured: Secured, tmp_path: Path, wrong: str) -> None:
    """Exit code 3 and one sentence that says what to look at; it holds no password."""
    bad = tmp_path / "password"
    bad.write_text("not the password at all", encoding="utf-8")
    without = {"SSL_CERT_FILE", "SSL_KEY_FILE"}
    settings = {
        "password": secured.login | {"SASL_PASSWORD_FILE": str(bad)},
        "authority": secured.login | {"SSL_CA_FILE": str(write_certificates(tmp_path).ca)},
        "certificate": {name: value for name, value in secured.certificate.items() if name not in without},
        "plain text": {"BOOTSTRAP_SERVERS": secured.login["BOOTSTRAP_SERVERS"]},
    }[wrong]
    told = run(settings, "topics", "apply", "--partitions", "2", "--replication-factor", "1")
    assert told.returncode == 3, told.stdout + told.stderr
    assert "login and encryption" in told.stderr
    assert "Traceback" not in told.stderr
    assert "not the password at all" not in told.stderr


def test_a_worker_without_the_login_says_what_to_look_at(secured: Secured, tmp_path: Path) -> None:
    """It waits for Kafka as long as it was told to, then ends with exit code 3."""
    bad = tmp_path / "password"
    bad.write_text("not the password at all", encoding="utf-8")
    told = run(secured.login | {"SASL_PASSWORD_FILE": str(bad), "BROKER_WAIT_SECONDS": "1"}, "worker")
    assert told.returncode == 3, told.stderr
    assert "login and encryption" in told.stderr
    assert "not the password at all" not in told.stderr
