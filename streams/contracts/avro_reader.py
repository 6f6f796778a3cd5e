"""Plain dicts from Avro binary: of each record of a schema one Python function is made, with a few lines a field.

Twice as fast as the library's reader where most fields are null, as in an enriched event; a property test holds both
to the same values. Reads what is written with the same schema; the library translates older versions. Knows what our
schemas use: records, enums, arrays, maps, ["null", T] and primitive types without float and double.
"""

import struct
from typing import Any, ClassVar, Final

from streams.contracts.avro_native import READERS, Reader
from streams.contracts.shapes import AS_IT_IS, Shape, Shapes, fingerprint

Lines = list[str]

_LONGEST: Final = 63
"""Bits before the last byte of a long."""
_THREE_PAIRS: Final = struct.Struct("<HHH").unpack_from
# Two bytes at a time, as they are written: their fourteen low bits.
_PAIRS: Final = tuple(pair & 127 | (pair >> 8 & 127) << 7 for pair in range(1 << 16))


def compile_reader(schema: Any, shapes: Shapes = AS_IT_IS) -> Reader:
    """Return a function that takes bytes and where a value begins in them, and returns it and where it ends.

    Args:
        schema: A bare schema (`schemas.bare`).
        shapes: What is made of the records and enums of these names.

    The function raises IndexError, ValueError or KeyError for bytes that are no such value. NB: bytes that are cut
    short may give a value that ends behind them: whoever calls compares.
    """
    compiled = READERS.get(fingerprint(schema, shapes)) if READERS else None
    return compiled or _made(ReaderSource(shapes).text(schema), shapes)


def _made(text: str, shapes: Shapes) -> Reader:
    scope: dict[str, Any] = {"read_long": _long, "read_count": _count, "read_string": _string, "refuse": _refuse}
    scope |= {shape.make.__name__: shape.make for shape in shapes.values()}
    exec(text, scope)  # noqa: S102 - nothing but names of fields comes from outside, and those are quoted
    made: Reader = scope["read"]
    return made


class ReaderSource:
    """The source text of a function `read`, with one function for each record of its schema."""

    CONSTANT: ClassVar = "{0} = {{{1}}}"
    FUNCTION: ClassVar = "def read(data, at):"
    COUNT: ClassVar[Lines] = ["{0} = data[at]", "if {0} == 0: at += 1", "else: {0}, at = read_count(data, at)"]

    def __init__(self, shapes: Shapes = AS_IT_IS) -> None:
        self._shapes = shapes
        self._lines: Lines = []
        self._named: dict[str, Lines] = dict(self.primitives())

    def primitives(self) -> dict[str, Lines]:
        """Return the lines that read each primitive type."""
        return _PRIMITIVES

    def text(self, schema: Any) -> str:
        """Return the text for a bare schema."""
        lines = self.value(schema, "value", 1)
        last = [self.FUNCTION, *lines, " return value, at"]
        return "\n".join([*self._lines, *last, ""])

    def function(self, name: str, _shape: Shape | None) -> str:
        """Return the line that begins the function that reads a record."""
        return f"def {name}(data, at):"

    def value(self, schema: Any, into: str, depth: int) -> Lines:
        """Return the lines that read a value into the variable `into` and move `at` behind it."""
        if isinstance(schema, list):
            tag = ["tag = data[at]", "at += 1", f"if tag == 0: {into} = None", "elif tag != 2: refuse()", "else:"]
            return _indented(depth, *tag) + self.value(schema[1], into, depth + 1)
        if isinstance(schema, str):
            return _indented(depth, *(line.format(into) for line in self._named[schema]))
        match schema["type"]:
            case "record" | "enum":
                self._define(schema)
                return self.value(schema["name"], into, depth)
            case "array":
                return self._blocks(schema["items"], into, depth)
            case "map":
                return self._blocks(schema["values"], into, depth, named=True)
            case inner:
                return self.value(inner, into, depth)

    def _define(self, schema: Any) -> None:
        name = schema["name"]
        shape = self._shapes.get(name)
        if schema["type"] == "enum":
            self._lines.append(self.CONSTANT.format(f"words_of_{name}", _words(schema["symbols"], shape)))
            self._named[name] = [f"{{0}} = words_of_{name}[data[at]]; at += 1"]
        else:
            self._lines += self._record(schema["fields"], name, shape)
            self._named[name] = [f"{{0}}, at = read_{name}(data, at)"]

    def _record(self, fields: Any, name: str, shape: Shape | None) -> Lines:
        lines = [self.function(f"read_{name}", shape)]
        for number, field in enumerate(fields):
            given, into = field["type"], f"v{number}"
            if shape and field["name"] in shape.never_null:
                lines += [*_indented(1, "if data[at] != 2: refuse()", "at += 1"), *self.value(given[1], into, 1)]
            else:
                lines += self.value(given, into, 1)
        names = [(field["name"], f"v{number}") for number, field in enumerate(fields)]
        if shape is None:
            row = ", ".join(f"{field!r}: {read}" for field, read in names)
            return [*lines, f" return {{{row}}}, at"]
        told = ", ".join(f"{shape.fields[field]}={read}" for field, read in names if field in shape.fields)
        return [*lines, f" return {shape.make.__name__}({told}), at"]

    def _blocks(self, items: Any, into: str, depth: int, *, named: bool = False) -> Lines:
        """Return the lines for blocks of items, or of names and items."""
        item, left, name = f"{into}_item", f"{into}_left", f"{into}_name"
        count = [line.format(left) for line in self.COUNT]
        head = [f"{into} = {{}}" if named else f"{into} = []", *count, f"while {left}:", f" for _ in range({left}):"]
        lines = _indented(depth, *head) + (self.value("string", name, depth + 2) if named else [])
        lines += self.value(items, item, depth + 2)
        kept = f"{into}[{name}] = {item}" if named else f"{into}.append({item})"
        return lines + _indented(depth + 2, kept) + _indented(depth + 1, *count)


def _words(symbols: list[str], shape: Shape | None) -> str:
    """Return the word of each code. One byte names a symbol: no enum of ours has more than 64 (avro_writer refuses)."""
    codes = {symbol: index << 1 for index, symbol in enumerate(symbols)}
    if shape is None:
        return ", ".join(f"{code}: {symbol!r}" for symbol, code in codes.items())
    return ", ".join(f"{codes[word.value]}: {shape.make.__name__}({word.value!r})" for word in shape.make)


def _indented(depth: int, *lines: str) -> Lines:
    return [" " * depth + line for line in lines]


def _refuse() -> None:
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


def _count(data: bytes, at: int) -> tuple[int, int]:
    """Return how many items a block has and where they begin; a negative count tells of a size in bytes."""
    count, at = _long(data, at)
    return (count, at) if count >= 0 else (-count, _long(data, at)[1])


def _string(data: bytes, at: int) -> tuple[str, int]:
    size, at = _long(data, at)
    if size < 0:
        _refuse()
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
        "if size < 0: refuse()",
        "{0} = data[at : at + size]",
        "at += size",
    ],
}
"""The lines that read each primitive type."""
