"""The gateway against a real Kafka: every answer, what lies in the topic, and what never does."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.pipeline.partitioner import partition_of
from tests.broker.conftest import Namespace, ReadAll, a_namespace, read_topic
from tests.broker.gateways import (
    ORIGIN,
    OTHER_KEY,
    OTHER_ORIGIN,
    WRITE_KEY,
    Answer,
    Crowd,
    Gateway,
    Wire,
    a_gateway,
    compressed,
)
from tests.builders import Json, Tab, a_uuid

pytestmark = pytest.mark.broker
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "domain" / "fixtures"


BRISK = ("--gateway-read-seconds=2", "--gateway-idle-seconds=2")


def a_topic(namespace: Namespace) -> str:
    return namespace.topic("events.v1", partitions=4, message_timestamp_type="LogAppendTime")


@pytest.fixture
def topic(namespace: Namespace) -> str:
    return a_topic(namespace)


@pytest.fixture
def gateway(kafka: str, namespace: Namespace, topic: str, tmp_path: Path) -> Iterator[Gateway]:
    assert topic.startswith(namespace.prefix)
    with a_gateway(kafka, namespace.prefix, tmp_path, *BRISK) as given:
        yield given


class Refusing(NamedTuple):
    """A gateway of several tests, of which none has anything accepted, and its topic."""

    gateway: Gateway
    topic: str


@pytest.fixture(scope="module")
def refusing(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refusing]:
    with a_namespace(kafka) as namespace:
        topic = a_topic(namespace)
        with a_gateway(kafka, namespace.prefix, tmp_path_factory.mktemp("refusing"), *BRISK) as gateway:
            yield Refusing(gateway, topic)


def values(records: list[Any]) -> list[Json]:
    return [json.loads(record.value) for record in records]


def routes(count: int, name: str = "A") -> list[Json]:
    tab = Tab(name)
    return [tab.route(at) for at in range(count)]


# What is taken ------------------------------------------------------------------------------------------------------


def test_what_is_answered_with_202_is_in_the_topic(gateway: Gateway, topic: str, read_all: ReadAll) -> None:
    """Keyed and partitioned by session, in order, scrubbed, stamped; refused events are named and not there."""
    tab, other = Tab("A"), Tab("B")
    call = tab.call()
    ring = {**call.ring(0), "dropped": {"overflow": 3, "refused": 1}}
    events: list[Any] = [ring, other.route(1), 5, call.start(2_000), call.end(9_000)]
    answer = gateway.post(events, sent_at=1_772_442_009_999, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    assert answer.status == 202
    assert answer.told["accepted"] == 4
    assert [(row["index"], row["code"], row["retry"]) for row in answer.told["refused"]] == [(2, "BAD_ENVELOPE", False)]
    records = read_all(topic)
    assert {(record.key, record.partition) for record in records} == {
        (session.session_id.encode(), partition_of(session.session_id, 4)) for session in (tab, other)
    }
    assert [told["sequence"] for told in values(records) if told["session_id"] == tab.session_id] == [1, 2, 3]
    for record, told in zip(records, values(records), strict=True):
        assert abs(told["received_at"] - record.timestamp) < 2_000
        assert (told["sent_at"], told["verified"]) == (1_772_442_009_999, False)
        assert dict(record.headers) == {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01".encode()}
    assert b"4155550142" not in b"".join(record.value or b"" for record in records)
    assert gateway.metric("requests_total", outcome="partial") == 1
    assert gateway.metric("events_total", outcome="accepted") == 4
    assert gateway.metric("events_total", outcome="bad_envelope") == 1
    assert gateway.metric("collector_drops_total", reason="overflow") == 3
    assert gateway.metric("collector_drops_total", reason="refused") == 1
    assert gateway.metric("buffer_bytes") == 0


def test_json_and_gzip_are_taken_as_well(gateway: Gateway, topic: str, read_all: ReadAll) -> None:
    """Whoever does not mind a preflight may send them, with an Origin or without."""
    body = {"key": WRITE_KEY, "events": routes(1)}
    kinds = [
        {"Content-Type": "application/json"},
        {"Content-Type": "application/json; charset=utf-8", "Content-Encoding": "gzip"},
        {"Content-Type": "text/plain", "Content-Encoding": "identity"},
    ]
    for headers in kinds:
        sent = compressed(body) if headers.get("Content-Encoding") == "gzip" else json.dumps(body).encode()
        assert gateway.ask("POST", "/v1/events", headers, sent).status == 202
    assert len(read_all(topic)) == 3


def test_a_chunked_body_and_an_expectation_are_served(gateway: Gateway, topic: str, read_all: ReadAll) -> None:
    """HTTP allows both."""
    body = json.dumps({"key": WRITE_KEY, "events": routes(1)}).encode()
    head = b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:50], body[50:])) + b"0\r\n\r\n"
    assert b" 202 " in gateway.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")
    assert len(read_all(topic)) == 2


# What is refused ----------------------------------------------------------------------------------------------------


def assert_refused(answer: Answer, status: int, code: str, *, retry: bool = False) -> None:
    assert (answer.status, answer.code, answer.told["retry"], answer.told["accepted"]) == (status, code, retry, 0)
    assert ("retry-after" in answer.headers) is retry


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "BAD_JSON"),
        (b"{}", {}, 400, "BAD_REQUEST"),
        (b"{}", {"Content-Encoding": "gzip"}, 400, "BAD_ENCODING"),
        (b"{}", {"Content-Encoding": "br"}, 415, "UNSUPPORTED_ENCODING"),
        (b"{}", {"Content-Type": "text/html"}, 415, "UNSUPPORTED_TYPE"),
        (b'{"key":"wk_nobody","events":[{}]}', {}, 401, "KEY_UNKNOWN"),
        (b'{"key":"%b","token":"x","events":[{}]}' % WRITE_KEY.encode(), {}, 401, "TOKEN_INVALID"),
        (b'{"key":"%b","events":[{}]}' % WRITE_KEY.encode(), {"Origin": "https://a.evil"}, 403, "ORIGIN_NOT_ALLOWED"),
        (b'{"key":"%b","events":[{}]}' % WRITE_KEY.encode(), {"Origin": OTHER_ORIGIN}, 403, "ORIGIN_NOT_ALLOWED"),
        (b'{"key":"%b","events":[{}]}' % WRITE_KEY.encode(), {"Origin": "null"}, 403, "ORIGIN_NOT_ALLOWED"),
        (b'{"key":"%b","events":[{}]}' % OTHER_KEY.encode(), {"Origin": OTHER_ORIGIN}, 401, "TOKEN_REQUIRED"),
        (b'{"key":"%b","events":[{}]}' % WRITE_KEY.encode(), {}, 422, "NOTHING_ACCEPTED"),
        (b'{"key":"%b","events":[%b]}' % (WRITE_KEY.encode(), b"{}," * 500 + b"{}"), {}, 413, "TOO_MANY_EVENTS"),
        (b" " * (2**20 + 1), {}, 413, "BODY_TOO_LARGE"),
    ],
)  # fmt: skip
def test_every_refusal_has_its_status_and_code(
    refusing: Refusing, read_all: ReadAll, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """And nothing of it is in the topic."""
    gateway, outcome = refusing.gateway, code.lower()
    before = gateway.metric("requests_total", outcome=outcome)
    assert_refused(gateway.send(body, headers), status, code)
    assert gateway.metric("requests_total", outcome=outcome) == before + 1
    assert read_all(refusing.topic) == []


def test_other_addresses_and_methods(refusing: Refusing) -> None:
    """Have their codes too."""
    gateway = refusing.gateway
    assert_refused(gateway.get("/secret-path"), 404, "NOT_FOUND")
    answer = gateway.get("/v1/events")
    assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "POST, OPTIONS"


def test_a_bomb_is_refused(gateway: Gateway) -> None:
    """Decompressed bodies are bounded like others, and memory with them."""
    before = gateway.rss_mb()
    bomb = compressed("x" * 200_000_000)
    assert len(bomb) < 2**20
    assert_refused(gateway.send(bomb, {"Content-Encoding": "gzip"}), 413, "BODY_TOO_LARGE")
    assert gateway.rss_mb() - before < 20


def test_rates_are_bounded_by_site_and_by_page_load(
    kafka: str, namespace: Namespace, topic: str, tmp_path: Path
) -> None:
    """429 with the time to wait; one page load's excess is named event by event."""
    assert topic
    slow = "--gateway-session-events-per-second=1"
    with a_gateway(kafka, namespace.prefix, tmp_path, slow) as gateway:
        answer = gateway.post([*routes(12, "busy"), *routes(2, "calm")])
        assert (answer.status, answer.told["accepted"]) == (202, 12)
        assert [(row["index"], row["code"], row["retry"]) for row in answer.told["refused"]] == [
            (10, "SESSION_RATE_LIMITED", True),
            (11, "SESSION_RATE_LIMITED", True),
        ]
        assert int(answer.headers["retry-after"]) >= 1
        assert_refused(gateway.post(routes(1, "busy")), 429, "RATE_LIMITED", retry=True)
        gateway.sites.write_text(gateway.sites.read_text().replace("token_required = true", "token_required = false"))
        headers = {"Origin": OTHER_ORIGIN}
        until(lambda: gateway.post(routes(10, "x"), key=OTHER_KEY, headers=headers).status == 202)
        answer = gateway.post(routes(10, "y"), key=OTHER_KEY, headers=headers)
        assert_refused(answer, 429, "RATE_LIMITED", retry=True)
        assert 1 <= int(answer.headers["retry-after"]) <= 3


def until(condition: Any, within_seconds: float = 10.0) -> None:
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


# Browsers -----------------------------------------------------------------------------------------------------------


def test_pages_of_sites_may_read_answers_and_others_not(gateway: Gateway) -> None:
    """CORS names exactly the page's origin, also in refusals, and never a wildcard."""
    taken, refused = gateway.post(routes(1)), gateway.send(b"{")
    for answer in (taken, refused):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-expose-headers"] == "Retry-After"
        assert answer.headers["vary"] == "Origin"
    other = gateway.post(routes(1), headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = gateway.ask("OPTIONS", "/v1/events", {"Origin": ORIGIN, **asked})
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert gateway.ask("OPTIONS", "/v1/events", {"Origin": "https://evil.example", **asked}).status == 403


def test_every_answer_has_the_security_headers(refusing: Refusing) -> None:
    """Whatever the address; the server does not say what it is made of."""
    for path in ("/healthz", "/readyz", "/metrics", "/collector.js", "/nowhere", "/v1/events"):
        headers = refusing.gateway.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["server"] == "widget-streams"


def test_the_collector_is_served_with_its_tag(refusing: Refusing) -> None:
    """As it is in the package, cached and checked by its tag; or a clear sentence that it is not there."""
    gateway = refusing.gateway
    answer = gateway.get("/collector.js", {"Origin": ORIGIN})
    sri = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "gateway", "sri"], capture_output=True, text=True, check=False
    )
    if answer.status == 404:
        assert b"not built" in answer.body
        assert sri.returncode == 1
        return
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "max-age" in answer.headers["cache-control"]
    assert gateway.get("/collector.js", {"If-None-Match": answer.headers["etag"]}).status == 304
    assert sri.stdout.startswith("sha384-")


# Bad clients --------------------------------------------------------------------------------------------------------


def test_slow_clients_are_cut(gateway: Gateway) -> None:
    """A body that does not come is 408; headers that do not come, and idle connections, end."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=15) as connection:
        connection.sendall(
            b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n{"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
    for sent in (b"", b"GET /healthz HTTP/1.1\r\nHo", b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=15) as connection:
            connection.sendall(sent)
            while connection.recv(65_536):
                pass
    assert time.monotonic() - begun < 14
    assert gateway.metric("requests_total", outcome="request_timeout") == 1


def test_a_client_that_leaves_is_counted(gateway: Gateway, topic: str, read_all: ReadAll) -> None:
    """And leaves nothing behind."""
    head = b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(head)
    until(lambda: gateway.metric("requests_total", outcome="disconnected") == 1)
    assert gateway.metric("buffer_bytes") == 0
    assert read_all(topic) == []


@pytest.mark.parametrize(
    "sent",
    [
        b"Zz9Secret\r\n\r\n",
        b"GET /Zz9Secret HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nZz9 Secret: Zz9Secret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"Zz9Secret" * 1_000 + b"\r\n\r\n",
        b"GET /" + b"Zz9Secret" * 1_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: Zz9Secret\r\n" * 1_000 + b"\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nZz9Secret\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Length: Zz9Secret\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nZz9Secret",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03Zz9Secret",
    ],
)
def test_what_is_no_http_is_answered_without_an_echo(refusing: Refusing, sent: bytes) -> None:
    """400 and a constant sentence, or nothing; the log repeats nothing either."""
    gateway = refusing.gateway
    received = gateway.raw(sent)
    assert b" 400 " in received.split(b"\r\n", 1)[0] or received == b""
    assert b"Secret" not in received
    assert "Secret" not in gateway.log.read_text()
    assert gateway.get("/healthz").status == 200


HEADERS = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "Content-Encoding", "Origin", "traceparent", "Expect", "Accept", "Cookie", "X-Any"]
    ),
    st.sampled_from(
        ["text/plain", "application/json", "gzip", "gzip, gzip", "deflate", "x-gzip", "identity", ORIGIN, "*"]
    )
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    max_size=4,
)
BODIES = (
    st.binary(max_size=400)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=20) | st.just("Zz9Secret"), st.lists, max_leaves=10
    ).map(lambda events: json.dumps({"key": WRITE_KEY, "token": None, "events": events}).encode())
    | st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4).map(
        lambda event: json.dumps({"key": WRITE_KEY, "events": [{"event": event, "session_id": "Zz9Secret"}]}).encode()
    )
)


def test_any_request_gets_an_answer_that_is_no_500(gateway: Gateway) -> None:
    """Any body, any header, any encoding: an answer from the list, nothing echoed, nothing logged."""

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(BODIES, HEADERS)
    def fuzz(body: bytes, headers: dict[str, str]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST /v1/events HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
        received = gateway.raw(head.encode() + body)
        status = int(received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").split(b" ", 2)[1])
        assert status in {202, 400, 401, 403, 413, 415, 422, 429}
        assert b"Secret" not in received

    fuzz()
    assert gateway.metric("requests_total", outcome="internal_error") == 0
    assert "ERROR" not in gateway.log.read_text()
    assert "Secret" not in gateway.log.read_text()


# Privacy ------------------------------------------------------------------------------------------------------------

PERSONAL = frozenset(
    {
        "oAuthUri",
        "voiceCallToken",
        "sipData",
        "mobilePickupData",
        "fromTag",
        "toTag",
        "callId",
        "deviceId",
        "from",
        "to",
    }
    | {"fromNumber", "phoneNumber", "fromUserName", "toUserName", "fromName", "toName", "name", "callQueueName"}
    | {"subject", "coverPageText", "fileName", "location", "originalLocalNumber", "receivedTransferFromNumber"}
    | {"senderNumber", "email"}
)


def texts(value: Any, name: str = "", place: str = "") -> Iterator[tuple[str, str]]:
    """Give every text of a fixture with the name of its field; the id of a web-phone call is a SIP id."""
    if isinstance(value, dict):
        for inner, content in value.items():
            yield from texts(content, "callId" if (name, inner) == ("call", "id") else inner, name)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, name, place)
    elif isinstance(value, str):
        yield name, value


def personal_texts(events: list[Any]) -> set[str]:
    """Return the secrets, numbers and names of fixtures (SPEC 8): what is long enough, and is no word or id as well."""
    told = list(texts(events))
    plain = {text for name, text in told if name not in PERSONAL}
    personal = {text for name, text in told if name in PERSONAL and len(text) >= 7 and "*" not in text}
    return personal - plain


def stands_in(secret: str, text: str) -> bool:
    """Tell whether a number stands anywhere in a text, or another secret as a whole value."""
    is_number = sum(map(str.isdigit, secret)) >= 7
    return (secret.lstrip("+") if is_number else json.dumps(secret, ensure_ascii=False)) in text


@pytest.mark.skipif(not FIXTURES.exists(), reason=f"needs the recorded widget events in {FIXTURES}")
def test_secrets_and_numbers_of_every_fixture_stand_nowhere(gateway: Gateway, topic: str, read_all: ReadAll) -> None:
    """Sent through, they are in no record, no log line and no metric."""
    events = [json.loads(path.read_text()) for path in sorted(FIXTURES.rglob("*.json"))]
    events = [event for event in events if isinstance(event, dict) and isinstance(event.get("type"), str)]
    secrets = personal_texts(events)
    assert len(events) > 100
    assert len(secrets) > 100
    tab = Tab("A", login="+12025550188*7")
    for begin in range(0, len(events), 40):
        answer = gateway.post([tab.post(event, at) for at, event in enumerate(events[begin : begin + 40])])
        assert (answer.status, answer.told["refused"]) == (202, [])
    records = read_all(topic)
    assert len(records) == len(events)
    written = b"".join((record.key or b"") + (record.value or b"") for record in records).decode()
    told = gateway.log.read_text() + gateway.get("/metrics").body.decode()
    assert [secret for secret in secrets if stands_in(secret, written) or stands_in(secret, told)] == []
    assert len([secret for secret in secrets if stands_in(secret, json.dumps(events, ensure_ascii=False))]) == len(
        secrets
    )


# Life and death -----------------------------------------------------------------------------------------------------


def ids(topic: str, bootstrap: str) -> list[str]:
    return [told["event_id"] for told in values(read_topic(bootstrap, topic, timeout_seconds=60))]


async def keep_posting(crowd: Crowd, collectors: int, stop: asyncio.Event, pause: float = 0.0) -> None:
    """Let collectors post batches of their own page loads, one after the other, until they are stopped."""

    async def collect(number: int) -> None:
        wire, sequence = Wire(crowd.port), 0
        while not stop.is_set():
            tab = Tab(f"{number}/{sequence}")
            sequence += 1
            if await crowd.post(wire, [tab.route(at) for at in range(10)]) != 202:
                await asyncio.sleep(0.05)
            await asyncio.sleep(pause)
        wire.close()

    await asyncio.gather(*map(collect, range(collectors)))


def test_sigterm_drains(kafka: str, namespace: Namespace, topic: str, tmp_path: Path) -> None:
    """/readyz turns first, requests under way are answered, the exit code is 0, and what got 202 is in the topic."""
    with a_gateway(kafka, namespace.prefix, tmp_path, "--gateway-notice-seconds=1.5") as gateway:
        crowd = Crowd(gateway.port)

        async def run() -> tuple[int, int]:
            stop = asyncio.Event()
            posting = asyncio.create_task(keep_posting(crowd, 20, stop))
            await asyncio.sleep(1)
            gateway.process.terminate()
            await asyncio.sleep(0.5)
            ready = await asyncio.to_thread(lambda: gateway.get("/readyz").status)
            before = len(crowd.taken)
            await asyncio.sleep(0.5)
            served = len(crowd.taken) - before
            await asyncio.to_thread(gateway.process.wait, 20)
            stop.set()
            await posting
            return ready, served

        ready, served = asyncio.run(run())
        assert ready == 503
        assert served > 0, "what comes during the notice is still served"
        assert gateway.process.returncode == 0
        assert "gateway.drained" in gateway.log.read_text()
    assert set(crowd.statuses) == {202}
    assert crowd.taken <= set(ids(topic, kafka))


def test_what_a_killed_gateway_answered_is_in_the_topic(
    kafka: str, namespace: Namespace, topic: str, tmp_path: Path
) -> None:
    """SIGKILL while posting: 202 means in Kafka, whatever comes after."""
    with a_gateway(kafka, namespace.prefix, tmp_path) as gateway:
        crowd = Crowd(gateway.port)

        async def run() -> None:
            stop = asyncio.Event()
            posting = asyncio.create_task(keep_posting(crowd, 40, stop))
            await asyncio.sleep(2)
            gateway.process.kill()
            stop.set()
            await posting

        asyncio.run(run())
    written = ids(topic, kafka)
    assert len(crowd.taken) > 500
    assert crowd.taken <= set(written)
    assert len(written) == len(set(written)), "an idempotent producer writes nothing twice"
    assert not crowd.taken | {a_uuid("never sent")} <= set(written), "the comparison can fail"


def test_a_login_storm_of_5000_sessions_loses_nothing(
    kafka: str, namespace: Namespace, topic: str, tmp_path: Path
) -> None:
    """5,000 page loads on 5,000 connections within 10 s, each with its first ten events in two requests."""
    with a_gateway(kafka, namespace.prefix, tmp_path) as gateway:
        crowd, begun = Crowd(gateway.port), time.monotonic()

        async def page_load(number: int) -> None:
            await asyncio.sleep(number / 500)
            wire, tab = Wire(gateway.port), Tab(f"storm/{number}", login=f"+16505550100*{number + 1}")
            for _ in range(2):
                events = [tab.logs_in(0), *(tab.route(at) for at in range(4))]
                while await crowd.post(wire, events) != 202:
                    await asyncio.sleep(0.5)
            wire.close()

        async def storm() -> None:
            await asyncio.gather(*map(page_load, range(5_000)))

        asyncio.run(storm())
        took = time.monotonic() - begun
        assert gateway.metric("requests_total", outcome="accepted") == 10_000
    written = ids(topic, kafka)
    assert len(crowd.taken) == 50_000
    assert set(written) == crowd.taken
    # A batch that got 503 on a busy machine may be written all the same, and is posted again.
    assert len(written) <= 50_000 + 5 * (sum(crowd.statuses.values()) - crowd.statuses[202])
    assert crowd.broken == 0
    assert took < 60, f"it took {took:.0f} s"


# The simulator ------------------------------------------------------------------------------------------------------


def simulate(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "streams.cli.main", "simulate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


def test_the_simulator_posts_through_the_gateway(gateway: Gateway, topic: str, read_all: ReadAll) -> None:
    """All that falls due is acknowledged and in the topic, each page load in its order."""
    url = f"http://127.0.0.1:{gateway.port}"
    honest = ["--late", "0", "--lost", "0", "--doubled", "0"]
    ended = simulate("--gateway", url, "--write-key", WRITE_KEY, "--rate", "500", "--duration", "8", *honest)
    assert ended.returncode == 0, ended.stderr
    records = read_all(topic)
    assert f"{len(records)} envelopes fell due, {len(records)} acknowledged" in ended.stdout
    assert len(records) > 2_500
    sequences: dict[str, list[int]] = {}
    for one in values(records):
        assert one["verified"] is False
        sequences.setdefault(one["session_id"], []).append(one["sequence"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in sequences.values())


def test_the_simulator_says_what_the_gateway_refuses(gateway: Gateway) -> None:
    """A wrong key ends it with the code; a gateway that is not there with exit code 3."""
    url = f"http://127.0.0.1:{gateway.port}"
    ended = simulate("--gateway", url, "--write-key", "wk_of_nobody", "--rate", "50", "--duration", "30")
    assert (ended.returncode, "KEY_UNKNOWN" in ended.stderr) == (3, True)
    assert simulate("--gateway", url).returncode == 2


def test_the_simulator_keeps_what_a_gateway_without_kafka_refuses(
    kafka: str, namespace: Namespace, topic: str, tmp_path: Path, read_all: ReadAll
) -> None:
    """A gateway that is killed and comes back gets it all."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--gateway", f"http://127.0.0.1:{port}", "--write-key", WRITE_KEY, "--rate", "200", "--duration", "8"]
    fixed = f"--gateway-port={port}"
    with a_gateway(kafka, namespace.prefix, tmp_path, fixed) as first:
        command = [sys.executable, "-m", "streams.cli.main", "simulate", *arguments, "--late", "0", "--doubled", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: first.metric("events_total", outcome="accepted") > 100)
        first.process.kill()
        first.process.wait()
        with a_gateway(kafka, namespace.prefix, tmp_path, fixed):
            out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    written = {one["event_id"] for one in values(read_all(topic))}
    assert f"{len(written)} envelopes fell due, {len(written)} acknowledged" in out
