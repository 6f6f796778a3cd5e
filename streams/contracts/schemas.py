"""The Avro schemas as files: where they lie, what they are called, and the bare form that codecs work with."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

SCHEMAS: Final = Path(__file__).resolve().parents[2] / "schemas"
"""Beside the package `streams`, in the repository as in the installed wheel."""

NAMESPACE: Final = "io.widgetstreams.v1"

Schema = dict[str, Any]
"""An Avro schema as its JSON says it."""

_RELEASED_NAME: Final = re.compile(r"(?P<name>[a-z-]+)\.(?P<id>\d+)\.avsc")


def file_name(record: str) -> str:
    """Return the name of the record's schema file: `CallRecord` is in `call-record.avsc`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", record).lower() + ".avsc"


def load(record: str) -> Schema:
    """Read the current schema of a record.

    Raises:
        FileNotFoundError: There is no such record.
    """
    return _read(SCHEMAS / file_name(record))


def load_all(folder: Path = SCHEMAS) -> dict[str, Schema]:
    """Read the current schemas of a folder by record, in the order of their file names."""
    read = (_read(path) for path in sorted(folder.glob("*.avsc")))
    return {schema["name"]: schema for schema in read}


def records() -> list[str]:
    """Name the records that have a schema, in the order of their file names."""
    return list(load_all())


def released(record: str, folder: Path = SCHEMAS) -> dict[int, Schema]:
    """Read the versions of a record that are out there, by schema id: `released/call-record.3.avsc` has the id 3."""
    stem = file_name(record).removesuffix(".avsc")
    matches = ((path, _RELEASED_NAME.fullmatch(path.name)) for path in sorted((folder / "released").glob("*.avsc")))
    return {int(match["id"]): _read(path) for path, match in matches if match and match["name"] == stem}


def ids(folder: Path = SCHEMAS) -> dict[str, int]:
    """Read the schema ids that are used without a registry, by subject (`<topic>-value` with the default prefix)."""
    content: dict[str, int] = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
    return content


def bare(schema: Any) -> Any:
    """Return the schema without docs and logical types: the same bytes, instants as plain integers."""
    if isinstance(schema, list):
        return [bare(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if "logicalType" in schema:
        return schema["type"]
    kept = {key: value for key, value in schema.items() if key != "doc"}
    for key in ("type", "items", "values"):
        if key in kept:
            kept[key] = bare(kept[key])
    if "fields" in kept:
        kept["fields"] = [bare(field) for field in kept["fields"]]
    return kept


def named_types(schema: Any) -> Iterator[Schema]:
    """Give every record and enum that the schema defines, outermost first."""
    if isinstance(schema, list):
        for branch in schema:
            yield from named_types(branch)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum"):
            yield schema
        for field in schema.get("fields", ()):
            yield from named_types(field["type"])
        for key in ("type", "items", "values"):
            yield from named_types(schema.get(key))


def _read(path: Path) -> Schema:
    content: Schema = json.loads(path.read_text(encoding="utf-8"))
    return content
