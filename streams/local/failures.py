"""Why a broker ended, told from what it left in its log: one sentence, and what to do."""

import shutil
from pathlib import Path
from typing import Final, NamedTuple

FULL_BYTES: Final = 1024 * 1024
"""A disk with less room than this is full: no segment can be written any more."""
_TAIL_BYTES: Final = 200_000
_LAST_WORDS_CHARACTERS: Final = 300


class Failure(NamedTuple):
    """Why a node ended. `retry_elsewhere`: other ports would have helped."""

    sentence: str
    retry_elsewhere: bool = False


_KNOWN: Final[dict[str, Failure]] = {
    "No space left on device": Failure("The disk under its data is full: make room, or choose another with --data."),
    "Disk quota exceeded": Failure("The quota of its disk is used up: make room, or choose another with --data."),
    "Address already in use": Failure("A port was taken meanwhile: start again, or choose another with --port.", True),
    "UnsupportedClassVersionError": Failure("This Java is too old for it: name a newer one with --java."),
    "Could not reserve enough space": Failure("There is not enough memory for its heap: end something else."),
    "insufficient memory for the Java Runtime": Failure("There is not enough memory for Java: end something else."),
    "java.lang.OutOfMemoryError": Failure("Its heap is too small for this load."),
    "Failed to acquire lock": Failure("Another Kafka uses the same data: stop that, or choose another with --data."),
    "Permission denied": Failure(
        "It may not write to its data: check the folder's owner, or choose another with --data."
    ),
    "AccessDeniedException": Failure("It may not write to its data: check the folder, or choose another with --data."),
    "Read-only file system": Failure("The disk under its data is read-only: choose another with --data."),
    "InconsistentClusterIdException": Failure("Its data is of another cluster: choose another folder with --data."),
    "Too many open files": Failure("It may not open more files: raise the limit (ulimit -n)."),
}
_TELLING: Final = ("ERROR", "FATAL", "Exception", "Error:")


def explain(log: Path, since_bytes: int = 0) -> Failure:
    """Say why the node ended that wrote this log, from the given place on.

    A cause that is not known gives the log's last line of an error.
    """
    text = _tail(log, since_bytes)
    for sign, failure in _KNOWN.items():
        if sign in text:
            return failure
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if any(word in line for word in _TELLING)]
    if not telling and log.exists() and (full := full_disk(log)):
        return full  # Then there was no room for the last words either.
    if not telling:
        return Failure("Its log tells of no error: somebody killed it, or the kernel did for want of memory.")
    return Failure(f"Its last error: {telling[-1][:_LAST_WORDS_CHARACTERS]}")


def full_disk(log: Path, full_bytes: int = FULL_BYTES) -> Failure | None:
    """Say that the disk under a node's log and data is full, where it is."""
    return _KNOWN["No space left on device"] if shutil.disk_usage(log.parent).free < full_bytes else None


def _tail(log: Path, since_bytes: int) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(since_bytes, log.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
