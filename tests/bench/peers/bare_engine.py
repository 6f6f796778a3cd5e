"""The worker with stages that decide nothing: what the engine, Kafka's client and the metrics cost an envelope.

Its stages write as many records and changes of state as the real ones make of the same envelopes, with as many bytes
and headers, into the same topics. They keep nothing and know nothing of calls.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from streams.contracts.catalog import Naming
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.engine.app import run
from streams.engine.options import EngineOptions
from streams.engine.stage import InputRecord
from streams.pipeline.partitioner import partition_of
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, Mark, Written
from streams.settings import Settings
from streams.worker.app import CallsApp
from streams.worker.installation import STAGES
from tests.bench.installation import PARTITIONS
from tests.bench.shape import Share

Make = Callable[[bytes], Written]


class BarePartition:
    """One partition of a stage that decides nothing."""

    def __init__(self, plan: Plan, stage: str, partition: int, shares: Sequence[Share], changelog: str):
        """Write what this stage would write."""
        self._stage, self._partition = stage, partition
        self._seen = self._time = 0
        onward = {real(plan, "").input_topic for real in STAGES.values()}
        self._changes = [share for share in shares if share.topic == changelog]
        self._outputs = [
            (share.per_thousand, _maker(share, partition, plan.partitions if share.topic in onward else 0))
            for share in shares
            if share.topic != changelog
        ]

    def fold(self, records: Sequence[InputRecord]) -> Folded:
        """Write as many records as the real stage would."""
        folded, changes = Folded(urgent=True), dict[bytes, bytes | None]()
        keyed = [record for record in records if record.key is not None]
        for record in keyed:
            assert record.key is not None
            self._seen += 1
            for per_thousand, make in self._outputs:
                folded.outputs += [make(record.key)] * _due(self._seen, per_thousand)
            for share in self._changes:
                for number in range(_due(self._seen, share.per_thousand)):
                    # A key of its own for nearly every change: the real stages touch one key several times.
                    changes[b"%b%d%d" % (record.key, self._seen % 100, number)] = bytes(share.value_bytes)
        self._time = max([self._time, *(record.timestamp for record in keyed)])
        folded.changes = changes
        self._tell(keyed, folded)
        return folded

    def mark(self, idle_until: int | None, next_offset: int) -> Folded | None:
        """Say how far the source is."""
        self._time = max(self._time, idle_until or 0)
        return Folded(mark=Mark(self._partition, self._time, next_offset)) if self._time else None

    def _tell(self, records: Sequence[InputRecord], folded: Folded) -> None:
        if self._stage == "sessions":
            folded.tally.received["rc-call-start-notify"] += len(records)
            folded.tally.latencies += [(record.timestamp, record.timestamp) for record in records]
        else:
            folded.tally.outcomes["rc-call-start-notify", "accepted"] += len(records)


def _due(seen: int, per_thousand: int) -> int:
    return seen * per_thousand // 1_000 - (seen - 1) * per_thousand // 1_000


def _maker(share: Share, partition: int, partitions: int) -> Make:
    """Return what makes a record; `partitions` is 0 where it stays in this partition."""
    value, headers = bytes(share.value_bytes), [("ce_id", bytes(share.header_bytes))] * share.headers
    if not partitions:
        return lambda key: Written(share.topic, partition, key, value, headers)
    return lambda key: Written(share.topic, partition_of(key.decode(), partitions), key, value, headers)


class BareStage:
    """A stage that decides nothing, between the topics of the real one."""

    def __init__(self, plan: Plan, name: str, shares: Sequence[Share]):
        """Stand where the stage of this name stands."""
        self.name, self.changelog_topic = name, f"{plan.naming.group}-{name}-changelog"
        real = STAGES[name](plan, self.changelog_topic)
        self.marked, self.input_topic, self.output_topics = real.marked, real.input_topic, real.output_topics
        self.watermarks = real.watermarks
        self._plan, self._shares = plan, shares

    def open(self, partition: int, saved: Mapping[bytes, bytes]) -> BarePartition:  # noqa: ARG002
        """Open a partition; it remembers nothing."""
        return BarePartition(self._plan, self.name, partition, self._shares, self.changelog_topic)


def bare_stages(plan: Plan, shares: Sequence[Share]) -> list[BareStage]:
    """Return a stage for each of the worker's, which writes its shares."""
    return [BareStage(plan, name, [share for share in shares if share.stage == name]) for name in STAGES]


def main(bootstrap: str, prefix: str, group: str, port: str, shares: str) -> None:
    """Run until killed."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("streams").setLevel(logging.INFO)
    plan = Plan(TokenKey(DEVELOPMENT_KEY), naming=Naming(prefix=prefix, group=group), partitions=PARTITIONS)
    stages = bare_stages(plan, [Share(*share) for share in json.loads(shares)])
    with tempfile.TemporaryDirectory(prefix="widget-streams-bench-") as folder:
        settings = Settings.model_validate({"health_port": int(port)})
        app = CallsApp(settings, stages, EngineOptions(bootstrap, group, "bench"), Path(folder))
        app.health.bind()
        run(app.faust)


if __name__ == "__main__":
    main(*sys.argv[1:6])
