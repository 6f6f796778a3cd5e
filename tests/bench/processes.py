"""Programs under measurement: started with this process, ended with it, watched through /proc."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.local import tether

PATIENCE_SECONDS = 15.0
TICKS = os.sysconf("SC_CLK_TCK")


class EndedError(Exception):
    """A program ended although nobody told it to; the text has the last lines of its log."""


class Program:
    """`python ARGUMENTS...` for as long as a `with` block."""

    def __init__(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None):
        """Prepare; the program's output goes to a file."""
        self.name = name
        self._arguments = arguments
        self._environment = {**os.environ, **(environment or {})}
        self._folder = tempfile.TemporaryDirectory(prefix="widget-streams-bench-")
        self.log = Path(self._folder.name) / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        command = [sys.executable, tether.__file__, str(os.getpid()), sys.executable, "-W", "ignore", *self._arguments]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: SIGTERM, and SIGKILL if it does not listen."""
        process = self.process
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._folder.cleanup()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The running process."""
        assert self._process is not None, "not started"
        return self._process

    def check(self) -> None:
        """Raise EndedError if it has ended."""
        if (code := self.process.poll()) is not None:
            lines = "\n  ".join(self.log.read_text(errors="replace").strip().splitlines()[-15:])
            raise EndedError(f"{self.name} ended with exit code {code}:\n  {lines}")

    def wait_for(self, text: str, seconds: float) -> float:
        """Wait until the log has this text; returns when it was first seen, by `time.monotonic`."""
        deadline = time.monotonic() + seconds
        while text not in self.log.read_text(errors="replace"):
            self.check()
            if time.monotonic() > deadline:
                raise EndedError(f"{self.name} did not say {text!r} in {seconds:g} s.")
            time.sleep(0.01)
        return time.monotonic()

    def cpu_seconds(self) -> float:
        """Return the processor time it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Return its resident memory; `VmHWM` for the highest so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith(field))
        return int(line.split()[1]) / 1024
