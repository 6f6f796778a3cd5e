"""The receiving end of the tests: an HTTP server that writes down every batch, and can be made to misbehave."""

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

Envelope = dict[str, Any]
MAX_BATCH_BYTES: Final = 40_000
WAIT_SECONDS: Final = 20.0


class Answer(NamedTuple):
    """What the gateway answers; `body` None: nothing that a gateway would say."""

    status: int
    body: dict[str, Any] | None
    retry_after: int | None = None
    reads: bool = True
    """Whether the batch counts as written."""


class Request(NamedTuple):
    """One try of a collector."""

    at: float
    method: str
    headers: dict[str, str]
    text: bytes
    answer: Answer

    @property
    def batch(self) -> dict[str, Any]:
        """The body, parsed."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed


def taken(batch: dict[str, Any]) -> Answer:
    """Answer that all of a batch is in Kafka."""
    return Answer(202, {"accepted": len(batch["events"]), "refused": []})


def refused(status: int, code: str, *, retry: bool, retry_after: int | None = None) -> Callable[[Any], Answer]:
    """Return a gateway that refuses every batch as a whole."""
    body = {"accepted": 0, "refused": [], "code": code, "message": "", "retry": retry}
    return lambda _: Answer(status, body, retry_after, reads=False)


@dataclass
class Ledger:
    """Keeps what was sent; `answer` decides what becomes of a batch."""

    answer: Callable[[dict[str, Any]], Answer] = taken
    requests: list[Request] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    """What was taken, in the order of arrival."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    connections: list[socket.socket] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None
    _port: int = 0

    @property
    def url(self) -> str:
        """Where to send batches."""
        return f"http://127.0.0.1:{self._port}/v1/events"

    def up(self) -> None:
        """Listen, always on the same port."""
        handler = type("Handler", (_Handler,), {"ledger": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Stop listening and hang up: connections are refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.connections.clear()

    def take(self, request: Request) -> None:
        """Write a request down."""
        with self.changed:
            self.requests.append(request)
            if request.method == "POST" and request.answer.status == 202:
                gone = {item["index"] for item in (request.answer.body or {}).get("refused", [])}
                events = request.batch["events"]
                self.envelopes += [envelope for index, envelope in enumerate(events) if index not in gone]
            self.changed.notify_all()

    def wait_for(self, is_so: Callable[["Ledger"], bool], seconds: float = WAIT_SECONDS) -> None:
        """Wait until something is so.

        Raises:
            AssertionError: It was not so in time; says what came instead.
        """
        with self.changed:
            came = self.changed.wait_for(lambda: is_so(self), seconds)
            tries = Counter(request.answer.status for request in self.requests)
        assert came, f"not so after {seconds} s: {len(self.envelopes)} envelopes, answers {dict(tries)}"

    def marks(self) -> Counter[str]:
        """Count how often each mark was taken."""
        return Counter(envelope["event"]["mark"] for envelope in self.envelopes if "mark" in envelope["event"])

    def posts(self) -> list[Request]:
        """Return the tries, without the questions of browsers whether they may."""
        return [request for request in self.requests if request.method == "POST"]


class _Handler(BaseHTTPRequestHandler):
    ledger: Ledger
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.ledger.answer(json.loads(text))
        self.ledger.take(Request(time.monotonic(), "POST", self._names(), text, answer))
        self._say(answer)

    def do_OPTIONS(self) -> None:
        answer = Answer(204, None)
        self.ledger.take(Request(time.monotonic(), "OPTIONS", self._names(), b"", answer))
        self._say(answer)

    def _names(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _say(self, answer: Answer) -> None:
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("access-control-allow-origin", self.headers.get("origin", "*"))
        self.send_header("access-control-expose-headers", "retry-after")
        if answer.retry_after is not None:
            self.send_header("retry-after", str(answer.retry_after))
        if answer.body is not None:
            self.send_header("content-type", "application/json")
        if answer.status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        """Serve a connection; a browser that crashes or goes away is no error of ours."""
        self.ledger.connections.append(self.connection)
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Judgement(NamedTuple):
    """What became of marked events."""

    lost: list[str]
    """Posted and never taken."""
    doubled: list[str]
    """Posted once and taken as two: under two event ids, or one number of a session given twice."""
    repeated: int
    """Taken again under the same event id and number, which is recognised behind the gateway."""


def judge(ledger: Ledger, posted: Iterable[str]) -> Judgement:
    """Compare what was posted with what was taken, exactly."""
    identities: dict[str, set[tuple[str, str, int]]] = {}
    numbers: dict[tuple[str, int], set[str]] = {}
    for envelope in ledger.envelopes:
        identity = (envelope["event_id"], envelope["session_id"], envelope["sequence"])
        numbers.setdefault(identity[1:], set()).add(envelope["event_id"])
        if mark := envelope["event"].get("mark"):
            identities.setdefault(mark, set()).add(identity)
    doubled = [mark for mark, found in identities.items() if len(found) > 1]
    doubled += [f"number {number} of {session}" for (session, number), ids in numbers.items() if len(ids) > 1]
    return Judgement(
        lost=[mark for mark in posted if mark not in identities],
        doubled=doubled,
        repeated=len(ledger.envelopes) - len({envelope["event_id"] for envelope in ledger.envelopes}),
    )


CLEAN: Final = Judgement(lost=[], doubled=[], repeated=0)


def all_of(marks: Iterable[str]) -> Callable[[Ledger], bool]:
    """Return a condition: every one of these marks was taken."""
    wanted = set(marks)
    return lambda ledger: wanted <= set(ledger.marks())
