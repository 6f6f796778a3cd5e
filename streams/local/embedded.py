"""A whole Kafka cluster on this machine, for as long as a `with` block or the process that started it."""

import base64
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from streams.local.errors import WrongRequestError
from streams.local.node import FOR_TESTS, Node, NodeEndedError, Runtime, Size
from streams.local.ports import HOST, free_ports, require_free
from streams.local.properties import Place, broker_properties
from streams.local.tools import Tools

_READY_SECONDS: Final = 120.0
_ATTEMPTS: Final = 4


class EmbeddedKafka:
    """One or three brokers on 127.0.0.1 that end with the process that started them, even if that is killed.

        with EmbeddedKafka() as kafka:
            producer = Producer({"bootstrap.servers": kafka.bootstrap})

    Args:
        nodes: 1, or 3 with three copies of everything.
        data: Where to store; kept afterwards, and used again if it holds a cluster. None: a temporary folder.
        port: The first broker's port; the next ports are taken for the others and for the controllers. None: free ones.
        size: Heap and compiler; `FOR_BENCHMARKS` where figures are taken.
        properties: Broker properties that replace or add to ours.
        tools: Which Java and which repository of jars; None: as the environment says.
    """

    def __init__(
        self,
        nodes: int = 1,
        *,
        data: Path | None = None,
        port: int | None = None,
        size: Size = FOR_TESTS,
        properties: Mapping[str, str] | None = None,
        tools: Tools | None = None,
    ) -> None:
        if nodes not in (1, 3):
            raise WrongRequestError(f"A cluster has 1 or 3 nodes, not {nodes}.")
        self._count = nodes
        self._data = data
        self._port = port
        self._size = size
        self._properties = dict(properties or {})
        self._tools = tools or Tools.from_environment()
        self._folder: Path | None = None
        self._nodes: list[Node] = []

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, as clients want them; the same after `kill` and `restart` of a node."""
        return ",".join(f"{HOST}:{node.place.port}" for node in self._nodes)

    @property
    def pids(self) -> dict[int, int]:
        """The process of each running node, by the node's id from 1 on."""
        running = ((node.place.node, node.process) for node in self._nodes)
        return {node: process.pid for node, process in running if process}

    @property
    def logs(self) -> list[Path]:
        """The log file of each node."""
        return [node.log for node in self._nodes]

    def start(self) -> Self:
        """Start all nodes and wait until they answer.

        Raises:
            LocalError: Something is missing or wrong; the text says what to do. Nothing is left running.
        """
        runtime = self._tools.runtime(self._size)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._start(runtime)
            except NodeEndedError as error:
                self.stop()
                if self._port or attempt == _ATTEMPTS or not error.failure.retry_elsewhere:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                break
        return self

    def stop(self) -> None:
        """End all nodes and drop what is temporary. Nothing happens when it was not started."""
        if self._nodes:
            with ThreadPoolExecutor(len(self._nodes)) as pool:
                list(pool.map(lambda node: node.stop(self._ending), self._nodes))
        if self._data is None and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    def kill(self, node: int = 1) -> None:
        """Kill a node's process as a crash would, and return when it is gone. `restart` brings it back."""
        self._nodes[node - 1].stop(signal.SIGKILL)

    def stop_node(self, node: int = 1) -> None:
        """End a node in order, as for maintenance. `restart` brings it back."""
        self._nodes[node - 1].stop()

    def restart(self, node: int = 1) -> None:
        """Start a node that was killed or stopped, on its old port and data, and wait until it answers."""
        self._nodes[node - 1].start()
        self._nodes[node - 1].wait_until_ready(time.monotonic() + _READY_SECONDS)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def _ending(self) -> signal.Signals:
        """What is thrown away need not be brought into order first."""
        return signal.SIGKILL if self._data is None else signal.SIGTERM

    def _start(self, runtime: Runtime) -> None:
        self._folder = folder = self._data or Path(tempfile.mkdtemp(prefix="widget-streams-kafka-"))
        folder.mkdir(parents=True, exist_ok=True)
        places = self._places()
        self._nodes = [Node(place, folder, runtime) for place in places]
        for node in self._nodes:
            content = broker_properties(node.place, places, node.storage, self._properties)
            node.properties.write_text(content, encoding="utf-8")
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        with ThreadPoolExecutor(self._count) as pool:
            list(pool.map(lambda node: node.format(cluster_id), self._nodes))
        for node in self._nodes:
            node.start()
        deadline = time.monotonic() + _READY_SECONDS
        for node in self._nodes:
            node.wait_until_ready(deadline)

    def _places(self) -> list[Place]:
        ports = free_ports(2 * self._count)
        if self._port:
            ports = list(range(self._port, self._port + 2 * self._count))
            require_free(ports)
        return [Place(node, ports[node - 1], ports[node - 1 + self._count]) for node in range(1, self._count + 1)]
