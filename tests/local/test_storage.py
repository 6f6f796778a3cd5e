"""Folders: taken up again, never somebody else's, dropped whole, and swept when their process is gone."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.local import temporary
from streams.local.errors import LocalError, WrongRequestError
from streams.local.storage import Storage, drop, is_ours
from streams.local.temporary import TemporaryFolder, sweep


def test_a_cluster_is_taken_up_again(tmp_path: Path) -> None:
    """The same folder gives the same cluster, another folder another one."""
    first = Storage.prepare(tmp_path / "a", 3, needed_bytes=0)
    assert Storage.prepare(tmp_path / "a", 3, needed_bytes=0) == first
    assert Storage.prepare(tmp_path / "b", 3, needed_bytes=0).cluster_id != first.cluster_id
    assert len(first.cluster_id) == 22
    assert "-" not in first.cluster_id


def test_a_cluster_of_another_size_is_refused(tmp_path: Path) -> None:
    """The sentence says with how many nodes it can be started."""
    Storage.prepare(tmp_path / "a", 1, needed_bytes=0)
    with pytest.raises(WrongRequestError, match=r"holds a cluster of 1 node: start it with --nodes 1"):
        Storage.prepare(tmp_path / "a", 3, needed_bytes=0)


def test_somebody_elses_folder_is_neither_used_nor_dropped(tmp_path: Path) -> None:
    """A file that is not ours is enough."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(WrongRequestError, match="is not empty"):
        Storage.prepare(tmp_path, 1, needed_bytes=0)
    drop(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_dropping_leaves_what_was_put_beside(tmp_path: Path) -> None:
    """All of the cluster goes; the folder stays only for a stranger's file."""
    for folder, stranger in ((tmp_path / "a", False), (tmp_path / "b", True)):
        Storage.prepare(folder, 1, needed_bytes=0)
        (folder / "node-1" / "topic-0").mkdir(parents=True)
        (folder / "node-1.log").touch()
        if stranger:
            (folder / "thesis.txt").touch()
        drop(folder)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["b", "b/thesis.txt"]
    drop(tmp_path / "a")


def test_a_damaged_label_is_told(tmp_path: Path) -> None:
    """The sentence names the file."""
    Storage.prepare(tmp_path / "a", 1, needed_bytes=0)
    next((tmp_path / "a").glob("*.json")).write_text("{}")
    assert is_ours(tmp_path / "a")
    with pytest.raises(LocalError, match=r"widget-streams-kafka\.json is damaged"):
        Storage.prepare(tmp_path / "a", 1, needed_bytes=0)


def test_too_little_room_is_told_before_the_start(tmp_path: Path) -> None:
    """The sentence says how much is free and how much is needed."""
    with pytest.raises(LocalError, match=r"too little room .* MiB are free, 1099511627776 MiB are needed.*--data"):
        Storage.prepare(tmp_path / "a", 1, needed_bytes=2**60)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match=r"cannot be kept in .*--data"):
        Storage.prepare(tmp_path / "file" / "a", 1, needed_bytes=0)


def test_the_folder_of_a_killed_process_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is in use stays, also for a sweep of another process; a young one stays as it may not be locked yet."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    killed = f"import os; from {temporary.__name__} import TemporaryFolder; TemporaryFolder(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", killed]).returncode == -9
    mine = TemporaryFolder()
    sweep()
    assert len(list(tmp_path.iterdir())) == 4
    sweep(young_seconds=-1)
    assert sorted(tmp_path.iterdir()) == [mine.folder, mine.folder.with_name(mine.folder.name + ".lock")]
    mine.remove()
    mine.remove()
    assert not list(tmp_path.iterdir())
