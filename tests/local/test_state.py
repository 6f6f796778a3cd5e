"""The note of what runs, the words for what ended, and the properties of a node."""

import io
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.main import main
from streams.local import state
from streams.local.background import Background, Condition, Request, health
from streams.local.errors import LocalError, WrongRequestError
from streams.local.failures import explain
from streams.local.jars import Progress
from streams.local.locks import hold
from streams.local.node import FOR_TESTS
from streams.local.processes import Identity, identify
from streams.local.progress import told_on
from streams.local.properties import Place, broker_properties
from streams.local.state import Running, RunningNode
from streams.local.tools import Tools

REQUEST = Request(1, 0, FOR_TESTS)


def running_in(folder: Path, pid: int, started: str = "a boot+1") -> Running:
    """Describe a node that was started in the folder."""
    node = RunningNode(1, Identity(pid, started), 29_092, folder / "node-1.log", 0)
    return Running(folder, keeps_data=False, nodes=(node,))


def test_the_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    """No note is no Kafka; a damaged one is told."""
    file = tmp_path / "running.json"
    assert state.load(file) is None
    running = running_in(tmp_path, 42)
    state.save(running, file)
    assert state.load(file) == running
    assert running.bootstrap == "127.0.0.1:29092"
    for damaged in ("", "{}", '{"folder": "x", "keeps_data": true, "nodes": [{}]}', "[]"):
        file.write_text(damaged)
        with pytest.raises(LocalError, match=r"is damaged: .*running\.json"):
            state.load(file)


def test_a_stale_note_is_told_and_cleared(tmp_path: Path) -> None:
    """The pid belongs to another process now: it is called ended, and is not touched by the stop."""
    with subprocess.Popen(["sleep", "60"]) as other:
        running = running_in(tmp_path / "data", other.pid)
        state.save(running, tmp_path / "running.json")
        background = Background(tmp_path)
        assert [one.condition for one in health(running)] == [Condition.ENDED]
        assert background.stop() == running
        assert background.running() is None
        assert other.poll() is None
        other.kill()


def test_a_running_node_on_a_full_disk_is_told(tmp_path: Path) -> None:
    """It would go on answering; what is too little room is said here."""
    own = identify(os.getpid())
    assert own is not None
    running = running_in(tmp_path, own.pid, own.started)
    (node,) = health(running, full_bytes=1 << 60)
    assert node.condition is Condition.FULL
    assert node.reason == "The disk under its data is full: make room, or choose another with --data."
    assert health(running)[0].condition is Condition.SILENT


def test_one_command_at_a_time_starts_or_stops(tmp_path: Path) -> None:
    """While another holds the lock, both are refused."""
    lock = hold(tmp_path / "lock")
    assert lock is not None
    with pytest.raises(WrongRequestError, match="Another"):
        Background(tmp_path).start(REQUEST, Tools())
    with pytest.raises(WrongRequestError, match="Another"):
        Background(tmp_path).stop()
    os.close(lock)
    assert Background(tmp_path).stop() is None


@pytest.mark.parametrize(
    ("log", "says"),
    [
        ("java.io.IOException: No space left on device", "disk under its data is full"),
        ("java.net.BindException: Address already in use", "A port was taken"),
        ("java.lang.UnsupportedClassVersionError: kafka/Kafka", "Java is too old"),
        ("INFO fine\nERROR something new\nINFO bye", "Its last error: ERROR something new"),
        ("INFO Kafka Server started", "tells of no error"),
        (None, "tells of no error"),
    ],
)
def test_the_reason_of_an_end_is_told(tmp_path: Path, log: str | None, says: str) -> None:
    """Known causes in words that help, others as the log has them."""
    if log is not None:
        (tmp_path / "log").write_text(log)
    assert says in explain(tmp_path / "log").sentence


def test_an_earlier_runs_trouble_is_not_told_again(tmp_path: Path) -> None:
    """Only what the log says from the given place on counts."""
    (tmp_path / "log").write_text("ERROR No space left on device\n")
    size = (tmp_path / "log").stat().st_size
    assert "full" in explain(tmp_path / "log").sentence
    assert "full" not in explain(tmp_path / "log", size).sentence


def test_three_nodes_know_each_other_and_copy_everything() -> None:
    """Voters are the controllers; given properties come last."""
    cluster = [Place(node, 100 + node, 200 + node) for node in (1, 2, 3)]
    lines = broker_properties(cluster[1], cluster, Path("/data"), {"num.io.threads": "9"}).splitlines()
    assert {
        "node.id=2",
        "controller.quorum.voters=1@127.0.0.1:201,2@127.0.0.1:202,3@127.0.0.1:203",
        "advertised.listeners=PLAINTEXT://127.0.0.1:102",
        "transaction.state.log.replication.factor=3",
        "min.insync.replicas=2",
        "num.io.threads=9",
    } <= set(lines)
    assert len({line.partition("=")[0] for line in lines}) == len(lines)


def test_a_download_is_told_in_few_lines_and_to_its_end() -> None:
    """Without a terminal four lines are enough for 41 files."""
    stream = io.StringIO()
    report = told_on(stream)
    for files in range(1, 42):
        report(Progress(files, 41, files * 1024 * 1024, 41 * 1024 * 1024))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[-1].endswith("41 of 41 files, 41 of 41 MiB")


def test_status_and_stop_without_kafka(tmp_path: Path) -> None:
    """Nothing runs: exit code 3 for who needs it, 0 for who wants it gone; a damaged note is a problem."""
    runner = CliRunner(env={"XDG_STATE_HOME": str(tmp_path)})
    status = runner.invoke(main, ["kafka", "status"])
    assert (status.exit_code, "kafka start" in status.output) == (3, True)
    stop = runner.invoke(main, ["kafka", "stop"])
    assert (stop.exit_code, stop.output) == (0, "Kafka was not running.\n")
    (tmp_path / "widget-streams/kafka/running.json").write_text("{}")
    assert runner.invoke(main, ["kafka", "status"]).exit_code == 1
