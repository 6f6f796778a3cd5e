"""Memory that nothing holds any more leaves the process (streams/memory.py)."""

import subprocess
import sys

import pytest

from streams.memory import trimmer

PROGRAM = """
from streams.memory import trimmer

def resident():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

kept, lost = [], []
for number in range(60_000):
    (kept if number % 50 == 0 else lost).append(bytes(1_000 + number % 8))
del lost
before = resident()
trimmer()()
print(before - resident())
"""


@pytest.mark.skipif(trimmer() is None, reason="the C library has no malloc_trim")
def test_what_a_burst_left_goes_back() -> None:
    """Holes between what is still held are given back too."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert int(told.stdout) > 20_000
