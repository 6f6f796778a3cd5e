"""The functions that write and read Avro as modules that mypyc compiles, in place of those made at run time.

    python -m deploy.native.avro COPY

Fills the native build's copy: a module for each schema, and the lists of `streams/contracts/avro_native`. The source
text is that of `avro_writer` and `avro_reader`, with other lines where numbers of the machine and mypyc's own buffer
are faster. Needs no library: what of the contracts it imports needs none.
"""

import shutil
import sys
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from streams.contracts import event_shapes, schemas
from streams.contracts.avro_reader import ReaderSource
from streams.contracts.avro_writer import WriterSource
from streams.contracts.shapes import Shape, Shapes, fingerprint

PRIMITIVES: Final = Path(__file__).with_name("avro_primitives.py")
CONTRACTS: Final = Path("streams/contracts")
LISTS: Final = ("WRITERS", "READERS")
HEAD: Final = '''"""Functions for {record}, made by deploy/native/avro.py."""

from typing import Any, Final

from librt.strings import BytesWriter
from mypy_extensions import i64

from streams.contracts.avro_primitives import *
'''


class NativeWriter(WriterSource):
    """The source text of functions that write into mypyc's own buffer."""

    CONSTANT: ClassVar = "{0}: Final = {1!r}"
    HEAD: ClassVar = ["def write(begin: bytes, value: Any) -> bytes:", " out = BytesWriter()", " out.write(begin)"]
    RECORD: ClassVar = [
        "def write_{0}(out: BytesWriter, given: Any) -> None:",
        " row = row_of(out, given)",
        " if row is None: return",
        " missing: i64 = 0",
        " value: Any",
    ]
    LIST: ClassVar = "if not isinstance({0}, (list, tuple)): fail()"
    COUNT: ClassVar = "write_number(out, len({0}))"
    LAST: ClassVar = " return out.getvalue()"

    def primitives(self) -> dict[str, list[str]]:
        """Return the lines that write a variable of each primitive type."""
        return {name: [f"write_{name}(out, {{0}})"] for name in super().primitives()}

    def record(self, name: str, fields: Any) -> list[str]:
        """Return the function that writes a record: what it has and what it lacks must be as many as its fields."""
        lines = [line.format(name) for line in self.RECORD]
        for field in fields:
            lines += [*_given(field), *self.value(field["type"], "value", 1)]
        return [*lines, f" if len(row) + missing != {len(fields)}: fail()"]


def _given(field: Any) -> list[str]:
    name = field["name"]
    if "default" not in field:
        return [f" value = row[{name!r}]"]
    default = f" if value is MISSING: value = {field['default']!r}; missing += 1"
    return [f" value = row.get({name!r}, MISSING)", default]


class NativeReader(ReaderSource):
    """The source text of functions that read with numbers of the machine."""

    CONSTANT: ClassVar = "{0}: Final = {{{1}}}"
    FUNCTION: ClassVar = "def read(data: bytes, at: i64) -> tuple[Any, i64]:"

    def primitives(self) -> dict[str, list[str]]:
        """Return the lines that read each primitive type."""
        lines = {name: [f"{{0}}, at = read_{name}(data, at)"] for name in super().primitives()}
        return {**lines, "int": lines["long"]}

    def function(self, name: str, shape: Shape | None) -> str:
        """Return the line that begins the function that reads a record."""
        return f"def {name}(data: bytes, at: i64) -> tuple[{_made_of(shape)}, i64]:"


def _made_of(shape: Shape | None) -> str:
    """Return the type of what is made of a record."""
    if shape is None:
        return "dict[str, Any]"
    made: type = shape.make if isinstance(shape.make, type) else shape.make.__annotations__["return"]
    return made.__name__


class Module(NamedTuple):
    """A module with functions for one schema."""

    name: str
    text: str
    listed: dict[str, str]
    """Its entry in each of the LISTS that has one."""


def whole(record: str, schema: Any) -> Module:
    """Return the module that writes a record and reads it as a dict."""
    name, key = Path(schemas.file_name(record)).stem.replace("-", "_"), fingerprint(schema)
    text = "\n".join([HEAD.format(record=record), NativeWriter().text(schema), NativeReader().text(schema)])
    return Module(name, text, {"WRITERS": f"{key!r}: {name}.write", "READERS": f"{key!r}: {name}.read"})


def shaped(name: str, schema: Any, shapes: Shapes) -> Module:
    """Return the module that reads a record as other shapes."""
    imports = [_import(shape) for shape in shapes.values()]
    text = "\n".join([HEAD.format(record=schema["name"]), *imports, NativeReader(shapes).text(schema)])
    return Module(name, text, {"READERS": f"{fingerprint(schema, shapes)!r}: {name}.read"})


def _import(shape: Shape) -> str:
    return f"from {shape.make.__module__} import {shape.make.__qualname__}"


def modules() -> list[Module]:
    """Return a module for each schema, and those that read events."""
    bare = {record: schemas.bare(schema) for record, schema in schemas.load_all().items()}
    event = bare[event_shapes.RECORD]
    head = {**event, "fields": event["fields"][: event_shapes.HEAD_FIELDS]}
    return [
        *(whole(record, schema) for record, schema in bare.items()),
        shaped("event", event, event_shapes.EVENT),
        shaped("event_head", head, event_shapes.HEAD),
    ]


def fill(copy: Path) -> None:
    """Write the modules and the lists into a copy of the sources."""
    made = modules()
    package = copy / CONTRACTS / "avro_native"
    lines = [f"from streams.contracts.avro_native import {module.name}" for module in made]
    for name in LISTS:
        lines += [f"{name}.update({{{module.listed[name]}}})" for module in made if name in module.listed]
    with (package / "__init__.py").open("a", encoding="utf-8") as lists:
        lists.write("\n".join(["", *lines, ""]))
    for module in made:
        (package / f"{module.name}.py").write_text(module.text, encoding="utf-8")
    shutil.copy(PRIMITIVES, copy / CONTRACTS)


if __name__ == "__main__":
    fill(Path(sys.argv[1]))
