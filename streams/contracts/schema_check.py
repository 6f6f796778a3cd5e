"""The rules that every schema, id and example in `schemas/` keeps (CONTRACT 2): `widget-streams schemas check`."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastavro.schema import SchemaParseException

from streams.contracts import catalog, compatibility, schemas
from streams.contracts.avro import AvroError, Codec
from streams.contracts.schemas import NAMESPACE, SCHEMAS, Schema

INSTANT: Final = {"type": "long", "logicalType": "timestamp-millis"}


@dataclass(frozen=True, slots=True)
class _Folder:
    """What lies in a folder of schemas, read once."""

    path: Path
    current: dict[str, Schema]
    """Schema by record name."""
    released: dict[str, dict[int, Schema]]
    """Released versions by record name and id."""
    ids: dict[str, int]
    """Schema id by subject."""
    subjects: dict[str, str]
    """Subject by record name, from the topic catalogue."""


def problems(folder: Path = SCHEMAS) -> list[str]:
    """Say everything that is wrong with the schemas of a folder, a sentence each; empty when all is well.

    Raises:
        OSError: A file that must be there cannot be read.
        ValueError: A file is not JSON or TOML.
    """
    content = _read(folder)
    return [problem for rule in RULES for problem in rule(content)]


def _read(folder: Path) -> _Folder:
    topics = catalog.read((folder / "topics.toml").read_text(encoding="utf-8")).topics
    naming = catalog.Naming()
    current = schemas.load_all(folder)
    return _Folder(
        path=folder,
        current=current,
        released={record: schemas.released(record, folder) for record in current},
        ids=schemas.ids(folder),
        subjects={topic.record: topic.name(naming) + "-value" for topic in topics if topic.record},
    )


def _docs(content: _Folder) -> Iterator[str]:
    for record, named in _types(content):
        for part in (named, *named.get("fields", ())):
            if not str(part.get("doc", "")).strip():
                yield f"{record}: {part['name']} in {named['name']} has no doc."


def _enums(content: _Folder) -> Iterator[str]:
    for record, named in _types(content):
        if named["type"] == "enum" and (named["symbols"][0] != "UNKNOWN" or named.get("default") != "UNKNOWN"):
            yield f"{record}: the enum {named['name']} does not have UNKNOWN first and as default."


def _fields(content: _Folder) -> Iterator[str]:
    for record, named in _types(content):
        for field in named.get("fields", ()):
            yield from (f"{record}: {field['name']} in {named['name']} {problem}" for problem in _field(field))


def _field(field: dict[str, Any]) -> Iterator[str]:
    declared = field["type"]
    if isinstance(declared, list):
        if len(declared) != 2 or declared[0] != "null" or field.get("default", 0) is not None:
            yield 'is a union other than ["null", T] with default null.'
        declared = declared[-1]
    kind = declared.get("type") if isinstance(declared, dict) else declared
    if kind == "array" and field.get("default") != []:
        yield "is an array without the default []."
    if kind == "map" and not isinstance(field.get("default"), dict):
        yield "is a map without a default."
    durations = declared["values"] if kind == "map" else kind
    if field["name"].endswith("_ms") and durations != "long":
        yield "is a duration (_ms) but no long."
    if field["name"].endswith("_at") and declared != INSTANT:
        yield "is an instant (_at) but no timestamp-millis."


def _names(content: _Folder) -> Iterator[str]:
    for record, schema in content.current.items():
        if schema.get("namespace") != NAMESPACE:
            yield f"{record}: the namespace is not {NAMESPACE}."
        if not (content.path / schemas.file_name(record)).is_file():
            yield f"{record}: its file is not called {schemas.file_name(record)}."


def _shared_types(content: _Folder) -> Iterator[str]:
    first: dict[str, tuple[str, Schema]] = {}
    for record, named in _types(content):
        owner, definition = first.setdefault(named["name"], (record, _by_name(named)))
        if definition != _by_name(named):
            yield f"{record}: {named['name']} is defined otherwise than in {owner}."


def _by_name(named: Schema) -> Schema:
    """Return the definition with nested named types as names, which is how a second use writes them."""
    fields = [{**field, "type": _reference(field["type"])} for field in named.get("fields", ())]
    kept = {key: value for key, value in named.items() if key not in ("fields", "namespace")}
    return {**kept, "fields": fields}


def _reference(declared: Any) -> Any:
    if isinstance(declared, list):
        return [_reference(branch) for branch in declared]
    if isinstance(declared, dict) and declared["type"] in ("record", "enum"):
        return declared["name"]
    if isinstance(declared, dict) and declared["type"] == "array":
        return {**declared, "items": _reference(declared["items"])}
    if isinstance(declared, dict) and declared["type"] == "map":
        return {**declared, "values": _reference(declared["values"])}
    return declared


def _ids(content: _Folder) -> Iterator[str]:
    for record in content.current.keys() - content.subjects.keys():
        yield f"{record}: no topic in topics.toml carries it."
    for record in content.subjects.keys() - content.current.keys():
        yield f"{record}: topics.toml names it, but {schemas.file_name(record)} is missing."
    for subject in content.subjects.values():
        if subject not in content.ids:
            yield f"{subject}: ids.json has no id for it."
    for subject in content.ids.keys() - set(content.subjects.values()):
        yield f"{subject}: ids.json has an id, but no topic has this subject."
    yield from _repeated_ids(content)


def _repeated_ids(content: _Folder) -> Iterator[str]:
    used: dict[int, str] = {}
    given = [(number, subject) for subject, number in content.ids.items()]
    given += [
        (number, content.subjects.get(record, record))
        for record in content.released
        for number in content.released[record]
    ]
    for number, subject in given:
        if used.setdefault(number, subject) != subject:
            yield f"{subject}: the id {number} is also that of {used[number]}."


def _compatible(content: _Folder) -> Iterator[str]:
    for record, schema in content.current.items():
        for number, old in content.released[record].items():
            yield from (
                f"{problem} (against the released version {number})" for problem in compatibility.problems(old, schema)
            )
            changed = old != schema
            if changed and content.ids.get(content.subjects.get(record, "")) == number:
                yield f"{record}: it differs from the released version {number}, so it needs a new id in ids.json."


def _examples(content: _Folder) -> Iterator[str]:
    for record, schema in content.current.items():
        paths = sorted((content.path / "examples" / schemas.file_name(record).removesuffix(".avsc")).glob("*.json"))
        if not paths:
            yield f"{record}: there is no example."
        try:
            codec = Codec(schema, 1)
        except (KeyError, SchemaParseException) as error:
            yield f"{record}: no codec can be made of it: {error!r}."
            continue
        for path in paths:
            yield from (f"{record}: example {path.name}: {problem}" for problem in _example(codec, path))


def _example(codec: Codec, path: Path) -> Iterator[str]:
    example = json.loads(path.read_text(encoding="utf-8"))
    try:
        read_back = codec.to_json(codec.from_json(example))
    except AvroError as error:
        yield str(error)
        return
    if read_back != example:
        yield "encoded and decoded it is another one, or it leaves fields out."


def _types(content: _Folder) -> Iterator[tuple[str, Schema]]:
    for record, schema in content.current.items():
        yield from ((record, named) for named in schemas.named_types(schema))


RULES: Final[tuple[Callable[[_Folder], Iterator[str]], ...]] = (
    _names,
    _docs,
    _enums,
    _fields,
    _shared_types,
    _ids,
    _compatible,
    _examples,
)
"""Every rule; each is tested with a folder that breaks it."""
