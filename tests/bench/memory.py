"""Resident memory of one worker that holds every page load, extension and leg of a large installation."""

import time
from collections.abc import Callable

from streams.worker.memory import EVERY_SECONDS
from tests.bench.figures import Figure, below
from tests.bench.installation import Installation
from tests.bench.throughput import followed
from tests.bench.traffic import Traffic

PEOPLE = 10_000
TRAFFIC = Traffic(people=PEOPLE, envelopes=220_000, busy=False, login_seconds=60.0)
QUICK = Traffic(people=PEOPLE, envelopes=180_000, busy=False, login_seconds=60.0)


class Memory:
    """One worker, 10,000 people in one to three tabs each."""

    def __init__(self, bootstrap: str, say: Callable[[str], None], *, quick: bool):
        """Use this broker and tell what is done."""
        self._bootstrap, self._say = bootstrap, say
        self._traffic = QUICK if quick else TRAFFIC

    def measure(self) -> list[Figure]:
        """Return memory after the load, its peak, and memory of a worker that has recovered the same state."""
        loaded = Figure(f"Memory at {PEOPLE:,} extensions", "MiB", below(250), "resident, one worker, after the load")
        peak = Figure("Memory, its peak", "MiB", None, "while it read the backlog of all logins as fast as it could")
        restarted = Figure("Memory after a restart", "MiB", None, "the same state recovered")
        there = Installation(self._bootstrap, "memory", replay=True)
        count = there.preload(self._traffic.records())
        with there.worker() as worker:
            speed = followed(there, worker, count)
            # What a burst needed goes back a moment later; what is measured is what the state takes.
            time.sleep(2 * EVERY_SECONDS)
            loaded.add(worker.memory_mib())
            peak.add(worker.memory_mib("VmHWM"))
        self._say(f"memory: {loaded.median:.0f} MiB after {count} envelopes at {speed.rate:,.0f}/s")
        with there.worker() as worker:
            worker.wait_for("assignment.ready", 60)
            restarted.add(worker.memory_mib())
        return [loaded, peak, restarted]
