"""The gateway when something is missing, away or too much: it says so, and never 202 for what is not in Kafka."""

import asyncio
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from streams.local.embedded import EmbeddedKafka
from tests.broker.conftest import Namespace, ReadAll, read_topic
from tests.broker.gateways import (
    OTHER_KEY,
    OTHER_ORIGIN,
    SITES,
    Crowd,
    Gateway,
    Wire,
    a_gateway,
    wait_until_ready,
)
from tests.builders import LOGIN, Tab

pytestmark = pytest.mark.broker


@pytest.fixture
def topic(namespace: Namespace) -> str:
    return namespace.topic("events.v1", partitions=4, message_timestamp_type="LogAppendTime")


def ids(bootstrap: str, topic: str) -> list[str]:
    return [
        json.loads(record.value or b"{}")["event_id"] for record in read_topic(bootstrap, topic, timeout_seconds=600)
    ]


# The start ----------------------------------------------------------------------------------------------------------


def start(*arguments: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    sites = folder / "sites.toml"
    sites.write_text(SITES)
    command = [sys.executable, "-m", "streams.cli.main", "gateway", "--gateway-port=0", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, check=False
    )


KEY = {"WIDGET_STREAMS_TOKEN_KEY": "a secret that is long enough"}


def test_without_what_it_needs_it_does_not_start(kafka: str, topic: str, tmp_path: Path) -> None:
    """Exit code 2 and the name of what is missing: key, sites, topic, a usable file."""
    prefix = topic.removesuffix("events.v1")
    given = [f"--bootstrap-servers={kafka}", f"--topic-prefix={prefix}", f"--gateway-sites-file={tmp_path}/sites.toml"]
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    cases = [
        (given, {}, "secret"),
        (given[:2], KEY, "--gateway-sites-file"),
        ([*given[:2], f"--gateway-sites-file={broken}"], KEY, "broken.json"),
        ([*given, f"--gateway-keys-file={broken}"], KEY, "broken.json"),
        ([*given, f"--gateway-tls-cert-file={broken}"], KEY, "--gateway-tls-key-file"),
        ([*given, "--topic-prefix=nowhere."], KEY, "topics apply"),
        (given[1:], KEY, "--bootstrap-servers"),
    ]
    for arguments, environment, named in cases:
        ended = start(*arguments, folder=tmp_path, **environment)
        assert ended.returncode == 2, ended
        assert named in ended.stderr, ended.stderr


def test_without_kafka_it_gives_up_after_a_while(tmp_path: Path) -> None:
    """Exit code 3; until then /healthz is well, /readyz is not, and events are refused."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        bootstrap = f"127.0.0.1:{nobody.getsockname()[1]}"
        with a_gateway(bootstrap, "x.", tmp_path, "--broker-wait-seconds=3", ready=False) as gateway:
            assert gateway.get("/healthz").status == 200
            assert gateway.get("/readyz").status == 503
            answer = gateway.post([Tab().route(0)])
            assert (answer.status, answer.code) == (503, "BROKER_UNAVAILABLE")
            assert gateway.process.wait(20) == 3
        assert "No Kafka answered" in gateway.log.read_text()


def test_a_port_that_is_taken_is_named(kafka: str, topic: str, tmp_path: Path) -> None:
    """Exit code 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        prefix = topic.removesuffix("events.v1")
        arguments = [f"--bootstrap-servers={kafka}", f"--topic-prefix={prefix}", f"--gateway-port={port}"]
        ended = start(*arguments, f"--gateway-sites-file={tmp_path}/sites.toml", folder=tmp_path, **KEY)
    assert (ended.returncode, f"Port {port}" in ended.stderr) == (2, True)


def test_it_serves_tls(kafka: str, topic: str, tmp_path: Path) -> None:
    """With a certificate of its own, and tells browsers to stay with it."""
    certificate, key = self_signed(tmp_path)
    files = [f"--gateway-tls-cert-file={certificate}", f"--gateway-tls-key-file={key}"]
    with a_gateway(kafka, topic.removesuffix("events.v1"), tmp_path, *files, ready=False) as gateway:
        context = ssl.create_default_context(cafile=str(certificate))
        with (
            socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            answer = connection.recv(4_096)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Strict-Transport-Security" in answer


def self_signed(folder: Path) -> tuple[Path, Path]:
    from datetime import UTC, datetime, timedelta

    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


# Tokens -------------------------------------------------------------------------------------------------------------


def token(*arguments: str) -> str:
    command = [sys.executable, "-m", "streams.cli.main", "token", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_tokens_are_minted_checked_and_rotated(kafka: str, topic: str, read_all: ReadAll, tmp_path: Path) -> None:
    """By the commands, against a gateway that runs: a new key counts without a restart, an old one ends."""
    public = tmp_path / "keys.json"
    for kid in ("k1", "k2"):
        token("keygen", kid, "--private", str(tmp_path / f"{kid}.pem"), "--public", str(public))
    both = json.loads(public.read_text())["keys"]
    public.write_text(json.dumps({"keys": both[:1]}))
    tokens = {
        kid: token(
            "mint", kid, "--private", str(tmp_path / f"{kid}.pem"), "--login-number", LOGIN, "--account-id", "400"
        )
        for kid in ("k1", "k2")
    }
    expired = token("mint", "k1", "--private", str(tmp_path / "k1.pem"), "--login-number", LOGIN, "--seconds", "1")
    with a_gateway(kafka, topic.removesuffix("events.v1"), tmp_path, f"--gateway-keys-file={public}") as gateway:

        def status(kid: str, **changes: str) -> int:
            shop = {"key": OTHER_KEY, "headers": {"Origin": OTHER_ORIGIN}, "token": tokens[kid], **changes}
            return gateway.post([Tab(login=None).presence(0)], **shop).status  # type: ignore[arg-type]

        assert (status("k1"), status("k2")) == (202, 401)
        public.write_text(json.dumps({"keys": both}))
        wait_for(lambda: status("k2") == 202)
        public.write_text(json.dumps({"keys": both[1:]}))
        wait_for(lambda: status("k1") == 401)
        assert status("k1", token=expired) == 401
    told = [json.loads(record.value or b"{}") for record in read_all(topic)]
    assert {(one["login_number"], one["account_id"], one["verified"]) for one in told} == {(LOGIN, "400", True)}


def wait_for(condition: object, within_seconds: float = 15.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.3)


# Kafka goes and comes -----------------------------------------------------------------------------------------------


@pytest.fixture
def own_kafka() -> Iterator[EmbeddedKafka]:
    """A Kafka that this test may kill."""
    with EmbeddedKafka() as kafka:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        admin.create_topics([NewTopic("t.events.v1", 4)])["t.events.v1"].result(20)
        yield kafka


def test_a_broker_that_is_killed_and_comes_back(own_kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """503 while it is away, 202 again afterwards, /readyz follows, and nothing that got 202 is missing or doubled."""
    bootstrap = own_kafka.bootstrap
    with a_gateway(bootstrap, "t.", tmp_path, "--gateway-ack-seconds=3") as gateway:
        crowd = Crowd(gateway.port)

        async def collect(number: int, stop: asyncio.Event) -> None:
            """Post as a collector does: the same batch again until it is taken."""
            wire, sequence = Wire(gateway.port), 0
            while not stop.is_set():
                tab = Tab(f"{number}/{sequence}")
                events = [tab.route(at) for at in range(10)]
                while await crowd.post(wire, events) != 202 and not stop.is_set():
                    await asyncio.sleep(0.2)
                sequence += 1
                await asyncio.sleep(0.02)
            wire.close()

        async def run() -> None:
            stop = asyncio.Event()
            posting = [asyncio.create_task(collect(number, stop)) for number in range(20)]
            await asyncio.sleep(2)
            await asyncio.to_thread(own_kafka.kill)
            await asyncio.to_thread(wait_until_ready, gateway, 30, status=503)
            await asyncio.sleep(5)
            before = len(crowd.taken)
            await asyncio.to_thread(own_kafka.restart)
            await asyncio.to_thread(wait_until_ready, gateway, 60)
            deadline = time.monotonic() + 30
            while len(crowd.taken) < before + 1_000:
                assert time.monotonic() < deadline, crowd.statuses
                await asyncio.sleep(0.1)
            stop.set()
            await asyncio.gather(*posting)

        asyncio.run(run())
        assert gateway.metric("requests_total", outcome="broker_unavailable") > 10
        assert gateway.metric("buffer_bytes") == 0
        assert gateway.stop() == 0
    assert set(crowd.statuses) == {202, 503}
    assert crowd.broken == 0
    assert crowd.taken <= set(ids(bootstrap, "t.events.v1"))


@pytest.mark.slow
def test_a_broker_away_at_the_end_does_not_hold_the_end_up(own_kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """SIGTERM while Kafka is away: requests under way get their 503, and the exit code is 0."""
    with a_gateway(own_kafka.bootstrap, "t.", tmp_path, "--gateway-ack-seconds=2") as gateway:
        own_kafka.kill()
        answer = gateway.post([Tab().route(0)])
        assert (answer.status, answer.code) == (503, "BROKER_UNAVAILABLE")
        begun = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - begun < 20


# Too much -----------------------------------------------------------------------------------------------------------


PADDING = "x" * 300_000


def overload(gateway: Gateway, seconds: float) -> tuple[Crowd, list[float]]:
    """Post more than one core can take, on many connections; return what was told, and the memory at each second."""
    crowd, memory = Crowd(gateway.port), []

    async def collect(number: int, stop: asyncio.Event) -> None:
        wire, tab = Wire(gateway.port), Tab(f"load/{number}")
        while not stop.is_set():
            if await crowd.post(wire, [tab.route(at) for at in range(5)], PADDING) is None:
                await asyncio.sleep(0.1)
        wire.close()

    async def run() -> None:
        stop = asyncio.Event()
        posting = [asyncio.create_task(collect(number, stop)) for number in range(100)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(1)
            memory.append(gateway.rss_mb())
        stop.set()
        await asyncio.gather(*posting)

    asyncio.run(run())
    return crowd, memory


def assert_overload_is_borne(kafka: str, topic: str, folder: Path, seconds: float) -> None:
    small = ["--gateway-buffer-bytes=1048576", "--gateway-session-events-per-second=100000"]
    with a_gateway(kafka, topic.removesuffix("events.v1"), folder, *small) as gateway:
        crowd, memory = overload(gateway, seconds)
        wait_until_ready(gateway)
        assert gateway.metric("buffer_bytes") == 0
    assert crowd.statuses.get(503, 0) > 0, "the buffer was never full: this was no overload"
    assert crowd.statuses.keys() <= {202, 503}
    settled = memory[len(memory) // 4 :]
    logging.getLogger(__name__).info("%s, memory %.0f to %.0f MB", crowd.statuses, min(settled), max(settled))
    assert max(settled) - min(settled) < 30, f"memory from {min(settled):.0f} to {max(settled):.0f} MB"
    written = ids(kafka, topic)
    assert len(written) == len(set(written))
    assert crowd.taken <= set(written)


@pytest.mark.slow
def test_overload_is_refused_with_flat_memory(kafka: str, topic: str, tmp_path: Path) -> None:
    """503 for what is too much, and what got 202 is in the topic."""
    assert_overload_is_borne(kafka, topic, tmp_path, 20)


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_ten_minutes_of_overload(kafka: str, topic: str, tmp_path: Path) -> None:
    """The same for long."""
    assert_overload_is_borne(kafka, topic, tmp_path, 600)


def test_connections_are_bounded(kafka: str, topic: str, tmp_path: Path) -> None:
    """Further ones are cut; those that are there go on."""
    with a_gateway(kafka, topic.removesuffix("events.v1"), tmp_path, "--gateway-connections=5") as gateway:
        held = [socket.create_connection(("127.0.0.1", gateway.port), timeout=5) for _ in range(5)]
        request = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
        for connection in held:
            connection.sendall(request)
            assert connection.recv(4_096).endswith(b"ok\n")
        assert is_cut(gateway.port, request)
        held[0].sendall(request)
        assert b"HTTP/1.1 200 " in held[0].recv(4_096)
        for connection in held:
            connection.close()
        wait_for(lambda: not is_cut(gateway.port, request))


def is_cut(port: int, request: bytes) -> bool:
    """Tell whether a new connection is closed without an answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            connection.sendall(request)
            return not connection.recv(100)
        except ConnectionError:
            return True
