"""Processes are known by pid and start time, and ended for certain."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.local import tether
from streams.local.processes import Identity, end, identify, is_alive

Sleeper = subprocess.Popen[str]


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    """Give a process that sleeps."""
    process = subprocess.Popen(["sleep", "60"], text=True)
    yield process
    process.kill()
    process.wait()


def known(process: Sleeper) -> Identity:
    identity = identify(process.pid)
    assert identity is not None
    return identity


def test_a_later_process_with_the_same_pid_is_another(sleeper: Sleeper) -> None:
    """Nothing is done to a process that only has the pid of the one that was meant."""
    meant = Identity(sleeper.pid, "another boot+1")
    assert is_alive(known(sleeper))
    assert not is_alive(meant)
    assert end([meant], 0.2) == []
    assert sleeper.poll() is None


def test_what_has_ended_is_not_alive_though_nobody_waited_for_it(sleeper: Sleeper) -> None:
    """A zombie counts as ended: in a container often nobody waits."""
    identity = known(sleeper)
    assert end([identity], 5) == []
    assert not is_alive(identity)
    assert Path(f"/proc/{sleeper.pid}").exists()


def test_what_does_not_heed_is_killed() -> None:
    """After the patience SIGKILL follows; the stubborn one is named."""
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = known(process)
        assert end([identity], 0.3) == [identity]
        assert process.wait(5) == -9


def test_a_tethered_process_dies_with_its_killed_parent() -> None:
    """The parent is killed with SIGKILL, so that nothing of ours can run at its end."""
    script = (
        "import os, subprocess, sys, time\n"
        "me = str(os.getpid())\n"
        f"child = subprocess.Popen([sys.executable, '-I', '-S', {tether.__file__!r}, me, '/bin/sleep', '60'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        _wait_for_exec(child)
        identity = identify(child)
        assert identity is not None
        parent.kill()
    assert _is_gone(identity)


def test_a_tether_does_not_hold_to_a_parent_that_is_gone() -> None:
    """When the parent ended before the tether was tied, the command is not even started."""
    ended = subprocess.run(
        [sys.executable, "-I", "-S", tether.__file__, "1", "/bin/echo", "started"], capture_output=True
    )
    assert (ended.returncode, ended.stdout) == (1, b"")


def _wait_for_exec(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] != b"/bin/sleep":
        assert time.monotonic() < deadline, "the tethered command was not started"
        time.sleep(0.01)


def _is_gone(identity: Identity) -> bool:
    deadline = time.monotonic() + 10
    while is_alive(identity) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_alive(identity)
