"""Verify a whole installation: read what its workers wrote and prove it, partition by partition (CONTRACT 9)."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from streams.contracts.avro import AvroError, codec
from streams.contracts.enriched import CODEC
from streams.domain.outputs import Output
from streams.domain.words import EventType, ScopeType
from streams.pipeline import proof
from streams.pipeline.plan import Plan
from streams.pipeline.proof import Expected, Recorded, Verdict
from streams.pipeline.recorded import RecordedDirectory
from streams.pipeline.records import Mark, Read
from streams.pipeline.retained import Retained
from streams.worker.reading import Reader, committed_offsets

Progress = Callable[[str], None]
SESSION_OUTPUTS = ("SessionAudit",)
INTERVALS, DELTAS = Output.INTERVAL_METRICS.value, Output.SCOPE_DELTA.value
EXTENSION_OUTPUTS = tuple(
    output.value for output in Output if output.value not in {INTERVALS, DELTAS, *proof.UNRECORDED}
)
"""Those that no other stage writes or reads, and that can be worked out again."""
Offsets = dict[tuple[str, int], int]


class Verification:
    """One run over all partitions of all stages."""

    def __init__(self, plan: Plan, reader: Reader, admin: AIOKafkaAdminClient, progress: Progress):
        """Verify an installation with this plan; `progress` is told what is being read."""
        self._plan = plan
        self._reader = reader
        self._admin = admin
        self._progress = progress
        self._enriched: dict[int, list[Read]] = {}
        self._marks: dict[int, list[Mark]] = {}
        self._certain_marks: Counter[int] = Counter()
        self._ends: dict[int, int] = {}
        """Where the enriched events ended before the outputs were read."""
        self._sources: dict[tuple[int, int], list[Read]] = {}
        self._deltas: dict[int, list[Read]] = {}
        self._told: dict[tuple[int, int], list[Read]] = {}
        """Deltas by the partition of the extensions stage and of the deltas' topic."""
        self.notes: list[str] = []
        self.retained = Retained(plan)
        """What cannot be proven because its input is no longer held: no problem of the workers."""

    async def run(self) -> Verdict:
        """Return what is wrong, over all topics."""
        names, plan = self._plan.names, self._plan
        group, inputs = plan.naming.group, (plan.events, names["EnrichedEvent"], names[DELTAS])
        before = await committed_offsets(self._admin, group, inputs)
        for partition in range(plan.partitions):
            self._ends[partition] = await self._reader.end(names["EnrichedEvent"], partition)
        # What is somebody's output and somebody's input is read after the outputs made of it, before its own input.
        outputs = await self._read_outputs()
        await self._read_deltas()
        await self._read_enriched()
        after = await committed_offsets(self._admin, group, inputs)
        verdict = Verdict()
        for partition in range(plan.partitions):
            verdict.add(await self._sessions(partition, before, after, outputs))
        for partition in range(plan.partitions):
            if self.retained.extensions(partition):
                verdict.add(self._extensions(partition, before, after, outputs))
        for partition in range(plan.partitions) if self.retained.scopes() else ():
            verdict.add(self._scopes(partition, before, after, outputs))
        return verdict

    async def _held(self, topic: str, partition: int) -> list[Read]:
        """Return what a partition holds. Where it begins is asked after it was read, for it moves meanwhile."""
        records = await self._reader.partition(topic, partition)
        self.retained.begins(topic, partition, await self._reader.beginning(topic, partition))
        return records

    async def _read_outputs(self) -> dict[tuple[str, int], list[Read]]:
        found: dict[tuple[str, int], list[Read]] = {}
        for record in (*SESSION_OUTPUTS, *EXTENSION_OUTPUTS, INTERVALS, "DeadLetter"):
            self._progress(f"reading {self._plan.names[record]}")
            for partition in range(self._plan.partitions):
                found[record, partition] = await self._held(self._plan.names[record], partition)
        return found

    async def _read_deltas(self) -> None:
        """Read the deltas: they are the output of one stage and the input of the next."""
        topic = self._plan.names[DELTAS]
        for partition in range(self._plan.partitions):
            self._progress(f"reading {topic} partition {partition}")
            self._deltas[partition] = await self._held(topic, partition)
            for record in self._deltas[partition]:
                source = _source_of(record)
                if source is not None:
                    self._told.setdefault((source, partition), []).append(record)

    async def _read_enriched(self) -> None:
        """Read the enriched events: they are the output of one stage and the input of the next."""
        for partition in range(self._plan.partitions):
            self._progress(f"reading {self._plan.names['EnrichedEvent']} partition {partition}")
            records = await self._held(self._plan.names["EnrichedEvent"], partition)
            self._enriched[partition] = records
            told: dict[int, list[Mark]] = {}
            certain: Counter[int] = Counter()
            for record in records:
                row = _read(record)
                if row["type"] == EventType.WATERMARK:
                    for mark in row["marks"]:
                        told.setdefault(mark["source_partition"], []).append(proof.mark_of(mark))
                        certain[mark["source_partition"]] += record.offset < self._ends[partition]
                else:
                    source = row["input"]["partition"]
                    # What names no source of ours is compared all the same, and found to be nobody's.
                    known = source if source in range(self._plan.partitions) else partition
                    self._sources.setdefault((known, partition), []).append(record)
            self._certain_marks |= certain
            for source, marks in told.items():
                self._compare_marks(source, partition, marks)

    def _compare_marks(self, source: int, partition: int, marks: list[Mark]) -> None:
        """Keep the longest list of a source's marks: every partition tells the same ones, some may be a mark behind."""
        if self.retained.is_cut(self._plan.names["EnrichedEvent"], partition):
            return
        known = self._marks.setdefault(source, marks)
        shorter = min(len(known), len(marks))
        if known[:shorter] != marks[:shorter]:
            self.notes.append(f"Partition {partition} tells other marks of source partition {source} than the others.")
        if len(marks) > len(known):
            self._marks[source] = marks

    async def _sessions(
        self, partition: int, before: Offsets, after: Offsets, outputs: dict[tuple[str, int], list[Read]]
    ) -> Verdict:
        plan = self._plan
        self._progress(f"proving the sessions stage, partition {partition}")
        place = (plan.events, partition)
        records = [record for record in await self._held(*place) if record.offset < after.get(place, 0)]
        if not self.retained.sessions(partition):
            return Verdict()
        marks = [mark for mark in self._marks.get(partition, []) if mark.next_offset <= after.get(place, 0)]
        recorded = Recorded(records, marks, before.get(place, 0), self._certain_marks[partition])
        expected = proof.expect_sessions(replace(plan, directory=self._directory(partition)), partition, recorded)
        parts = proof.split(expected, lambda record: (record.topic, record.partition))
        verdict = Verdict()
        for target in range(plan.partitions):
            part = parts.get((plan.names["EnrichedEvent"], target), Expected([], 0))
            found = self._sources.get((partition, target), [])
            verdict.add(proof.compare(plan.names["EnrichedEvent"], "EnrichedEvent", part, found))
        for record in SESSION_OUTPUTS:
            part = parts.get((plan.names[record], partition), Expected([], 0))
            verdict.add(self._compare(record, partition, part, outputs[record, partition]))
        verdict.add(self._letters(proof.SESSIONS, partition, parts, outputs))
        return verdict

    def _directory(self, partition: int) -> RecordedDirectory:
        """Return what the directory had said of the records of one source partition."""
        found = (self._sources.get((partition, target), []) for target in range(self._plan.partitions))
        rows = (_read(record) for records in found for record in records)
        return RecordedDirectory(row for row in rows if row["input"]["partition"] is not None)

    def _extensions(
        self, partition: int, before: Offsets, after: Offsets, outputs: dict[tuple[str, int], list[Read]]
    ) -> Verdict:
        plan = self._plan
        self._progress(f"proving the extensions stage, partition {partition}")
        place = (plan.names["EnrichedEvent"], partition)
        records = [record for record in self._enriched[partition] if record.offset < after.get(place, 0)]
        expected = proof.expect_extensions(plan, partition, records, before.get(place, 0))
        parts = proof.split(expected, lambda record: (record.topic, record.partition))
        verdict = Verdict()
        for record in EXTENSION_OUTPUTS:
            part = parts.get((plan.names[record], partition), Expected([], 0))
            verdict.add(self._compare(record, partition, part, outputs[record, partition]))
        rows = parts.get((plan.names[INTERVALS], partition), Expected([], 0))
        found = _rows_of_extensions(outputs[INTERVALS, partition], extensions=True)
        verdict.add(self._compare(INTERVALS, partition, rows, found))
        for target in range(plan.partitions) if self.retained.scopes() else ():
            part = parts.get((plan.names[DELTAS], target), Expected([], 0))
            verdict.add(proof.compare(plan.names[DELTAS], DELTAS, part, self._told.get((partition, target), [])))
        verdict.add(self._letters(proof.EXTENSIONS, partition, parts, outputs))
        return verdict

    def _scopes(
        self, partition: int, before: Offsets, after: Offsets, outputs: dict[tuple[str, int], list[Read]]
    ) -> Verdict:
        plan = self._plan
        self._progress(f"proving the scopes stage, partition {partition}")
        place = (plan.names[DELTAS], partition)
        records = [record for record in self._deltas[partition] if record.offset < after.get(place, 0)]
        expected = proof.expect_scopes(plan, partition, records, before.get(place, 0))
        parts = proof.split(expected, lambda record: (record.topic, record.partition))
        rows = parts.get((plan.names[INTERVALS], partition), Expected([], 0))
        found = _rows_of_extensions(outputs[INTERVALS, partition], extensions=False)
        verdict = self._compare(INTERVALS, partition, rows, found)
        verdict.add(self._letters(proof.SCOPES, partition, parts, outputs))
        return verdict

    def _letters(
        self,
        stage: str,
        partition: int,
        parts: dict[tuple[str, int], Expected],
        outputs: dict[tuple[str, int], list[Read]],
    ) -> Verdict:
        topic = self._plan.names["DeadLetter"]
        found = [record for record in outputs["DeadLetter", partition] if proof.stage_of(record.value) == stage]
        return self._compare("DeadLetter", partition, parts.get((topic, partition), Expected([], 0)), found)

    def _compare(self, record: str, partition: int, expected: Expected, found: list[Read]) -> Verdict:
        """Compare what is there of an output with what had to be written, as far back as the output is held."""
        topic = self._plan.names[record]
        if self.retained.is_cut(topic, partition):
            held = proof.held(record, expected, found)
            self.retained.passed_over(topic, partition, len(expected.records) - len(held.records))
            expected = held
        return proof.compare(topic, record, expected, found)


def _read(record: Read) -> Mapping[str, Any]:
    """Return the row of an enriched event; of bytes that are none, a row that names no source."""
    try:
        return CODEC.decode(record.value or b"")
    except AvroError:
        return {"type": EventType.OTHER, "input": {"partition": None}}


def _source_of(delta: Read) -> int | None:
    """Return the partition that told a delta, None for marks; bytes that are none are laid at their own partition's."""
    try:
        row = codec(DELTAS).decode(delta.value or b"")
    except AvroError:
        return delta.partition
    return None if row["marks"] else int(row["source_partition"])


def _rows_of_extensions(records: list[Read], *, extensions: bool) -> list[Read]:
    """Return the rows that the extensions stage wrote, or those of the scopes stage: they share a topic."""
    return [record for record in records if _is_of_extension(record) is extensions]


def _is_of_extension(record: Read) -> bool:
    try:
        return bool(codec(INTERVALS).decode(record.value or b"")["scope_type"] == ScopeType.EXTENSION)
    except AvroError:
        return True
