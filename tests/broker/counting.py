"""A worker with one small stage of its own on the real engine: it counts the records of each key.

    python -m tests.broker.counting '{"brokers": ..., "group": ..., "slot": ..., "prefix": ...}'

Values say what to do with a record: `boom` fails, `forget` deletes the key's count, `huge` writes too large a record,
anything else counts.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from streams.engine import Engine, EngineError, EngineOptions, Folded, InputRecord, build_app, run
from tests.engine.builders import Made, Out


class CountingPartition:
    """Counts by key; every record writes the key's new count."""

    def __init__(self, topic: str, partition: int, saved: Mapping[bytes, bytes]):
        """Go on from what was saved."""
        self._topic, self._partition = topic, partition
        self._counts = {key: int(value) for key, value in saved.items()}

    def fold(self, records: Sequence[InputRecord]) -> Made:
        """Count a batch."""
        outputs: list[Out] = []
        changes: dict[bytes, bytes | None] = {}
        for record in records:
            key, value = record.key or b"", record.value
            if value == b"boom":
                raise RuntimeError("a bug in the stage")
            if value == b"forget":
                self._counts.pop(key, None)
                changes[key] = None
                continue
            self._counts[key] = self._counts.get(key, 0) + 1
            written = changes[key] = b"%d" % self._counts[key]
            huge = b"." * 3_000_000 if value == b"huge" else b""
            outputs.append(Out(self._topic, self._partition, key, written + huge))
        return Made(outputs, changes, urgent=True)

    def mark(self, idle_until: int | None, next_offset: int) -> Folded | None:  # noqa: ARG002
        """Say nothing."""
        return None


class CountingStage:
    """The stage, on topics of one prefix."""

    name = "counting"
    marked = False

    def __init__(self, prefix: str):
        """Read PREFIXin, write PREFIXout, keep the state in PREFIXin-changelog."""
        self.input_topic, self.changelog_topic = prefix + "in", prefix + "in-changelog"
        self.output_topics = [prefix + "out"]

    def open(self, partition: int, saved: Mapping[bytes, bytes]) -> CountingPartition:
        """Open a partition."""
        return CountingPartition(self.output_topics[0], partition, saved)

    def watermarks(self, marks: Sequence[Any]) -> Sequence[Out]:  # noqa: ARG002
        """Say nothing."""
        return []


def main(options: dict[str, Any]) -> int:
    """Run the worker and return the exit code."""
    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s %(message)s")
    prefix = options.pop("prefix")
    with tempfile.TemporaryDirectory() as folder:
        try:
            engine_options = EngineOptions(**options)
            app = build_app(engine_options, data_dir=Path(folder))
            Engine(app, [CountingStage(prefix)], engine_options)
            run(app)
        except EngineError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
