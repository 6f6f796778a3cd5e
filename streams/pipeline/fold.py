"""The whole pipeline over lines of a file, as one partition, without Kafka (CONTRACT 9, DECISIONS 43)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import orjson

from streams.contracts.enriched import watermark_row
from streams.domain.words import Outcome
from streams.pipeline.extensions import ExtensionsPartition
from streams.pipeline.plan import Plan
from streams.pipeline.records import Folded, Read, Tally, Written
from streams.pipeline.scopes import ScopesPartition
from streams.pipeline.sessions import SessionsPartition
from streams.pipeline.writer import Writer

BATCH = 500


class Fold:
    """Folds lines into the records of every output topic, in the order in which they are written."""

    def __init__(self, plan: Plan):
        """Begin with empty state. The plan's partition count must be 1."""
        assert plan.partitions == 1
        self._sessions = SessionsPartition(plan, 0, {})
        self._extensions = ExtensionsPartition(plan, 0, {})
        self._scopes = ScopesPartition(plan, 0, {})
        self._enriched, self._deltas = plan.names["EnrichedEvent"], plan.names["ScopeDelta"]
        self._writer = Writer(plan, 0)
        self._offsets: Counter[str] = Counter()
        self.tally = Tally()

    def lines(self, lines: Iterable[bytes]) -> Iterator[Written]:
        """Fold lines, one record each."""
        records = (read_line(line, number) for number, line in enumerate(lines))
        while batch := list(islice(records, BATCH)):
            yield from self._both(self._sessions.fold(batch))

    def end(self, until: int | None) -> Iterator[Written]:
        """Let time run to `until` (ms since the epoch), then give up what still waits."""
        marked = self._sessions.mark(until, 0) if until is not None else None
        if marked is not None and marked.mark is not None:
            yield from self._both(marked)
            yield from self._extend(self._writer.watermarks(watermark_row([marked.mark._asdict()])))
        yield from self._both(self._sessions.finish())
        told = self._extensions.mark(None, self._offsets[self._enriched])
        if told is not None and told.mark is not None:
            yield from self._scope(self._writer.scope_marks({"marks": [told.mark._asdict()]}))

    def summary(self) -> dict[str, Any]:
        """Return how many envelopes were read and what became of them."""
        outcomes: Counter[str] = Counter()
        for (_, outcome), number in self.tally.outcomes.items():
            outcomes[outcome] += number
        counted = {outcome.value: outcomes[outcome] for outcome in Outcome}
        reasons = dict(sorted(self.tally.dead_letters.items()))
        return {"received": self.tally.received.total(), **counted, "dead_letters": reasons}

    def _both(self, folded: Folded) -> Iterator[Written]:
        """Give what the first stage wrote, then what the second makes of it, then the third."""
        self.tally.add(folded.tally)
        yield from folded.outputs
        yield from self._extend([record for record in folded.outputs if record.topic == self._enriched])

    def _extend(self, written: list[Written]) -> Iterator[Written]:
        folded = self._extensions.fold(self._read(written))
        self.tally.add(folded.tally)
        yield from folded.outputs
        yield from self._scope([record for record in folded.outputs if record.topic == self._deltas])

    def _scope(self, written: list[Written]) -> Iterator[Written]:
        folded = self._scopes.fold(self._read(written))
        self.tally.add(folded.tally)
        yield from folded.outputs

    def _read(self, written: list[Written]) -> list[Read]:
        """Return written records of one topic as they are read."""
        records = []
        for record in written:
            records.append(Read(0, self._offsets[record.topic], -1, record.key, record.value, record.headers))
            self._offsets[record.topic] += 1
        return records


def read_line(line: bytes, number: int) -> Read:
    """Return the record of a line; `_kafka` gives its coordinates and time stamp and is no part of its value."""
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Read(0, number, -1, None, line)
    if not isinstance(parsed, dict):
        return Read(0, number, -1, None, line)
    session_id = parsed.get("session_id")
    key = session_id.encode() if isinstance(session_id, str) else None
    place = parsed.pop("_kafka", None)
    if not isinstance(place, dict):
        return Read(0, number, -1, key, line)
    timestamp, offset = (_whole(place.get(name), default) for name, default in (("timestamp", -1), ("offset", number)))
    return Read(_whole(place.get("partition"), 0), offset, timestamp, key, orjson.dumps(parsed))


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default
