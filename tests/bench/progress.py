"""How far a group is, sampled until it has read everything; speed is taken from the first commit to the last."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from tests.bench.installation import Offsets, Place
from tests.bench.processes import Program

EVERY_SECONDS = 0.05


class Sample(NamedTuple):
    """What was committed at an instant."""

    at: float
    """By `time.monotonic`."""
    cpu_seconds: float
    """What the program had used."""
    committed: dict[Place, int]


class Speed(NamedTuple):
    """What a program did between two commits."""

    envelopes: int
    seconds: float
    cpu_us: float
    """Processor time of the program per envelope."""

    @property
    def rate(self) -> float:
        """Envelopes per second."""
        return self.envelopes / self.seconds


class Progress:
    """Samples of one program's commits."""

    def __init__(self, offsets: Offsets, program: Program, topic: str):
        """Watch a program whose envelopes lie in this topic; their partitions must have no gaps."""
        self._offsets, self._program, self._topic = offsets, program, topic
        self._samples: list[Sample] = []

    def follow(self, ends: Mapping[Place, int], *, seconds: float, enough: float = float("inf")) -> dict[Place, int]:
        """Sample until everything below the ends is committed, or `enough` seconds after the first commit.

        Raises:
            TimeoutError: It took longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._program.check()
            committed = self._offsets.committed()
            self._samples.append(Sample(time.monotonic(), self._program.cpu_seconds(), committed))
            if all(committed[place] >= end for place, end in ends.items()):
                return committed
            if time.monotonic() - self._first().at > enough:
                return committed
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._program.name} had not read everything after {seconds:g} s: {committed}")
            time.sleep(EVERY_SECONDS)

    def speed(self, ends: Mapping[Place, int]) -> Speed:
        """Return the speed from the first commit to the one after which everything below the ends was committed."""
        first = self._first()
        done = (s for s in self._samples if all(s.committed[place] >= end for place, end in ends.items()))
        # Who did not finish stopped at its last commit: what it worked on afterwards does not count, nor its time.
        last = next(done, None) or self._last_change()
        envelopes = self._count(last) - self._count(first)
        return Speed(envelopes, last.at - first.at, (last.cpu_seconds - first.cpu_seconds) / max(envelopes, 1) * 1e6)

    def _first(self) -> Sample:
        return next((sample for sample in self._samples if self._count(sample)), self._samples[-1])

    def _last_change(self) -> Sample:
        most = self._count(self._samples[-1])
        return next(sample for sample in self._samples if self._count(sample) == most)

    def _count(self, sample: Sample) -> int:
        return sum(offset for (topic, _), offset in sample.committed.items() if topic == self._topic)
