"""Plain dicts from Avro binary: of each record of a schema one Python function is made, with a few lines a field.

Twice as fast as the library's reader where most fields are null, as in an enriched event; a property test holds both
to the same values. Reads what is written with the same schema; the library translates older versions. Knows what our
schemas use: records, enums, arrays, maps, ["null", T] and primitive types without float and double.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of
from typing import Any, Final, NamedTuple

Reader = Callable[[bytes, int], tuple[Any, int]]
Lines = list[str]

_LONGEST: Final = 63
"""Bits before the last byte of a long."""
_THREE_PAIRS: Final = struct.Struct("<HHH").unpack_from
# Two bytes at a time, as they are written: their fourteen low bits.
_PAIRS: Final = tuple(pair & 127 | (pair >> 8 & 127) << 7 for pair in range(1 << 16))


class Shape(NamedTuple):
    """What is made of a record or an enum in place of a dict or a text."""

    make: Any
    """Of a record what is called with its fields by name; of an enum the class of its words."""
    fields: Mapping[str, str] = {}
    """Argument by field; a field that is not here is read over."""


def shape_of(made: type, **renamed: str) -> Shape:
    """Return the shape of a dataclass that has fields of the record by their name, or `renamed` (field: argument)."""
    return Shape(made, {field.name: field.name for field in fields_of(made)} | renamed)


def compile_reader(schema: Any, shapes: Mapping[str, Shape] | None = None) -> Reader:
    """Return a function that takes bytes and where a value begins in them, and returns it and where it ends.

    Args:
        schema: A bare schema (`schemas.bare`).
        shapes: What is made of the records and enums of these names.

    The function raises IndexError, ValueError or KeyError for bytes that are no such value. NB: bytes that are cut
    short may give a value that ends behind them: whoever calls compares.
    """
    return _Source(shapes or {}).reader(schema)


class _Source:
    """The functions made of a schema so far, and the values that their lines name."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes
        self._scope: dict[str, Any] = {"read_long": _long, "read_string": _string, "fail": _fail}
        self._named: dict[str, str] = {}

    def reader(self, schema: Any) -> Reader:
        """Return the function that reads a value of a schema."""
        return self._function([*self._value(schema, "value", 1), " return value, at"])

    def _function(self, lines: Lines) -> Reader:
        text = "\n".join(["def read(data, at):", *lines])
        exec(text, self._scope)  # noqa: S102 - nothing but names of fields comes from outside, and those are quoted
        made: Reader = self._scope["read"]
        return made

    def _value(self, schema: Any, into: str, depth: int) -> Lines:
        """Return the lines that read a value into the variable `into` and move `at` behind it."""
        if isinstance(schema, list):
            tag = ["tag = data[at]", "at += 1", f"if tag == 0: {into} = None", "elif tag != 2: fail()", "else:"]
            return _indented(depth, *tag) + self._value(schema[1], into, depth + 1)
        if isinstance(schema, str):
            lines = [self._named[schema]] if schema in self._named else _PRIMITIVES[schema]
            return _indented(depth, *(line.format(into) for line in lines))
        match schema["type"]:
            case "record" | "enum":
                self._define(schema)
                return self._value(schema["name"], into, depth)
            case "array":
                return self._blocks(schema["items"], into, depth)
            case "map":
                return self._blocks(schema["values"], into, depth, named=True)
            case inner:
                return self._value(inner, into, depth)

    def _define(self, schema: Any) -> None:
        name = schema["name"]
        shape = self._shapes.get(name)
        if schema["type"] == "enum":
            # One byte names a symbol: no enum of ours has more than 64 (avro_writer refuses it).
            words = {word.value: word for word in shape.make} if shape else {word: word for word in schema["symbols"]}
            codes = {symbol: index << 1 for index, symbol in enumerate(schema["symbols"])}
            made: Any = {codes[symbol]: word for symbol, word in words.items()}
            self._named[name] = f"{{0}} = of_{name}[data[at]]; at += 1"
        else:
            made = self._record(schema["fields"], name, shape)
            self._named[name] = f"{{0}}, at = of_{name}(data, at)"
        self._scope[f"of_{name}"] = made

    def _record(self, fields: Any, name: str, shape: Shape | None) -> Reader:
        lines = []
        for number, field in enumerate(fields):
            lines += self._value(field["type"], f"v{number}", 1)
        names = [(field["name"], f"v{number}") for number, field in enumerate(fields)]
        if shape is None:
            row = ", ".join(f"{field!r}: {read}" for field, read in names)
            return self._function([*lines, f" return {{{row}}}, at"])
        self._scope[f"make_{name}"] = shape.make
        told = ", ".join(f"{shape.fields[field]}={read}" for field, read in names if field in shape.fields)
        return self._function([*lines, f" return make_{name}({told}), at"])

    def _blocks(self, items: Any, into: str, depth: int, *, named: bool = False) -> Lines:
        """Return the lines for blocks of items, or of names and items; a negative count tells of a size in bytes."""
        item, left, name = f"item{depth}", f"left{depth}", f"name{depth}"
        head = [
            f"{into} = {{}}" if named else f"{into} = []",
            f"{left} = data[at]",
            f"if {left} == 0: at += 1",
            f"else: {left}, at = read_long(data, at)",
            f"while {left}:",
            f" if {left} < 0:",
            f"  {left} = -{left}",
            "  _, at = read_long(data, at)",
            f" for _ in range({left}):",
        ]
        kept = f"  {into}[{name}] = {item}" if named else f"  {into}.append({item})"
        lines = _indented(depth, *head) + (self._value("string", name, depth + 2) if named else [])
        return (
            lines + self._value(items, item, depth + 2) + _indented(depth, kept, f" {left}, at = read_long(data, at)")
        )


def _indented(depth: int, *lines: str) -> Lines:
    return [" " * depth + line for line in lines]


def _fail() -> None:
    raise ValueError("no branch of the union, or a length below zero")


def _long(data: bytes, at: int) -> tuple[int, int]:
    """Return a long and where it ends; an instant has six bytes."""
    if at + 6 <= len(data):
        first, second, third = _THREE_PAIRS(data, at)
        if first & second & 0x8080 == 0x8080 and third & 0x8080 == 0x80:
            number = _PAIRS[first] | _PAIRS[second] << 14 | _PAIRS[third] << 28
            return number >> 1 ^ -(number & 1), at + 6
    return _any_long(data, at)


def _any_long(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    number, shift = byte & 127, 7
    while byte > 127:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
    if shift > _LONGEST + 7 or number >> 64:
        raise ValueError("longer than a long")
    return number >> 1 ^ -(number & 1), at


def _string(data: bytes, at: int) -> tuple[str, int]:
    size, at = _long(data, at)
    if size < 0:
        _fail()
    return data[at : at + size].decode(), at + size


_LONG: Final = [
    "{0} = data[at]",
    "at += 1",
    "if {0} > 127:",
    " more = data[at]",
    " if more > 127: {0}, at = read_long(data, at - 1)",
    " else:",
    "  at += 1",
    "  {0} = {0} & 127 | more << 7",
    "  {0} = {0} >> 1 ^ -({0} & 1)",
    "else: {0} = {0} >> 1 ^ -({0} & 1)",
]
_PRIMITIVES: Final[dict[str, Lines]] = {
    "boolean": ["{0} = (False, True)[data[at]]", "at += 1"],
    "int": _LONG,
    "long": _LONG,
    "string": [
        "size = data[at]",
        "if size & 129: {0}, at = read_string(data, at)",
        "else:",
        " at += 1",
        " end = at + (size >> 1)",
        " {0} = data[at:end].decode()",
        " at = end",
    ],
    "bytes": [
        "size, at = read_long(data, at)",
        "if size < 0: fail()",
        "{0} = data[at : at + size]",
        "at += size",
    ],
}
"""The lines that read each primitive type."""
