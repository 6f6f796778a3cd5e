"""`widget-streams schemas`: the Avro schemas of the topics, and whether they keep their promises to consumers."""

from pathlib import Path

import click

from streams.cli.errors import Problem
from streams.contracts import catalog, schema_check, schemas


@click.group(epilog="\b\nExample:\n  widget-streams schemas check")
def command() -> None:
    """List the Avro schemas and check their compatibility."""


@command.command(
    "list", short_help="Show the schemas with their ids.", epilog="\b\nExample:\n  widget-streams schemas list"
)
def list_schemas() -> None:
    """Show each record with its subject, its id without a registry, and its released versions."""
    ids = schemas.ids()
    click.echo(f"{'RECORD':<16} {'FILE':<22} {'ID':>3}  {'RELEASED':<9} SUBJECT")
    for record in schemas.records():
        subject = catalog.subject_of(record)
        released = ", ".join(str(number) for number in sorted(schemas.released(record))) or "-"
        click.echo(f"{record:<16} {schemas.file_name(record):<22} {ids[subject]:>3}  {released:<9} {subject}")


@command.command(
    "check", short_help="Check schemas and their compatibility.", epilog="\b\nExample:\n  widget-streams schemas check"
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=schemas.SCHEMAS,
    help="Folder of schemas to check instead of the installed one.",
)
def check_schemas(folder: Path) -> None:
    """Check docs, enums, ids, examples, and that every released version stays readable, both ways."""
    found = schema_check.problems(folder)
    for problem in found:
        click.echo(problem)
    if found:
        noun = "problem" if len(found) == 1 else "problems"
        raise Problem(f"{len(found)} {noun} in the schemas; mend the files in {folder}.")
    records = schemas.load_all(folder)
    versions = sum(len(schemas.released(record, folder)) for record in records)
    click.echo(f"{len(records)} schemas are well formed and compatible with {versions} released versions.")
