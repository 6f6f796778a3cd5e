"""The demo starts everything with one command, shows calls, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.broker


def demo(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli.main", "demo", "--rate", "60", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def descendants(pid: int) -> set[int]:
    """Return the processes below a process, as /proc tells them."""
    children = {int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    return children.union(*map(descendants, children)) if children else children


def test_the_demo_shows_records_and_ends_by_itself() -> None:
    """Call records are read back from the topics and told, and the totals at the end."""
    process = demo("--duration", "30")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert re.search(r"^\d\d:\d\d:\d\d \+\d+\*\d+ (in|out)bound [A-Z]+ ring", output, re.MULTILINE), output
    assert "/metrics" in output
    assert re.search(r"The wallboard is at http://127\.0\.0\.1:\d+/", output), output
    assert re.search(r"The demo has ended: \d+ calls now, [1-9]\d* ended", output), output


@pytest.mark.slow
def test_ctrl_c_ends_every_process_and_the_demo_starts_again() -> None:
    """Nothing stays behind after Ctrl-C, and a second run works like the first."""
    for _ in range(2):
        process = demo()
        time.sleep(25)
        below = descendants(process.pid)
        assert len(below) >= 5, "Kafka, two workers, a gateway and a simulator run"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        assert "The demo has ended" in output
        assert [pid for pid in below if _lives(pid)] == []


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
