"""Two versions of a schema: what is accepted can really be read both ways, and each kind of break is named."""

import io
from typing import Any

import fastavro
import pytest

from streams.contracts import compatibility

KIND = {"type": "enum", "name": "Kind", "symbols": ["UNKNOWN", "A"], "default": "UNKNOWN"}
PART: dict[str, Any] = {"type": "record", "name": "Part", "fields": [{"name": "n", "type": "long"}]}
OLD: list[dict[str, Any]] = [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "kind", "type": KIND, "default": "UNKNOWN"},
    {"name": "part", "type": ["null", PART], "default": None},
    {"name": "other", "type": ["null", "Part"], "default": None},
    {"name": "names", "type": {"type": "array", "items": "string"}, "default": []},
]


def version(**changes: Any) -> dict[str, Any]:
    """Return the schema with fields replaced, added, or removed (None)."""
    fields = {field["name"]: field for field in OLD}
    for name, change in changes.items():
        if change is None:
            del fields[name]
        else:
            fields[name] = {**fields.get(name, {"name": name}), **change}
    return {"type": "record", "name": "Row", "namespace": "t", "fields": list(fields.values())}


ACCEPTED = {
    "a new field with a default": version(more={"type": ["null", "long"], "default": None}),
    "a field with a default removed": version(names=None),
    "a new enum symbol": version(kind={"type": {**KIND, "symbols": ["UNKNOWN", "A", "B"]}}),
    "other docs": version(id={"doc": "said better"}),
    "a new nested field with a default": version(
        part={"type": ["null", {**PART, "fields": [*PART["fields"], {"name": "m", "type": "int", "default": 0}]}]}
    ),
}

REFUSED = {
    "a new field without default": (version(more={"type": "long"}), "Row.more: the new field has no default"),
    "a required field removed": (version(id=None), "Row.id: the removed field had no default"),
    "a type changed": (version(id={"type": "bytes"}), "Row.id: the type changed from string to bytes"),
    "a promotion": (version(at={"type": "double"}), "Row.at: the type changed"),
    "a logical type dropped": (version(at={"type": "long"}), "from long (timestamp-millis) to long"),
    "a field made optional": (version(id={"type": ["null", "string"], "default": None}), "from string to union"),
    "an enum symbol removed": (version(kind={"type": {**KIND, "symbols": ["UNKNOWN"]}}), "symbol A was removed"),
    "an enum renamed": (version(kind={"type": {**KIND, "name": "Sort"}}), "Kind was renamed to Sort"),
    "an enum's default dropped": (
        version(kind={"type": {"type": "enum", "name": "Kind", "symbols": ["UNKNOWN", "A"]}}),
        "the enum's default changed",
    ),
    "a nested field changed": (
        version(part={"type": ["null", {**PART, "fields": [{"name": "n", "type": "string"}]}]}),
        "Row.part.n: the type changed from long to string",
    ),
    "another branch": (version(part={"type": ["null", PART, "string"]}), "Row.part: the union has other branches"),
    "other items": (version(names={"type": {"type": "array", "items": "long"}}), "Row.names[]: the type changed"),
    "the record renamed": ({**version(), "name": "Line"}, "Row was renamed to Line"),
}


@pytest.mark.parametrize("new", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted_version_reads_and_is_read(new: dict[str, Any]) -> None:
    """What the check lets pass, Avro's own resolution can read in both directions."""
    old = version()
    assert compatibility.problems(old, new) == []
    for writer, reader in ((old, new), (new, old)):
        assert _resolve(writer, reader)["id"] == "x"


@pytest.mark.parametrize(("new", "complaint"), REFUSED.values(), ids=REFUSED.keys())
def test_incompatible_version_is_refused_by_name(new: dict[str, Any], complaint: str) -> None:
    """Each kind of break is found and told where it is."""
    problems = compatibility.problems(version(), new)
    assert any(complaint in problem for problem in problems), problems


def test_symbol_for_readers_without_default_is_refused() -> None:
    """An enum that was released without a default can never get another symbol."""
    bare = {"type": "enum", "name": "Kind", "symbols": ["A"]}
    old, new = version(kind={"type": bare}), version(kind={"type": {**bare, "symbols": ["A", "B"]}})
    assert "B was added to an enum without default" in str(compatibility.problems(old, new))


def test_type_by_name_is_followed_when_its_definition_moved() -> None:
    """Removing the field that held a definition moves it to the next use: no change for anybody."""
    assert compatibility.problems(version(), version(part=None, other={"type": ["null", PART]})) == []


def _resolve(writer: dict[str, Any], reader: dict[str, Any]) -> Any:
    buffer = io.BytesIO()
    row = {"id": "x", "at": 1, "kind": writer["fields"][2]["type"]["symbols"][-1], "part": {"n": 1}, "other": {"n": 2}}
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(writer), row)
    buffer.seek(0)
    return fastavro.schemaless_reader(buffer, fastavro.parse_schema(writer), fastavro.parse_schema(reader))
