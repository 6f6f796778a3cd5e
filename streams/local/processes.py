"""Processes that outlive the command that started them: known by pid *and* start time, because pids are used again."""

import os
import signal
import time
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_POLL_SECONDS: Final = 0.05


class Identity(NamedTuple):
    """One process, never to be mistaken for a later one with the same pid.

    `started` is the boot and the clock ticks since then; it means nothing but same or not.
    """

    pid: int
    started: str


def identify(pid: int) -> Identity | None:
    """Say which process has the pid now; None when there is none, or only the rest of one that has ended."""
    try:
        # The name in the second field may hold anything, so count from its closing bracket (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else Identity(pid, f"{_boot()}+{fields[19]}")


def is_alive(process: Identity) -> bool:
    """Tell whether this very process still runs."""
    return identify(process.pid) == process


def end(processes: list[Identity], patience_seconds: float) -> list[Identity]:
    """End the processes: SIGTERM to all, after the patience SIGKILL to those left.

    Returns:
        Those that had to be killed.
    """
    for process in processes:
        send(process, signal.SIGTERM)
    left = _wait(processes, patience_seconds)
    for process in left:
        send(process, signal.SIGKILL)
    _wait(left, patience_seconds)
    return left


def send(process: Identity, number: signal.Signals) -> None:
    """Send a signal to this very process; nothing happens when it has ended."""
    if is_alive(process):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _wait(processes: list[Identity], patience_seconds: float) -> list[Identity]:
    deadline = time.monotonic() + patience_seconds
    left = [process for process in processes if is_alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        left = [process for process in left if is_alive(process)]
    return left
