"""Commands under test as processes of their own: started, signalled, waited for, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.local import tether

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.1
"""Between two looks; most of them read topics, and the workers need the machine too."""


def until(what: Callable[[], bool], seconds: float, told: Callable[[], str] = lambda: "") -> None:
    """Wait until something is so, and fail with what `told` says when it is not in time."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {told()}"
        time.sleep(POLL_SECONDS)


class Process:
    """A Python module that runs as a process; it is killed at the end of the `with` block and with the tests."""

    def __init__(self, log: Path, module: str, *arguments: str, environment: Mapping[str, str] | None = None):
        """Start `python -m MODULE ARGUMENTS`; what it says goes to the log file."""
        self._log = log
        command = [sys.executable, "-m", module, *arguments]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, tether.__file__, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=ROOT,
                env={**_own(os.environ), **(environment or {})},
            )

    @property
    def text(self) -> str:
        """Everything it said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def until(self, what: Callable[[], bool], seconds: float = 60) -> Self:
        """Wait until something is so while it runs."""
        until(lambda: what() or not self.runs, seconds, lambda: self.text[-3_000:])
        assert what(), f"it ended with {self._process.poll()}: {self.text[-3_000:]}"
        return self

    def until_said(self, text: str, seconds: float = 60, times: int = 1) -> Self:
        """Wait until it said something, so many times."""
        return self.until(lambda: self.text.count(text) >= times, seconds)

    def ended(self, seconds: float = 60) -> int:
        """Wait until it ends by itself and return its exit code."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it still runs after {seconds:g} s: {self.text[-3_000:]}") from None

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60) -> int:
        """Send a signal, wait for the end and return the exit code."""
        self.send(number)
        return self.ended(seconds)

    def __enter__(self) -> Self:
        """Give the process."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill it if it still runs."""
        if self.runs:
            self._process.kill()
        self._process.wait()


def _own(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without settings of ours: a test says what it sets."""
    return {name: value for name, value in environment.items() if not name.startswith("WIDGET_STREAMS_")}
