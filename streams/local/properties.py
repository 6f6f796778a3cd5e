"""The settings of an embedded broker: small, quick to start, and as strict as a real cluster where it matters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from streams.local.ports import HOST

_SMALL: Final = {
    # No client makes a topic by a spelling mistake.
    "auto.create.topics.enable": "false",
    # Consumers join at once, and tests may use short sessions.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # A killed broker is missed sooner, and may come back sooner: until then the controller refuses its successor.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    # Records of 1 MiB with room for the batch around them: what is too large is for our own code to refuse.
    "message.max.bytes": "2097152",
    "replica.fetch.max.bytes": "2097152",
    # Every segment sets aside two index files of full size; the default is 10 MiB each.
    "log.index.size.max.bytes": "262144",
    "log.segment.bytes": "67108864",
    "offsets.topic.segment.bytes": "8388608",
    "transaction.state.log.segment.bytes": "8388608",
    # Recorded events are old: a topic without its own retention keeps them.
    "log.retention.ms": "-1",
    "log.cleaner.threads": "1",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}


class Place(NamedTuple):
    """Where one node of a cluster is: its id from 1 on, and its two ports."""

    node: int
    port: int
    controller_port: int


def broker_properties(place: Place, cluster: list[Place], folder: Path, more: Mapping[str, str]) -> str:
    """Write the properties file of one node.

    Args:
        place: The node.
        cluster: All nodes, this one among them.
        folder: Where the node keeps its log.
        more: Broker properties that replace or add to ours.
    """
    content = {**_roles(place, cluster, folder), **_replication(len(cluster)), **_SMALL, **more}
    return "".join(f"{name}={value}\n" for name, value in content.items())


def _roles(place: Place, cluster: list[Place], folder: Path) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": str(place.node),
        "controller.quorum.voters": ",".join(f"{one.node}@{HOST}:{one.controller_port}" for one in cluster),
        "listeners": f"PLAINTEXT://{HOST}:{place.port},CONTROLLER://{HOST}:{place.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{place.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": folder.as_posix(),
    }


def _replication(nodes: int) -> dict[str, str]:
    """Three copies of which two must be written, as in a real cluster; one node has one copy."""
    copies, in_sync = ("3", "2") if nodes >= 3 else ("1", "1")
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
    }
