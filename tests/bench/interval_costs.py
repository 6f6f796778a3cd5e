"""`python -m tests.bench.interval_costs [--extensions N] [--minutes N] [--runs N]`: processor time, as JSON.

A simulated hour is folded by the extensions stage, its call records, presence, messages and logins by the interval
metrics alone, and its deltas by the scopes stage, in one partition, with the marks of a worker. The least time of each
batch over several runs is added up: what else runs on the machine makes a batch slower, never faster. A process of its
own for each build, because one process can import only one of them.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, takewhile
from typing import NamedTuple, TypeVar

import orjson

from streams.contracts.avro import codec
from streams.contracts.directory import Directory
from streams.contracts.directory_rows import DirectoryRow
from streams.contracts.enriched import is_watermark, read_event, watermark_row
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.domain import decide
from streams.domain.events import Event
from streams.domain.outputs import Emission, Output
from streams.pipeline import intervals
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.intervals import IntervalKeeper
from streams.pipeline.plan import Plan
from streams.pipeline.records import Read, Written
from streams.pipeline.scopes import ScopesPartition
from streams.pipeline.sessions import SessionsPartition
from streams.pipeline.store import Store
from streams.pipeline.writer import Writer
from streams.simulate.envelopes import Collector, Faults
from streams.simulate.habits import Crowd, Habits
from streams.simulate.people import PER_ACCOUNT, fictitious
from streams.simulate.population import Population
from tests.bench.stages import worker_gc

T = TypeVar("T")
START_MS = 1_772_442_000_000
MARK_MS = 2_000
TEAM = 10
BATCH = 200
MEASURED = {Output(output): codec(output) for output in intervals.TAKEN}
"""What interval metrics are made from, and how it is read."""
TOLD = (Output.INTERVAL_METRICS, Output.SCOPE_DELTA)


class Step(NamedTuple):
    """What one record of the extensions stage means for interval metrics."""

    stream_time: int
    now: int
    emissions: list[tuple[str, list[Emission], Event | None]]
    """By extension; the event where it is the one that was read."""


class Measured(NamedTuple):
    """What one process measured."""

    is_native: bool
    events: int
    rows: int
    deltas: int
    extensions_us: float
    """The extensions stage with interval metrics, per event."""
    metrics_us: float
    """Interval metrics alone, per event."""
    scopes_us: float
    """The scopes stage, per delta."""


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


def steps(plan: Plan, records: Sequence[Read]) -> tuple[list[Step], list[Written]]:
    """Fold enriched events one by one; return what each means for interval metrics, and what was written of them."""
    partition, found, told = ExtensionsPartition(plan, 0, {}), [], []
    outputs = {plan.names[output]: output for output in MEASURED}
    names = {plan.names[output] for output in TOLD}
    for record in records:
        written = partition.fold([record]).outputs
        told += [item for item in written if item.topic in names]
        event = None if is_watermark(record.value or b"") else read_event(record.value or b"")
        now = partition.stream_time
        emitted = [(outputs[item.topic], item) for item in written if item.topic in outputs]
        found.append(Step(now, max(now, event.received_at) if event else now, list(_by_extension(emitted, event))))
    return found, told


def _by_extension(
    emitted: Sequence[tuple[Output, Written]], event: Event | None
) -> Iterator[tuple[str, list[Emission], Event | None]]:
    rows = [(output, MEASURED[output].decode(item.value)) for output, item in emitted if item.value is not None]
    for key, group in groupby(rows, key=lambda pair: str(pair[1]["extension_key"])):
        emissions = [Emission(output, str(row["leg_id"]) if "leg_id" in row else key, row) for output, row in group]
        yield key, emissions, event if event is not None and event.extension_key == key else None


class Metrics:
    """The interval metrics of a partition of the extensions stage, without the stage."""

    def __init__(self, plan: Plan):
        """Begin with empty state."""
        self._store = Store(intervals.KINDS, {})
        self._keeper = IntervalKeeper(self._store, Writer(plan, 0))

    def fold(self, batch: Sequence[Step]) -> list[Written]:
        """Take a batch, and save the state as a stage does."""
        written: list[Written] = []
        for step in batch:
            while (due := self._store.pop_due(step.stream_time)) is not None:
                written += self._keeper.expire(due[1], due[0]).outputs
                self._store.reschedule()
            for key, emissions, event in step.emissions:
                written += self._keeper.take(key, emissions, step.now, step.stream_time, event).outputs
            self._store.reschedule()
        self._store.save()
        self._store.take_changes()
        return written


def least(make: Callable[[], Callable[[Sequence[T]], object]], items: Sequence[T], runs: int) -> float:
    """Fold several times from the beginning; return the sum of the least seconds of each batch."""
    best: list[float] = []
    for _ in range(runs):
        seconds = list(timed(make(), items))
        best = [min(pair) for pair in zip(best or seconds, seconds, strict=True)]
    return sum(best)


def timed(fold: Callable[[Sequence[T]], object], items: Sequence[T]) -> Iterator[float]:
    """Fold items in batches; give the processor time of each, seconds."""
    gc.collect()
    for start in range(0, len(items), BATCH):
        begun = time.process_time()
        fold(items[start : start + BATCH])
        yield time.process_time() - begun


def reads(written: Sequence[Written]) -> list[Read]:
    """Return written records as they are read."""
    return [Read(0, offset, -1, item.key, item.value, item.headers) for offset, item in enumerate(written)]


def measure(extensions: int, minutes: float, runs: int) -> Measured:
    """Measure all three."""
    plan = Plan(TokenKey(DEVELOPMENT_KEY), partitions=1, directory=directory(extensions))
    events = reads(list(enriched(plan, extensions, minutes)))
    found, told = steps(plan, events)
    metrics = Metrics(plan)
    alone = [item for start in range(0, len(found), BATCH) for item in metrics.fold(found[start : start + BATCH])]
    if sorted(alone) != sorted(told):
        raise AssertionError("interval metrics alone wrote something else than in their stage")
    deltas = reads([item for item in told if item.topic == plan.names[Output.SCOPE_DELTA]])
    with worker_gc():
        stage = least(lambda: ExtensionsPartition(plan, 0, {}).fold, events, runs)
        part = least(lambda: Metrics(plan).fold, found, runs)
        scopes = least(lambda: ScopesPartition(plan, 0, {}).fold, deltas, runs)
    return Measured(
        not decide.__file__.endswith(".py"),
        len(events),
        len(told) - len(deltas),
        len(deltas),
        stage / len(events) * 1e6,
        part / len(events) * 1e6,
        scopes / len(deltas) * 1e6,
    )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extensions", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    measured = measure(given.extensions, given.minutes, given.runs)
    print(json.dumps(measured._asdict()))  # noqa: T201


if __name__ == "__main__":
    main()
