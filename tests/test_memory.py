"""Memory that nothing holds any more leaves the process (streams/memory.py)."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.memory import trimmer

BURST = """
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

HEAPS = """
import ctypes, sys, threading
from streams.memory import one_arena

if sys.argv[1] == "one":
    one_arena()
together = threading.Barrier(3)

def allocate():
    together.wait(10)
    held = [bytes(1_000) for _ in range(1_000)]
    together.wait(10)

threads = [threading.Thread(target=allocate) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fclose(ctypes.c_void_p(file))
with open(sys.argv[2], encoding="ascii") as told:
    print(told.read().count("<heap nr="))
"""
needs_glibc = pytest.mark.skipif(trimmer() is None, reason="the C library has no malloc_trim")


def told(program: str, *arguments: str) -> int:
    """Run a program and return the number it prints."""
    command = [sys.executable, "-c", program, *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


@needs_glibc
def test_what_a_burst_left_goes_back() -> None:
    """Holes between what is still held are given back too."""
    assert told(BURST) > 20_000


@needs_glibc
def test_threads_share_one_heap(tmp_path: Path) -> None:
    """Each thread has a heap of its own unless told otherwise."""
    file = str(tmp_path / "heaps.xml")
    assert told(HEAPS, "each", file) > 1
    assert told(HEAPS, "one", file) == 1
