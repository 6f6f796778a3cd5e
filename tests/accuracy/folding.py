"""Run envelopes through `widget-streams fold` as anyone would, and read the call records it leaves."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Record = dict[str, Any]
OWN_COMMAND = (str(Path(sys.executable).with_name("widget-streams")),)


class FoldError(Exception):
    """The command did not end well; says how."""


def fold(envelopes: Iterable[dict[str, Any]], until: int, command: Sequence[str] = OWN_COMMAND) -> list[Record]:
    """Return the last revision of each leg's record, tombstones left out."""
    with tempfile.TemporaryDirectory(prefix="accuracy-") as place:
        folder = Path(place)
        source, out = folder / "envelopes.jsonl", folder / "out"
        with source.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(envelope, separators=(",", ":")) + "\n" for envelope in envelopes)
        stop = datetime.fromtimestamp(until / 1000, UTC).isoformat(timespec="milliseconds")
        done = subprocess.run(
            [*command, "fold", str(source), "--out", str(out), "--until", stop],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise FoldError(
                f"fold ended with {done.returncode}: {' '.join(done.stderr.strip().splitlines()[-1:])[:300]}"
            )
        return last_records(out / "widget.call-records.v1.jsonl")


def last_records(path: Path) -> list[Record]:
    """Return what a compacted topic would keep."""
    kept: dict[str, Record | None] = {}
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                kept[row["key"]] = row["value"]
    return [record for record in kept.values() if record]
