"""What interval metrics cost, in process: `python -m tests.bench.intervals [--extensions N] [--minutes N]`.

A simulated hour is folded by the extensions stage with and without interval metrics, then its deltas by the scopes
stage, in one partition, with the marks of a worker. The least CPU time of each batch over several runs is added up:
what else runs on the machine makes a batch slower, never faster.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Protocol

import orjson

from streams.contracts.directory import Directory
from streams.contracts.directory_rows import DirectoryRow
from streams.contracts.enriched import watermark_row
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.domain.events import Event
from streams.domain.outputs import Emission
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, InputRecord, Read, Written
from streams.pipeline.scopes import ScopesPartition
from streams.pipeline.sessions import SessionsPartition
from streams.pipeline.writer import Writer
from streams.simulate.envelopes import Collector, Faults
from streams.simulate.habits import Crowd, Habits
from streams.simulate.people import PER_ACCOUNT, fictitious
from streams.simulate.population import Population

START_MS = 1_772_442_000_000
MARK_MS = 2_000
TEAM = 10
BATCH = 200
GC_THRESHOLDS = (50_000, 50, 100)


class Partition(Protocol):
    """What is measured."""

    def fold(self, records: Sequence[InputRecord]) -> Folded:
        """Take a batch."""


class Unmeasured(ExtensionsPartition):
    """The extensions stage without interval metrics."""

    def _measure(self, key: str, emissions: Sequence[Emission], now: int, folded: Folded, event: Event | None) -> None:
        """Count nothing."""


def directory(extensions: int) -> Directory:
    """Return a directory of teams of ten, two sites and an account for each 500."""
    rows = Directory()
    for position in range(extensions):
        company, member = divmod(position, PER_ACCOUNT)
        row = {
            "account_id": f"account-{company}",
            "extension_id": f"extension-{position}",
            "login_number": f"{fictitious(company)}*{101 + member}",
            "team": f"team-{position // TEAM}",
            "site": f"site-{position % 2}",
            "queues": [f"queue-{company}"],
            "time_zone": "America/Los_Angeles",
        }
        rows.add(DirectoryRow.model_validate(row))
    return rows


def enriched(plan: Plan, extensions: int, minutes: float) -> Iterator[Written]:
    """Give what the sessions stage writes of a simulated hour, with a mark every 2 s."""
    end = START_MS + round(minutes * 60_000)
    habits, crowd = Habits(), Crowd(extensions=extensions, login_ms=60_000)
    population = Population(1, habits, crowd, START_MS)
    dues = takewhile(lambda due: due.at <= end, Collector(1, Faults()).envelopes(population.postings()))
    sessions, writer = SessionsPartition(plan, 0, {}), Writer(plan, 0)
    marked = START_MS
    for offset, due in enumerate(dues):
        if due.at >= marked + MARK_MS:
            marked = due.at
            folded = sessions.mark(None, offset)
            assert folded is not None
            assert folded.mark is not None
            yield from writer.watermarks(watermark_row([folded.mark._asdict()]))
        record = Read(0, offset, due.at, due.session_id.encode(), orjson.dumps(due.envelope))
        yield from (item for item in sessions.fold([record]).outputs if item.topic == plan.names["EnrichedEvent"])


def run(partition: Partition, records: Sequence[Read]) -> tuple[list[Written], list[float]]:
    """Fold records in batches; return what was written and the CPU seconds of each batch."""
    written: list[Written] = []
    seconds: list[float] = []
    gc.collect()
    for start in range(0, len(records), BATCH):
        begun = time.process_time()
        written += partition.fold(records[start : start + BATCH]).outputs
        seconds.append(time.process_time() - begun)
    return written, seconds


def least(make: Callable[[], Partition], records: Sequence[Read], runs: int) -> tuple[list[Written], float]:
    """Fold several times; return what was written and the sum of the least seconds of each batch."""
    written, best = run(make(), records)
    for _ in range(runs - 1):
        best = [min(pair) for pair in zip(best, run(make(), records)[1], strict=True)]
    return written, sum(best)


def reads(written: Sequence[Written]) -> list[Read]:
    """Return written records as they are read."""
    return [Read(0, offset, -1, item.key, item.value, item.headers) for offset, item in enumerate(written)]


def deltas_of(plan: Plan, written: Sequence[Written]) -> list[Read]:
    """Return the deltas among what was written, all of them for one partition, and a mark a second."""
    return reads([item for item in written if item.topic == plan.names["ScopeDelta"]])


def report(extensions: int, minutes: float, runs: int) -> None:
    """Measure and print."""
    gc.set_threshold(*GC_THRESHOLDS)
    plan = Plan(TokenKey(DEVELOPMENT_KEY), partitions=1, directory=directory(extensions))
    events = reads(list(enriched(plan, extensions, minutes)))
    _, plain = least(lambda: Unmeasured(plan, 0, {}), events, runs)
    written, measured = least(lambda: ExtensionsPartition(plan, 0, {}), events, runs)
    deltas = deltas_of(plan, written)
    _, counted = least(lambda: ScopesPartition(plan, 0, {}), deltas, runs)
    rows = sum(item.topic == plan.names["IntervalMetrics"] for item in written)
    say = sys.stdout.write
    say(f"{extensions} extensions, {minutes:g} minutes: {len(events)} enriched events and marks\n")
    say(f"extensions stage without interval metrics  {plain / len(events) * 1e6:6.1f} us an event\n")
    say(f"extensions stage with interval metrics     {measured / len(events) * 1e6:6.1f} us an event")
    say(f"  (+{(measured - plain) / len(events) * 1e6:.1f}; {rows} rows, {len(deltas)} deltas)\n")
    say(f"scopes stage                               {counted / len(deltas) * 1e6:6.1f} us a delta")
    say(f"  ({len(deltas) / counted:,.0f} deltas/s)\n")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extensions", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    report(given.extensions, given.minutes, given.runs)


if __name__ == "__main__":
    main()
