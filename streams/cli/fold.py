"""`widget-streams fold`: the whole pipeline over files, without Kafka (CONTRACT 9)."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from streams.cli.errors import WrongUse
from streams.contracts.avro import codec
from streams.contracts.catalog import Naming
from streams.contracts.directory import Directory, read_directory
from streams.contracts.directory_rows import DirectoryError
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.pipeline.fold import Fold
from streams.pipeline.plan import Plan
from streams.pipeline.records import Written
from streams.settings import SettingsError, load


class Instant(click.ParamType):
    """An instant in ISO 8601 with its offset, as milliseconds since the epoch."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text of an instant."""
        if isinstance(value, int):
            return value
        try:
            moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        except ValueError:
            self.fail(f"{value!r} is no instant; write it as 2026-03-02T09:00:00Z.", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no time zone; end it with Z or an offset like +01:00.", param, ctx)
        return round(moment.astimezone(UTC).timestamp() * 1000)


EXAMPLE = "\b\nExample:\n  widget-streams fold calls.jsonl --out folded --until 2026-03-02T10:00:00Z"


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLE)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the records.")
@click.option("--until", type=Instant(), help="Let time run to this instant after the last line.")
@click.option("--directory", type=click.File("rb"), help="Rows of the directory, one JSON object a line.")
@click.option("--settings", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file of settings.")
def command(
    files: tuple[Path, ...], out: Path, until: int | None, directory: BinaryIO | None, settings: Path | None
) -> None:
    """Fold envelopes in FILES (one JSON object a line) into the records of every topic.

    Writes OUT/<topic>.jsonl, a line per record with key, value and headers, and OUT/summary.json. The same input gives
    the same bytes on every machine: variables are not read. Phone numbers become tokens of a public development key.
    """
    click.echo("Tokens are made with the public development key: do not compare them with production.", err=True)
    plan = _plan(directory, settings)
    fold = Fold(plan)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with Folder(out, plan) as folder, ExitStack() as stack:
            sources = [stack.enter_context(path.open("rb")) for path in files]
            folder.write(fold.lines(_lines(sources)))
            folder.write(fold.end(until))
        (out / "summary.json").write_bytes(orjson.dumps(fold.summary()) + b"\n")
    except OSError as error:
        raise WrongUse(f"Cannot write to {out}: {error.strerror}.") from error


def _plan(directory: BinaryIO | None, settings: Path | None) -> Plan:
    try:
        loaded = load({}, environ={}, config=settings)
        key = TokenKey(DEVELOPMENT_KEY)
        rows = read_directory(directory, key) if directory is not None else Directory()
    except (SettingsError, DirectoryError) as error:
        raise WrongUse(str(error)) from error
    return Plan(
        key,
        naming=Naming(loaded.topic_prefix, loaded.group),
        partitions=1,
        identity_wait_ms=round(loaded.identity_wait_seconds * 1000),
        directory=rows,
    )


def _lines(sources: Iterable[BinaryIO]) -> Iterator[bytes]:
    for source in sources:
        for line in source:
            stripped = line.rstrip(b"\r\n")
            if stripped:
                yield stripped


class Folder:
    """Writes records as JSON lines, one file a topic; every topic has its file."""

    def __init__(self, out: Path, plan: Plan):
        """Write into `out`."""
        self._codecs = {topic: codec(record) for record, topic in plan.names.items()}
        self._files = {topic: (out / f"{topic}.jsonl").open("wb") for topic in self._codecs}

    def __enter__(self) -> "Folder":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def write(self, records: Iterable[Written]) -> None:
        """Write records in their order."""
        for record in records:
            value = None if record.value is None else self._codecs[record.topic].to_json(record.value)
            key = None if record.key is None else record.key.decode()
            headers = {name: text.decode() for name, text in record.headers}
            self._files[record.topic].write(orjson.dumps({"key": key, "value": value, "headers": headers}) + b"\n")
