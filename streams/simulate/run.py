"""One run: a population and its collectors up to the end that was asked for, and the file of what really happened."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import IO

import orjson

from streams.simulate.envelopes import Collector, Due
from streams.simulate.open_loop import Sent
from streams.simulate.population import Population


@dataclass(slots=True)
class Run:
    """What is simulated, how much of it, and where the truth is noted."""

    population: Population
    collector: Collector
    start_ms: int
    stop_ms: int | None = None
    """No envelope that arrives later; true ms."""
    events: int | None = None
    """No more envelopes than this."""
    truth: IO[bytes] | None = None
    """Takes a line of JSON for each leg that has ended."""

    def dues(self) -> Iterator[Due]:
        """Give the envelopes in the order of their arrival, up to the end."""
        for due in islice(self.collector.envelopes(self.population.postings()), self.events):
            if self.stop_ms is not None and due.at > self.stop_ms:
                return
            yield due

    def write(self, file: IO[bytes]) -> Sent:
        """Write the envelopes as JSON lines, as fast as can be, and the truth up to the last of them."""
        written = Sent()
        at = self.start_ms
        for due in self.dues():
            at = due.at
            file.write(orjson.dumps(due.envelope) + b"\n")
            written.scheduled += 1
            written.types[due.envelope["event"]["type"]] += 1
        written.acknowledged = written.scheduled
        self.note_truth(at)
        return written

    def note_truth(self, until_ms: int) -> None:
        """Write the legs that have ended, and forget them: a long run must not fill the memory."""
        for leg in self.population.history.take_ended(until_ms):
            if self.truth:
                self.truth.write(orjson.dumps(asdict(leg) | {"auto_holds": sorted(leg.auto_holds)}) + b"\n")
