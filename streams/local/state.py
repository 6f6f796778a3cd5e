"""The note of a Kafka that runs in the background: enough to find it again, to say how it is and to end it."""

import json
import os
from pathlib import Path
from typing import NamedTuple, Self

from streams.local.errors import LocalError
from streams.local.node import Node
from streams.local.ports import HOST
from streams.local.processes import Identity


class RunningNode(NamedTuple):
    """A node that was started. What its log told before `log_start_bytes` is of an earlier run."""

    node: int
    process: Identity
    port: int
    log: Path
    log_start_bytes: int

    @classmethod
    def of(cls, node: Node) -> Self:
        """Take down a node that was just started.

        Raises:
            NodeEndedError: It has ended already.
        """
        process = node.process
        if process is None:
            raise node.ended()
        return cls(node.place.node, process, node.place.port, node.log, node.log_start_bytes)


class Running(NamedTuple):
    """A cluster that was started. `keeps_data`: its folder outlives it."""

    folder: Path
    keeps_data: bool
    nodes: tuple[RunningNode, ...]

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, as clients want them."""
        return ",".join(f"{HOST}:{node.port}" for node in self.nodes)


def save(running: Running, file: Path) -> None:
    """Write the note; a reader sees the old or the new one, never a part."""
    nodes = [{**node._asdict(), "process": node.process._asdict(), "log": str(node.log)} for node in running.nodes]
    note = {"folder": str(running.folder), "keeps_data": running.keeps_data, "nodes": nodes}
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    os.replace(unfinished, file)


def load(file: Path) -> Running | None:
    """Read the note; None when there is none.

    Raises:
        LocalError: It is damaged.
    """
    try:
        note = json.loads(file.read_text(encoding="utf-8"))
        nodes = tuple(
            RunningNode(
                node=int(one["node"]),
                process=Identity(int(one["process"]["pid"]), str(one["process"]["started"])),
                port=int(one["port"]),
                log=Path(one["log"]),
                log_start_bytes=int(one["log_start_bytes"]),
            )
            for one in note["nodes"]
        )
        return Running(Path(note["folder"]), bool(note["keeps_data"]), nodes)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(
            f"The note of the running Kafka is damaged: {file}. End any java process that runs kafka.Kafka, "
            "remove the note, and start again."
        ) from error
