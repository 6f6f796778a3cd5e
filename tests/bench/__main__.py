"""`python -m tests.bench`: measure, print one table, keep the figures in .build/bench.json.

Exits with 0 whether targets are met or not (the table says so), with 1 when something could not be measured.
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import click

from streams.local.embedded import EmbeddedKafka
from streams.local.node import FOR_BENCHMARKS
from tests.bench.browser import BrowserToRecord
from tests.bench.figures import Figure, table
from tests.bench.gateway import Gateway
from tests.bench.intervals import Intervals
from tests.bench.latency import Latency
from tests.bench.machine import facts
from tests.bench.memory import Memory
from tests.bench.page import page
from tests.bench.recovery import Recovery
from tests.bench.stages import Stages
from tests.bench.throughput import Throughput

KEPT = Path(".build/bench.json")


class Measurement(Protocol):
    """Something that can be measured."""

    def measure(self) -> list[Figure]:
        """Return the figures."""


Make = Callable[..., Measurement]
MEASUREMENTS: dict[str, Make] = {
    "stages": Stages,
    "intervals": Intervals,
    "throughput": Throughput,
    "latency": Latency,
    "gateway": Gateway,
    "browser": BrowserToRecord,
    "recovery": Recovery,
    "memory": Memory,
}


class Notes:
    """Tells what is being done, and keeps it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        """Tell a line."""
        self.lines.append(line)
        click.echo(f"{datetime.now(UTC):%H:%M:%S}  {line}", err=True)


def measured(names: Sequence[str], notes: Notes, *, quick: bool) -> tuple[list[Figure], list[str]]:
    """Measure these things one after the other; returns the figures and the names of what could not be measured."""
    figures: list[Figure] = []
    failed = []
    with EmbeddedKafka(size=FOR_BENCHMARKS) as kafka:
        for name in names:
            begun = time.monotonic()
            try:
                figures += MEASUREMENTS[name](kafka.bootstrap, notes.say, quick=quick).measure()
            except Exception:  # the others are still worth measuring
                failed.append(name)
                traceback.print_exc()
            click.echo(f"{name}: {time.monotonic() - begun:.0f} s", err=True)
    return figures, failed


@click.command()
@click.option("--only", default=",".join(MEASUREMENTS), show_default=True, help="What to measure, with commas.")
@click.option("--quick", is_flag=True, help="One short run of each: for a first look, not for figures to quote.")
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="Write a page in Markdown as well.")
def main(only: str, quick: bool, write: Path | None) -> None:
    """Measure speed, latency, recovery and memory, beside peers in the same run."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    if unknown := sorted(set(names) - MEASUREMENTS.keys()):
        raise click.UsageError(f"There is no {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}.")
    # While topics are new, clients complain of what they mend themselves.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    notes = Notes()
    figures, failed = measured(names, notes, quick=quick)
    day = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    kept = {"date": day, "machine": facts(), "figures": [figure.as_json() for figure in figures], "failed": failed}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    click.echo(table(figures) if figures else "Nothing was measured.")
    click.echo(f"Kept in {KEPT}.")
    if write:
        write.write_text(page(figures, facts(), day, notes.lines), encoding="utf-8")
    if failed:
        click.echo(f"Could not be measured: {', '.join(failed)}.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
