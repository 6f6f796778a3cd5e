"""The schemas keep their rules, every rule complains about a sample that breaks it, and the code's words are theirs."""

import json
import shutil
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from streams.cli import schemas as cli_schemas
from streams.contracts import avro, schema_check, schemas
from streams.domain import message_words, words

Change = Callable[[Path], None]
EXAMPLES = sorted((schemas.SCHEMAS / "examples").glob("*/*.json"))


def in_schema(record: str, *changes: Callable[[dict[str, Any]], object]) -> Change:
    """Return a change of one schema's JSON."""
    return in_file(schemas.file_name(record), *changes)


def in_file(name: str, *changes: Callable[[dict[str, Any]], object]) -> Change:
    """Return a change of a JSON file in the folder."""

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        for edit in changes:
            edit(content)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")

    return change


def field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a field of a record."""
    found: dict[str, Any] = next(entry for entry in schema["fields"] if entry["name"] == name)
    return found


def release(record: str, schema_id: int, *changes: Callable[[dict[str, Any]], object]) -> Change:
    """Return a change that puts a version of the current schema into released/."""

    def change(folder: Path) -> None:
        name = f"released/{schemas.file_name(record).removesuffix('.avsc')}.{schema_id}.avsc"
        shutil.copy(folder / schemas.file_name(record), folder / name)
        in_file(name, *changes)(folder)

    return change


def rename(folder: Path) -> None:
    """Give a schema file a name that is not its record's."""
    (folder / "presence.avsc").rename(folder / "presences.avsc")


def remove_examples(folder: Path) -> None:
    """Leave Presence without examples."""
    shutil.rmtree(folder / "examples" / "presence")


BAD: dict[str, tuple[Change, str]] = {
    "field without doc": (
        in_schema("Presence", lambda s: field(s, "activity").pop("doc")),
        "activity in Presence has no doc",
    ),
    "record without doc": (in_schema("Presence", lambda s: s.update(doc=" ")), "Presence in Presence has no doc"),
    "enum without doc": (
        in_schema("Presence", lambda s: field(s, "activity")["type"].pop("doc")),
        "Activity in Activity has no doc",
    ),
    "enum without UNKNOWN first": (
        in_schema("Presence", lambda s: field(s, "activity")["type"]["symbols"].reverse()),
        "Activity does not have UNKNOWN first",
    ),
    "enum without default": (
        in_schema("Presence", lambda s: field(s, "activity")["type"].pop("default")),
        "Activity does not have UNKNOWN first and as default",
    ),
    "another union": (
        in_schema("CallEvent", lambda s: field(s, "call_id").update(type=["string", "null"])),
        "call_id in CallEvent is a union other than",
    ),
    "optional without default": (
        in_schema("CallEvent", lambda s: field(s, "call_id").pop("default")),
        "call_id in CallEvent is a union other than",
    ),
    "array without default": (
        in_schema("CallEvent", lambda s: field(s, "queues").pop("default")),
        "queues in CallEvent is an array without the default",
    ),
    "duration that is no long": (
        in_schema("CallRecord", lambda s: field(s, "talk_ms").update(type="int")),
        "talk_ms in CallRecord is a duration",
    ),
    "instant that is no timestamp": (
        in_schema("CallRecord", lambda s: field(s, "ended_at").update(type=["null", "long"])),
        "ended_at in CallRecord is an instant",
    ),
    "another namespace": (in_schema("Presence", lambda s: s.update(namespace="x")), "the namespace is not"),
    "another file name": (
        rename,
        "its file is not called presence.avsc",
    ),
    "shared type that differs": (
        in_schema("CallEvent", lambda s: field(s, "direction")["type"].update(doc="Otherwise.")),
        "Direction is defined otherwise than in",
    ),
    "record without a topic": (
        in_schema("Presence", lambda s: s.update(name="Presences")),
        "Presences: no topic in topics.toml carries it",
    ),
    "topic whose schema is missing": (
        lambda folder: (folder / "presence.avsc").unlink(),
        "topics.toml names it, but presence.avsc is missing",
    ),
    "subject without id": (
        in_file("ids.json", lambda ids: ids.pop("widget.audit.v1-value")),
        "widget.audit.v1-value: ids.json has no id for it",
    ),
    "id without subject": (
        in_file("ids.json", lambda ids: ids.update(other=99)),
        "other: ids.json has an id, but no topic",
    ),
    "id used twice": (
        in_file("ids.json", lambda ids: ids.update({"widget.audit.v1-value": 1})),
        "the id 1 is also that of",
    ),
    "id of another's released version": (release("Presence", 1), "the id 1 is also that of"),
    "changed after release, same id": (
        release("Presence", 6, lambda s: s.update(doc="Before.")),
        "differs from the released version 6, so it needs a new id",
    ),
    "removed enum symbol": (
        release("Presence", 60, lambda s: field(s, "activity")["type"]["symbols"].append("LUNCH")),
        "the enum symbol LUNCH was removed. (against the released version 60)",
    ),
    "new field without default": (
        release("Presence", 60, lambda s: s["fields"].pop(0)),
        "extension_key: the new field has no default",
    ),
    "required field removed": (
        release("Presence", 60, lambda s: s["fields"].append({"name": "mood", "type": "string", "doc": "Mood."})),
        "mood: the removed field had no default",
    ),
    "type changed": (
        release("CallRecord", 60, lambda s: field(s, "talk_ms").update(type="int")),
        "talk_ms: the type changed from int to long",
    ),
    "no example": (remove_examples, "Presence: there is no example"),
    "example that does not fit": (
        in_file("examples/presence/on-call.json", lambda row: row.update(activity="LUNCH")),
        "example on-call.json: Presence: activity does not fit",
    ),
    "example that leaves fields out": (
        in_file("examples/presence/on-call.json", lambda row: row.pop("user_status")),
        "example on-call.json: encoded and decoded it is another one",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the schemas that may be broken."""
    copied = tmp_path / "schemas"
    shutil.copytree(schemas.SCHEMAS, copied)
    return copied


def test_schemas_keep_all_rules() -> None:
    """What is checked in is well formed and compatible with what was released."""
    assert schema_check.problems() == []


@pytest.mark.parametrize(("change", "complaint"), BAD.values(), ids=BAD.keys())
def test_each_rule_complains_about_its_bad_sample(folder: Path, change: Change, complaint: str) -> None:
    """A folder that breaks a rule is told so."""
    change(folder)
    problems = schema_check.problems(folder)
    assert any(complaint in problem for problem in problems), problems


def test_compatible_change_with_a_new_id_is_accepted(folder: Path) -> None:
    """A new optional field and a new symbol after a release are fine when the id is new."""
    release("Presence", 6)(folder)
    mood = {"name": "mood", "type": ["null", "string"], "doc": "Mood.", "default": None}
    in_schema("Presence", lambda s: s["fields"].append(mood))(folder)
    in_file("ids.json", lambda ids: ids.update({"widget.presence.v1-value": 60}))(folder)
    for path in (folder / "examples" / "presence").glob("*.json"):
        in_file(str(path.relative_to(folder)), lambda row: row.update(mood=None))(folder)
    problems = schema_check.problems(folder)
    assert problems == ["Presence: Presence is defined otherwise than in PresenceEvent."]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_example_is_the_same_after_encoding(path: Path) -> None:
    """Each example is a case: encoded and decoded with the real codec it says the same."""
    record = next(name for name in schemas.records() if schemas.file_name(name) == path.parent.name + ".avsc")
    example = json.loads(path.read_text(encoding="utf-8"))
    assert avro.codec(record).to_json(avro.codec(record).from_json(example)) == example


def test_examples_tell_no_readable_number() -> None:
    """Other people's numbers stand as tokens in the examples, as they do in the topics."""
    for path in EXAMPLES:
        assert "555" not in path.read_text(encoding="utf-8").replace("+16505550100*", ""), path


def _differing(enums: dict[str, type[StrEnum]]) -> dict[str, set[str]]:
    declared = {
        named["name"]: set(named["symbols"])
        for record in schemas.records()
        for named in schemas.named_types(schemas.load(record))
        if named["type"] == "enum"
    }
    return {
        name: difference
        for name, enum in enums.items()
        if name in declared and (difference := (declared[name] ^ {word.value for word in enum}) - {"UNKNOWN"})
    }


def test_enums_of_code_and_schema_have_the_same_words() -> None:
    """The domain's vocabularies are the Avro enums of the same name; UNKNOWN may be the schema's alone."""
    told = {**vars(words), **vars(message_words)}
    enums = {name: enum for name, enum in told.items() if isinstance(enum, type) and issubclass(enum, StrEnum)}
    assert len(enums) > 15
    assert _differing(enums) == {}


class _Lagging(StrEnum):
    NONE = "NONE"


def test_enum_that_lags_behind_its_schema_is_noticed() -> None:
    """The comparison of code and schema can fail."""
    assert _differing({"Transfer": _Lagging}) != {}


def test_check_command_is_content_with_the_schemas() -> None:
    """`schemas check` says how much it looked at and exits with 0."""
    result = CliRunner().invoke(cli_schemas.command, ["check"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("13 schemas are well formed")


def test_check_command_names_the_problems(folder: Path) -> None:
    """`schemas check` prints each problem and exits with 1."""
    remove_examples(folder)
    result = CliRunner().invoke(cli_schemas.command, ["check", "--folder", str(folder)])
    assert result.exit_code == 1
    assert "Presence: there is no example." in result.output
    assert "1 problem in the schemas" in result.output


def test_list_command_shows_every_record() -> None:
    """`schemas list` has a line for each record with its subject."""
    result = CliRunner().invoke(cli_schemas.command, ["list"])
    assert [line.split()[0] for line in result.output.splitlines()[1:]] == schemas.records()
