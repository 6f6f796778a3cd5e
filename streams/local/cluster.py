"""The nodes of one cluster: set up together, started together, ended together."""

import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from streams.local.errors import WrongRequestError
from streams.local.node import Node, NodeEndedError, Runtime
from streams.local.ports import HOST, free_ports, require_free
from streams.local.properties import Place, broker_properties
from streams.local.storage import Storage

READY_SECONDS: Final = 120.0
_ATTEMPTS: Final = 4


class Cluster:
    """Nodes 1 to n on 127.0.0.1, each a broker and a controller."""

    def __init__(self, storage: Storage, places: list[Place], runtime: Runtime, properties: Mapping[str, str]) -> None:
        self.nodes = [Node(place, storage.folder, runtime) for place in places]
        self._storage = storage
        self._properties = properties

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, as clients want them."""
        return ",".join(f"{HOST}:{node.place.port}" for node in self.nodes)

    def start(self) -> None:
        """Set up what is new and start all nodes; `wait_until_ready` waits for them.

        Raises:
            NodeEndedError: A node's storage cannot be set up.
        """
        places = [node.place for node in self.nodes]
        for node in self.nodes:
            content = broker_properties(node.place, places, node.storage, self._properties)
            node.properties.write_text(content, encoding="utf-8")
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: node.format(self._storage.cluster_id), self.nodes))
        for node in self.nodes:
            node.start()

    def wait_until_ready(self) -> None:
        """Wait until each broker answers.

        Raises:
            NodeEndedError: A node ended instead.
            LocalError: A node is not ready after READY_SECONDS.
        """
        deadline = time.monotonic() + READY_SECONDS
        for node in self.nodes:
            node.wait_until_ready(deadline)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End all nodes, all at the same time, and wait until they are gone."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: node.stop(number), self.nodes))


def launch(
    storage: Storage,
    nodes: int,
    port: int | None,
    runtime: Runtime,
    properties: Mapping[str, str],
    *,
    started: Callable[[Cluster], None] = lambda _: None,
) -> Cluster:
    """Start a cluster and return it when each broker answers.

    Args:
        storage: The folder, prepared for this number of nodes.
        nodes: How many.
        port: The first broker's port; None or 0 takes free ones, and others when these are taken meanwhile.
        runtime: What runs a node.
        properties: Broker properties that replace or add to ours.
        started: Told of the cluster when its processes run and do not yet answer.

    Raises:
        LocalError: It cannot be started; the text says why. Nothing is left running.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        cluster = Cluster(storage, places(nodes, port), runtime, properties)
        try:
            cluster.start()
            started(cluster)
            cluster.wait_until_ready()
            return cluster
        except BaseException as error:
            cluster.stop(signal.SIGKILL)
            taken = isinstance(error, NodeEndedError) and error.failure.retry_elsewhere
            if port or attempt == _ATTEMPTS or not taken:
                raise
    raise AssertionError("the last attempt returns or raises")


def places(nodes: int, port: int | None) -> list[Place]:
    """Say where the nodes go: brokers from `port` on, controllers on the ports after them; None or 0 takes free ones.

    Raises:
        WrongRequestError: A port is taken, or the ports end before the nodes do.
    """
    if not port:
        ports = free_ports(2 * nodes)
    elif port + 2 * nodes > 65_536:
        raise WrongRequestError(f"{nodes} nodes need {2 * nodes} ports from {port} on: choose a lower --port.")
    else:
        ports = list(range(port, port + 2 * nodes))
        require_free(ports)
    return [Place(node, ports[node - 1], ports[node - 1 + nodes]) for node in range(1, nodes + 1)]
