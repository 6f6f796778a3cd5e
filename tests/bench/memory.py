"""Resident memory of one worker that holds every page load, extension and leg of a large installation."""

import time
from collections.abc import Callable, Sequence

from streams.memory import EVERY_SECONDS
from tests.bench.builds import Build, builds
from tests.bench.figures import Figure, below
from tests.bench.installation import Installation
from tests.bench.throughput import followed
from tests.bench.traffic import Sent, Traffic

PEOPLE = 10_000
TRAFFIC = Traffic(people=PEOPLE, envelopes=220_000, busy=False, login_seconds=60.0)
QUICK = Traffic(people=PEOPLE, envelopes=180_000, busy=False, login_seconds=60.0)
LIMIT_MIB = 250e6 / 2**20
"""250 MB."""


class Memory:
    """One worker, 10,000 people in one to three tabs each; with each build on the same envelopes."""

    def __init__(self, bootstrap: str, say: Callable[[str], None], *, quick: bool):
        """Use this broker and tell what is done."""
        self._bootstrap, self._say = bootstrap, say
        self._traffic = QUICK if quick else TRAFFIC
        self._builds = builds(say)

    def measure(self) -> list[Figure]:
        """Return memory after the load, its peak, and memory of a worker that has recovered the same state."""
        records = list(self._traffic.records())
        return [figure for build in self._builds for figure in self._of(build, records)]

    def _of(self, build: Build, records: Sequence[Sent]) -> list[Figure]:
        called = build.called
        about, burst = "resident, one worker, after the load", "while it read the backlog of all logins"
        loaded = Figure(called(f"Memory at {PEOPLE:,} extensions"), "MiB", below(LIMIT_MIB), about)
        peak = Figure(called("Memory, its peak"), "MiB", None, f"{burst} as fast as it could")
        restarted = Figure(called("Memory after a restart"), "MiB", None, "the same state recovered")
        there = Installation(self._bootstrap, f"memory{self._builds.index(build)}", replay=True)
        count = there.preload(records)
        with there.worker(build=build) as worker:
            speed = followed(there, worker, count)
            # What a burst needed goes back a moment later; what is measured is what the state takes.
            time.sleep(2 * EVERY_SECONDS)
            loaded.add(worker.memory_mib())
            peak.add(worker.memory_mib("VmHWM"))
        self._say(called(f"memory: {loaded.median:.0f} MiB after {count} envelopes at {speed.rate:,.0f}/s"))
        with there.worker(build=build) as worker:
            worker.wait_for("assignment.ready", 60)
            restarted.add(worker.memory_mib())
        return [loaded, peak, restarted]
