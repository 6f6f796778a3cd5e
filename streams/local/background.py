"""A Kafka that goes on when the command that started it has ended: other commands look at it and stop it."""

import enum
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from streams.local import probe, state
from streams.local.cluster import Cluster, launch
from streams.local.errors import LocalError, WrongRequestError
from streams.local.failures import FULL_BYTES, explain, full_disk
from streams.local.locks import hold
from streams.local.node import Size
from streams.local.processes import end, is_alive
from streams.local.state import Running, RunningNode
from streams.local.storage import Storage, drop
from streams.local.tools import Tools, state_folder

_PATIENCE_SECONDS = 30.0


class Request(NamedTuple):
    """What shall run. `data` names a folder, which is kept; without it `keeps_data` decides between two of ours."""

    nodes: int
    port: int
    size: Size
    data: Path | None = None
    keeps_data: bool = False
    tethered: bool = False


class Condition(enum.Enum):
    """How a node is that was started."""

    ANSWERS = "answers"
    SILENT = "does not answer"
    ENDED = "ended by itself"
    FULL = "cannot write"


class NodeHealth(NamedTuple):
    """A node and how it is; `reason` tells why it ended or cannot write."""

    node: RunningNode
    condition: Condition
    reason: str = ""


class Background:
    """The one Kafka of this user that runs in the background."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use this folder for the note and for data without a place of their own; by default the user's."""
        self._folder = folder or state_folder() / "kafka"
        self._note = self._folder / "running.json"

    def start(self, request: Request, tools: Tools) -> Running:
        """Start it and return when it answers.

        Raises:
            WrongRequestError: It runs already, or what is asked for cannot be.
            LocalError: It cannot be started; the text says why. Nothing is left running.
        """
        with self._alone():
            self._refuse_second()
            folder, keeps_data = self._place(request)
            runtime = tools.runtime(request.size, tethered=request.tethered)
            if not keeps_data:
                drop(folder)
            storage = Storage.prepare(folder, request.nodes)

            def note(cluster: Cluster) -> None:
                nodes = tuple(RunningNode.of(node) for node in cluster.nodes)
                state.save(Running(folder, keeps_data, nodes), self._note)

            try:
                launch(storage, request.nodes, request.port, runtime, {}, started=note)
            except BaseException:
                self._note.unlink(missing_ok=True)
                raise
            running = self.running()
            assert running is not None
            return running

    def stop(self, *, drops_data: bool = False) -> Running | None:
        """End it, and drop its data unless they are to be kept. Returns what was ended; None when there was nothing.

        Args:
            drops_data: Drop kept data too; with nothing running, those of the default folder.
        """
        with self._alone():
            running = self.running()
            if running is None:
                if drops_data:
                    drop(self._kept)
                return None
            end([node.process for node in running.nodes], _PATIENCE_SECONDS)
            if drops_data or not running.keeps_data:
                drop(running.folder)
            self._note.unlink(missing_ok=True)
            return running

    def running(self) -> Running | None:
        """Return what was started and not stopped; its nodes may have ended meanwhile."""
        return state.load(self._note)

    @property
    def _kept(self) -> Path:
        return self._folder / "kept"

    def _place(self, request: Request) -> tuple[Path, bool]:
        if request.data is not None:
            return request.data.absolute(), True
        return (self._kept, True) if request.keeps_data else (self._folder / "data", False)

    def _refuse_second(self) -> None:
        running = self.running()
        alive = [node.process.pid for node in running.nodes if is_alive(node.process)] if running else []
        if running and alive:
            raise WrongRequestError(
                f"Kafka runs already at {running.bootstrap} (process {', '.join(map(str, alive))}). "
                "Use that, or stop it first with `widget-streams kafka stop`."
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one command at a time start or stop."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = hold(self._folder / "lock")
        except OSError as error:
            raise LocalError(f"{self._folder} cannot be written: {error.strerror or error}.") from error
        if lock is None:
            raise WrongRequestError("Another `widget-streams kafka` command is starting or stopping it: wait for that.")
        try:
            yield
        finally:
            os.close(lock)


def health(running: Running, full_bytes: int = FULL_BYTES) -> list[NodeHealth]:
    """Look at each node: whether its process is still the one that was started, can write, and answers.

    NB: on a full disk a broker goes on answering and takes nothing any more, not even the order to end itself.
    """
    return [_health(node, full_bytes) for node in running.nodes]


def _health(node: RunningNode, full_bytes: int) -> NodeHealth:
    if not is_alive(node.process):
        return NodeHealth(node, Condition.ENDED, explain(node.log, node.log_start_bytes).sentence)
    if failure := full_disk(node.log, full_bytes):
        return NodeHealth(node, Condition.FULL, failure.sentence)
    return NodeHealth(node, Condition.ANSWERS if probe.answers(node.port) else Condition.SILENT)
