"""A Kafka for as long as a `with` block: what tests, the demo and benchmarks use."""

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.local.cluster import READY_SECONDS, Cluster, launch
from streams.local.errors import WrongRequestError
from streams.local.node import FOR_TESTS, Node, Size
from streams.local.storage import Storage
from streams.local.temporary import TemporaryFolder
from streams.local.tools import Tools


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
        self._temporary: TemporaryFolder | None = None
        self._cluster: Cluster | None = None

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, as clients want them; the same after `kill` and `restart` of a node."""
        return self._running.bootstrap

    @property
    def pids(self) -> dict[int, int]:
        """The process of each running node, by the node's id from 1 on; empty when nothing runs."""
        running = ((node.place.node, node.process) for node in (self._cluster.nodes if self._cluster else ()))
        return {node: process.pid for node, process in running if process}

    @property
    def logs(self) -> list[Path]:
        """The log file of each node; in a temporary folder they go with `stop`."""
        return [node.log for node in self._running.nodes]

    def start(self) -> Self:
        """Start all nodes and wait until they answer.

        Raises:
            LocalError: Something is missing or wrong; the text says what to do. Nothing is left running.
            RuntimeError: It runs already.
        """
        if self._cluster is not None:
            raise RuntimeError("This EmbeddedKafka was started already.")
        # When this fails the folder stays, with the log that tells why; the next process to start a Kafka removes it.
        runtime = self._tools.runtime(self._size)
        storage = Storage.prepare(self._folder(), self._count)
        self._cluster = launch(storage, self._count, self._port, runtime, self._properties)
        return self

    def stop(self) -> None:
        """End all nodes and drop what is temporary. Nothing happens when nothing runs."""
        if self._cluster is not None:
            # What is thrown away need not be brought into order first.
            self._cluster.stop(signal.SIGKILL if self._data is None else signal.SIGTERM)
            self._cluster = None
        if self._temporary is not None:
            self._temporary.remove()
            self._temporary = None

    def kill(self, node: int = 1) -> None:
        """Kill a node's process as a crash would, and return when it is gone. `restart` brings it back."""
        self._node(node).stop(signal.SIGKILL)

    def stop_node(self, node: int = 1) -> None:
        """End a node in order, as for maintenance. `restart` brings it back."""
        self._node(node).stop()

    def restart(self, node: int = 1) -> None:
        """Start a node that was killed or stopped, on its old port and data, and wait until it answers."""
        self._node(node).start()
        self._node(node).wait_until_ready(time.monotonic() + READY_SECONDS)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def _running(self) -> Cluster:
        if self._cluster is None:
            raise RuntimeError("This EmbeddedKafka does not run: start it first.")
        return self._cluster

    def _node(self, node: int) -> Node:
        return self._running.nodes[node - 1]

    def _folder(self) -> Path:
        if self._data is not None:
            return self._data
        self._temporary = TemporaryFolder()
        return self._temporary.folder
