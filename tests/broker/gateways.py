"""A gateway process for tests, and ways to post to it."""

import asyncio
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.builders import Json

WRITE_KEY = "wk_for_tests_only"
OTHER_KEY = "wk_for_other_tests"
ORIGIN = "https://crm.example.com"
OTHER_ORIGIN = "https://shop.example.com"
SECRET = "the secret of the gateway's tests"
SITES = f"""
[[site]]
name = "crm"
write_key = "{WRITE_KEY}"
origins = ["{ORIGIN}"]
events_per_second = 1000000

[[site]]
name = "shop"
write_key = "{OTHER_KEY}"
origins = ["{OTHER_ORIGIN}"]
events_per_second = 5
token_required = true
"""


@dataclass
class Answer:
    """An answer of the gateway."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Json:
        """The JSON of the body."""
        parsed: Json = json.loads(self.body)
        return parsed

    @property
    def code(self) -> str:
        """The code of a request that was not taken."""
        return str(self.told["code"])


@dataclass
class Gateway:
    """A gateway that runs."""

    process: "subprocess.Popen[str]"
    port: int
    log: Path
    sites: Path

    def post(self, events: Iterable[Any] = (), *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
        """Post a batch as a collector does."""
        body = {"key": WRITE_KEY, "events": list(events), **fields}
        return self.send(json.dumps(body).encode(), headers)

    def send(self, body: bytes, headers: dict[str, str] | None = None, path: str = "/v1/events") -> Answer:
        """Post any bytes."""
        told = {"Content-Type": "text/plain;charset=UTF-8", "Origin": ORIGIN, **(headers or {})}
        return self.ask("POST", path, told, body)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Get a page."""
        return self.ask("GET", path, headers or {})

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Send any request."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, _lower(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers.items()), error.read())

    def raw(self, sent: bytes, *, patience: float = 10.0) -> bytes:
        """Send bytes on a connection of their own, and return what comes until it is closed or silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as connection:
            connection.sendall(sent)
            received = b""
            try:
                while chunk := connection.recv(65_536):
                    received += chunk
            except (TimeoutError, ConnectionResetError):
                pass
            return received

    def metric(self, name: str, **labels: str) -> float:
        """Return a sample of /metrics."""
        wanted = ",".join(f'{label}="{value}"' for label, value in labels.items())
        pattern = re.escape(f"widgetstreams_gateway_{name}" + (f"{{{wanted}}}" if wanted else "")) + r" (\S+)"
        found = re.search(f"^{pattern}$", self.get("/metrics").body.decode(), re.MULTILINE)
        assert found, f"no {name} {labels}"
        return float(found[1])

    def rss_mb(self) -> float:
        """Return the memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


@contextmanager
def a_gateway(bootstrap: str, prefix: str, folder: Path, *arguments: str, ready: bool = True) -> Iterator[Gateway]:
    """Run a gateway until the block ends."""
    folder.mkdir(exist_ok=True)
    sites, key, log = folder / "sites.toml", folder / "token.key", folder / f"gateway-{time.time_ns()}.log"
    if not sites.exists():
        sites.write_text(SITES)
    key.write_text(SECRET)
    command = [sys.executable, "-m", "streams.cli.main", "gateway", f"--bootstrap-servers={bootstrap}"]
    command += [f"--topic-prefix={prefix}", "--gateway-port=0", f"--gateway-sites-file={sites}"]
    command += [f"--token-key-file={key}", "--gateway-notice-seconds=0", *arguments]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        running = Gateway(process, int(line.rsplit(":", 1)[1]), log, sites)
        if ready:
            wait_until_ready(running)
        yield running
    finally:
        process.kill()
        process.wait()


def wait_until_ready(gateway: Gateway, within_seconds: float = 60.0, *, status: int = 200) -> None:
    """Wait until /readyz answers so."""
    deadline = time.monotonic() + within_seconds
    while gateway.get("/readyz").status != status:
        assert time.monotonic() < deadline, f"/readyz did not turn {status}"
        time.sleep(0.1)


def compressed(body: object) -> bytes:
    """Return JSON as gzip."""
    return gzip.compress(json.dumps(body).encode())


@dataclass
class Crowd:
    """Collectors that post without end, and what they were told."""

    port: int
    taken: set[str] = field(default_factory=set)
    """Event ids that were answered with 202."""
    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0
    """Requests without an answer."""
    latencies: list[float] = field(default_factory=list)

    async def post(self, client: "Wire", events: list[Json], padding: str = "") -> int | None:
        """Post one batch, made larger by padding; note what was told, and return the status."""
        begun = time.monotonic()
        try:
            status, body = await client.post({"key": WRITE_KEY, "events": events, "padding": padding})
        except (OSError, EOFError, asyncio.IncompleteReadError):
            self.broken += 1
            return None
        self.latencies.append(time.monotonic() - begun)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 202:
            refused = {row["index"] for row in json.loads(body)["refused"]}
            self.taken.update(str(event["event_id"]) for place, event in enumerate(events) if place not in refused)
        return status


class Wire:
    """One connection of a collector; made again when it broke."""

    def __init__(self, port: int):
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, batch: Json) -> tuple[int, bytes]:
        """Post a batch and return status and body."""
        body = json.dumps(batch).encode()
        head = f"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(head.encode() + body)
            told = await reader.readuntil(b"\r\n\r\n")
            length = int(told.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            answer = await reader.readexactly(length)
        except (OSError, EOFError):
            self.close()
            raise
        if b"connection: close" in told.lower():
            self.close()
        return int(told.split(b" ", 2)[1]), answer

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None
