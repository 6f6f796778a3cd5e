"""A file that is read again when it changes, so that keys and sites are exchanged without a restart.

A change that cannot be read is told once and changes nothing: what was read before stays in force.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from streams.telemetry.logs import event

T = TypeVar("T")
Stamp = tuple[int, int, int]
log = logging.getLogger(__name__)


class FileError(Exception):
    """A file is not what it has to be; the text names it and says why, never what stands in it."""


class Watched(Generic[T]):
    """What a file holds, as it is now."""

    def __init__(self, path: Path, parse: Callable[[str], T]):
        """Read the file.

        Args:
            path: The file.
            parse: Gives what its text holds; raises ValueError, whose text says what is wrong.

        Raises:
            FileError: It cannot be read or is wrong.
        """
        self._path, self._parse = path, parse
        self._seen = self._stamp()
        self.value = self._read()
        self.generation = 0
        """Raised at each change that was taken over."""

    def refresh(self) -> bool:
        """Look at the file, and take over what has changed; tell whether something has."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp
            self.value = self._read()
        except FileError as error:
            log.error(event("file.not_taken_over", file=self._path.name, problem=str(error)))
            return False
        self.generation += 1
        log.info(event("file.taken_over", file=self._path.name))
        return True

    def _stamp(self) -> Stamp:
        try:
            status = os.stat(self._path)
        except OSError as error:
            raise FileError(f"{self._path} cannot be read: {error.strerror}.") from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> T:
        try:
            return self._parse(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FileError(f"{self._path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise FileError(f"{self._path} is wrong: {error}") from error
