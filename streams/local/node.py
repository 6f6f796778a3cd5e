"""One node of an embedded cluster: a JVM that is broker and controller at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Final, NamedTuple

from streams.local import probe, tether
from streams.local.errors import LocalError
from streams.local.failures import Failure, explain
from streams.local.java import Java
from streams.local.processes import Identity, identify
from streams.local.properties import Place

_STARTED: Final = b"Kafka Server started"
_POLL_SECONDS: Final = 0.05
_FORMAT_SECONDS: Final = 120
_LOGGING: Final = """<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d{ISO8601} %p %c{1} %m%n"/></Console></Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""


class Size(NamedTuple):
    """How large a node's JVM is. `quick_start` compiles less well and sooner: right for tests, wrong for figures."""

    heap_mb: int = 384
    quick_start: bool = True


FOR_TESTS: Final = Size()
FOR_BENCHMARKS: Final = Size(heap_mb=1024, quick_start=False)


class Runtime(NamedTuple):
    """What runs a node. A tethered node dies with the process that started it, even if that is killed."""

    java: Java
    jars: Path
    size: Size = FOR_TESTS
    tethered: bool = True


class NodeEndedError(LocalError):
    """A node ended although nobody told it to."""

    def __init__(self, node: int, log: Path, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"Node {node} of Kafka ended. {failure.sentence} Its log: {log}")


class Node:
    """A node in its folder: `node-N` with what it stores, and beside it its properties and its log."""

    def __init__(self, place: Place, folder: Path, runtime: Runtime) -> None:
        self.place = place
        self.storage = folder / f"node-{place.node}"
        self.log = folder / f"node-{place.node}.log"
        self.properties = folder / f"node-{place.node}.properties"
        self._folder = folder
        self._runtime = runtime
        self._process: subprocess.Popen[bytes] | None = None
        self.log_start_bytes = 0

    @property
    def process(self) -> Identity | None:
        """The running process; None before the start and after the end."""
        return identify(self._process.pid) if self._process and self._process.poll() is None else None

    def format(self, cluster_id: str) -> None:
        """Prepare the storage, unless it was prepared before and kept.

        Raises:
            NodeEndedError: Kafka's own storage tool refused.
        """
        if (self.storage / "meta.properties").exists():
            return
        command = self._java("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self.properties))
        self.log_start_bytes = self._log_size_bytes()
        with self.log.open("ab") as log:
            ended = subprocess.run(  # noqa: S603 - put together here
                command, stdout=log, stderr=log, timeout=_FORMAT_SECONDS, check=False
            )
        if ended.returncode:
            raise self.ended()

    def start(self) -> None:
        """Start the JVM; `wait_until_ready` waits for the broker."""
        command = self._java("kafka.Kafka", str(self.properties))
        if self._runtime.tethered:
            command = [sys.executable, "-I", "-S", str(tether.__file__), str(os.getpid()), *command]
        self.log_start_bytes = self._log_size_bytes()
        started: Future[subprocess.Popen[bytes]] = Future()
        threading.Thread(target=_run, args=(command, self.log, started), name=self.storage.name, daemon=True).start()
        self._process = started.result()

    def wait_until_ready(self, deadline: float) -> None:
        """Wait until the broker is a member of the cluster and answers. The deadline is one of `time.monotonic`.

        Raises:
            NodeEndedError: It ended instead.
            LocalError: It did not get there in time.
        """
        while not (self._has_started() and probe.answers(self.place.port)):
            if self.process is None:
                raise self.ended()
            if time.monotonic() > deadline:
                raise LocalError(f"Node {self.place.node} of Kafka does not get ready. Its log: {self.log}")
            time.sleep(_POLL_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGTERM, patience_seconds: float = 20.0) -> None:
        """End the JVM with the signal and wait; after the patience it is killed. Nothing happens when it has ended."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _java(self, main: str, *arguments: str) -> list[str]:
        java, jars, size, _ = self._runtime
        logging = self._folder / "log4j2.xml"
        logging.write_text(_LOGGING, encoding="utf-8")
        quick = ("-XX:TieredStopAtLevel=1",) if size.quick_start else ()
        heap = (f"-Xms{min(64, size.heap_mb)}m", f"-Xmx{size.heap_mb}m")
        fixed = ("-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData")
        files = (f"-Dlog4j2.configurationFile={logging.as_uri()}", f"-Djava.io.tmpdir={self._folder / 'tmp'}")
        return [java.path, *heap, *fixed, *quick, *java.flags(), *files, "-cp", str(jars / "*"), main, *arguments]

    def _has_started(self) -> bool:
        with self.log.open("rb") as log:
            log.seek(self.log_start_bytes)
            return _STARTED in log.read()

    def _log_size_bytes(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def ended(self) -> NodeEndedError:
        """Tell why the node ended, from what it left in its log."""
        return NodeEndedError(self.place.node, self.log, explain(self.log, self.log_start_bytes))


def _run(command: list[str], log: Path, started: Future[subprocess.Popen[bytes]]) -> None:
    """Start the command and stay until it ends: a tether holds to the thread, not to the process, that started it."""
    try:
        with log.open("ab") as output:
            # A session of its own: Ctrl-C is for us, who then end the nodes in order.
            process = subprocess.Popen(  # noqa: S603 - put together by the node
                command, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
    except OSError as error:
        started.set_exception(error)
        return
    started.set_result(process)
    process.wait()
