"""A folder that lasts as long as its process: what a killed process left behind is removed by the next one."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from streams.local.locks import hold

_PREFIX: Final = "widget-streams-kafka-"
_YOUNG_SECONDS: Final = 60.0


class TemporaryFolder:
    """A new folder below the system's folder for temporary files, and beside it the lock that says it is in use."""

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = hold(_lock_file(self.folder))

    def remove(self) -> None:
        """Remove the folder with everything in it. Nothing happens the second time."""
        if self._lock is not None:
            _remove(self.folder)
            os.close(self._lock)
            self._lock = None


def sweep(young_seconds: float = _YOUNG_SECONDS) -> None:
    """Remove the folders whose process is gone: nobody holds their lock. Young ones may not be locked yet."""
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*.lock"):
        try:
            held = None if time.time() - lock.stat().st_mtime < young_seconds else hold(lock)
        except OSError:  # Another user's, or another process was quicker.
            continue
        if held is not None:
            _remove(lock.with_suffix(""))
            os.close(held)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _lock_file(folder).unlink(missing_ok=True)


def _lock_file(folder: Path) -> Path:
    return folder.with_name(folder.name + ".lock")
