"""The folder in which a cluster keeps everything: new or taken up again, never somebody else's."""

import base64
import json
import shutil
import uuid
from pathlib import Path
from typing import Final, NamedTuple, Self

from streams.local.errors import LocalError, WrongRequestError

NEEDED_BYTES: Final = 512 * 1024 * 1024
"""With less room than this a start is refused: a broker whose disk fills up ends at once."""

_LABEL: Final = "widget-streams-kafka.json"
_OURS: Final = ("node-*", "tmp", "log4j2.xml", _LABEL)
_MEBIBYTE: Final = 1024 * 1024


class Storage(NamedTuple):
    """A folder that holds one cluster, or is ready to."""

    folder: Path
    cluster_id: str

    @classmethod
    def prepare(cls, folder: Path, nodes: int, needed_bytes: int = NEEDED_BYTES) -> Self:
        """Take up the cluster in the folder, or make the folder ready for a new one. Its path becomes absolute.

        Raises:
            WrongRequestError: Something else is in the folder, or a cluster of another size.
            LocalError: The folder cannot be written, or there is not enough room.
        """
        folder = folder.absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            cluster_id = _known_cluster(folder, nodes) if is_ours(folder) else _new_cluster(folder, nodes)
            (folder / "tmp").mkdir(exist_ok=True)
            free_bytes = shutil.disk_usage(folder).free
        except OSError as error:
            raise LocalError(
                f"Kafka's data cannot be kept in {folder}: {error.strerror or error}. Choose another with --data."
            ) from error
        if free_bytes < needed_bytes:
            raise LocalError(
                f"There is too little room for Kafka's data in {folder}: {free_bytes // _MEBIBYTE} MiB are free, "
                f"{needed_bytes // _MEBIBYTE} MiB are needed. Make room, or choose another disk with --data."
            )
        return cls(folder, cluster_id)


def is_ours(folder: Path) -> bool:
    """Tell whether the folder holds a cluster that was made here."""
    return (folder / _LABEL).is_file()


def drop(folder: Path) -> None:
    """Remove a cluster's files, and the folder if nothing else is in it. A folder that is not ours stays as it is."""
    if not is_ours(folder):
        return
    for path in [path for pattern in _OURS for path in folder.glob(pattern)]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _known_cluster(folder: Path, nodes: int) -> str:
    try:
        label = json.loads((folder / _LABEL).read_text(encoding="utf-8"))
        stored, cluster_id = int(label["nodes"]), str(label["cluster_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(f"{folder / _LABEL} is damaged: remove {folder}, or choose another with --data.") from error
    if stored != nodes:
        raise WrongRequestError(
            f"{folder} holds a cluster of {stored} node{'s' if stored > 1 else ''}: start it with --nodes {stored}, "
            "or choose another folder with --data."
        )
    return cluster_id


def _new_cluster(folder: Path, nodes: int) -> str:
    if any(folder.iterdir()):
        raise WrongRequestError(
            f"{folder} is not empty and holds no Kafka of ours: choose an empty or a new folder with --data."
        )
    # Kafka takes an id as 22 characters of base64; a leading hyphen would read as an option of its storage tool.
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    label = {"nodes": nodes, "cluster_id": cluster_id}
    (folder / _LABEL).write_text(json.dumps(label) + "\n", encoding="utf-8")
    return cluster_id
