"""Whether two versions of an Avro schema can read each other: FULL compatibility, and stricter (CONTRACT 2).

Stricter in two points, because consumers in other languages and SQL tables depend on them: no type changes at all, not
even promotions, and no enum symbol is ever taken away. Registries accept the latter; we do not.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from streams.contracts.schemas import Schema, named_types


class _Side(NamedTuple):
    """One version: the schema of the place that is compared, and the version's types by name."""

    schema: Any
    types: dict[str, Schema]

    def at(self, schema: Any) -> "_Side":
        """Move to another place of the same version; a name is replaced with its definition."""
        resolved = self.types.get(schema, schema) if isinstance(schema, str) else schema
        if isinstance(resolved, dict) and set(resolved) == {"type"}:
            return self.at(resolved["type"])
        return _Side(resolved, self.types)


def problems(old: Schema, new: Schema) -> list[str]:
    """Say why the two versions are not fully compatible; empty when each can read what the other wrote.

    Full transitive compatibility is this check of the current schema against every released version.
    """
    before = _Side(old, {named["name"]: named for named in named_types(old)})
    after = _Side(new, {named["name"]: named for named in named_types(new)})
    return list(_compare(before, after, old["name"]))


def _compare(old: _Side, new: _Side, path: str) -> Iterator[str]:
    kind = _kind(old.schema)
    if kind != _kind(new.schema):
        yield f"{path}: the type changed from {kind} to {_kind(new.schema)}."
        return
    match kind:
        case "record":
            yield from _compare_records(old, new, path)
        case "enum":
            yield from _compare_enums(old.schema, new.schema, path)
        case "array":
            yield from _compare(old.at(old.schema["items"]), new.at(new.schema["items"]), f"{path}[]")
        case "map":
            yield from _compare(old.at(old.schema["values"]), new.at(new.schema["values"]), f"{path}{{}}")
        case "union":
            yield from _compare_unions(old, new, path)


def _kind(schema: Any) -> str:
    """Return what must not change: the type, with its logical type or its name."""
    if isinstance(schema, list):
        return "union"
    if isinstance(schema, str):
        return schema
    logical = schema.get("logicalType")
    return f"{schema['type']} ({logical})" if logical else str(schema["type"])


def _compare_records(old: _Side, new: _Side, path: str) -> Iterator[str]:
    yield from _compare_names(old.schema, new.schema, path)
    before = {field["name"]: field for field in old.schema["fields"]}
    after = {field["name"]: field for field in new.schema["fields"]}
    for name, field in after.items():
        if name in before:
            yield from _compare(old.at(before[name]["type"]), new.at(field["type"]), f"{path}.{name}")
        elif "default" not in field:
            yield f"{path}.{name}: the new field has no default, so older records cannot be read."
    for name, field in before.items():
        if name not in after and "default" not in field:
            yield f"{path}.{name}: the removed field had no default, so older readers cannot read new records."


def _compare_enums(old: Schema, new: Schema, path: str) -> Iterator[str]:
    yield from _compare_names(old, new, path)
    for symbol in old["symbols"]:
        if symbol not in new["symbols"]:
            yield f"{path}: the enum symbol {symbol} was removed."
    added = [symbol for symbol in new["symbols"] if symbol not in old["symbols"]]
    if added and "default" not in old:
        yield f"{path}: {added[0]} was added to an enum without default, so older readers cannot read it."
    if old.get("default") != new.get("default"):
        yield f"{path}: the enum's default changed."


def _compare_unions(old: _Side, new: _Side, path: str) -> Iterator[str]:
    if len(old.schema) != len(new.schema):
        yield f"{path}: the union has other branches."
        return
    for before, after in zip(old.schema, new.schema, strict=True):
        yield from _compare(old.at(before), new.at(after), path)


def _compare_names(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if old["name"] != new["name"]:
        yield f"{path}: {old['name']} was renamed to {new['name']}."
