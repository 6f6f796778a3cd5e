"""The processes of the demo: our own commands, ended with the demo whatever happens to it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streams.local import tether

PATIENCE_SECONDS = 15.0


class ChildEndedError(Exception):
    """A process of the demo ended by itself; the text has the last lines of its log."""


@dataclass
class Children:
    """Starts commands of widget-streams, each with a log file, and ends them in the reverse order."""

    folder: Path
    environment: Mapping[str, str]
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> None:
        """Start `widget-streams ARGUMENTS`; its output goes to <name>.log."""
        command = [sys.executable, "-m", "streams.cli.main", *arguments]
        with self.log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, tether.__file__, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                # Ctrl-C is for the demo alone: it ends the others in order.
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        """Return the log file of a process."""
        return self.folder / f"{name}.log"

    def check(self) -> None:
        """Raise ChildEndedError when one has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                lines = self.log(name).read_text(errors="replace").strip().splitlines()[-5:]
                text = "\n  ".join(lines) or "(it wrote nothing)"
                raise ChildEndedError(f"The {name} ended with exit code {process.returncode}:\n  {text}")

    def stop(self) -> None:
        """End all: SIGTERM, and SIGKILL for who does not listen."""
        processes = list(reversed(self._running.items()))
        self._running.clear()
        for _, process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for _, process in processes:
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
