"""The scenario book beside the checkout: where it is, its checker, and a fold that needs no new process."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streams.cli.fold import command
from tests.scenarios.checkers import checker

SHARED = Path(__file__).resolve().parents[3] / "shared"
DOMAIN = SHARED / "domain"
SCENARIOS = DOMAIN / "scenarios"
FIXTURES = DOMAIN / "fixtures"
ABSENT = "the scenario book is not beside this checkout"


def scenario(name: str) -> dict[str, Any]:
    """Return a scenario of the book."""
    read: dict[str, Any] = json.loads((SCENARIOS / f"{name}.json").read_text(encoding="utf-8"))
    return read


def problems(case: Mapping[str, Any]) -> list[str]:
    """Return what the book's own checker has to complain of after folding a scenario with our command."""
    book = checker(SCENARIOS)

    class InProcess(book.Check):  # type: ignore[name-defined,misc]  # the book is loaded by its path
        """The checker, with our command called instead of started."""

        def fold(self, folder: Path, label: str, until: int) -> Any:
            end = self.start + until
            work = folder / label
            out = work / "out"
            out.mkdir(parents=True)
            source = work / "input.jsonl"
            kept = [line for received, line in self.lines if received <= end]
            source.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
            stop = datetime.fromtimestamp(end / 1000, UTC).isoformat(timespec="milliseconds")
            arguments = [str(source), "--out", str(out), "--until", stop]
            if self.scenario.get("directory"):
                directory = work / "directory.jsonl"
                rows = (json.dumps(row) + "\n" for row in self.scenario["directory"])
                directory.write_text("".join(rows), encoding="utf-8")
                arguments += ["--directory", str(directory)]
            command.main(arguments, standalone_mode=False)
            return book.Output(out)

    found: list[str] = InProcess(case, []).run()
    return found
