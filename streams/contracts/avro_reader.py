"""Plain dicts from Avro binary: of each record of a schema one Python function is made, with a few lines a field.

Twice as fast as the library's reader where most fields are null, as in an enriched event; a property test holds both
to the same values. Reads what is written with the same schema; the library translates older versions. Knows what our
schemas use: records, enums, arrays, maps, ["null", T] and primitive types without float and double.
"""

from collections.abc import Callable
from typing import Any, Final

Reader = Callable[[bytes, int], tuple[Any, int]]
Lines = list[str]

_LONGEST: Final = 63
"""Bits before the last byte of a long."""


def compile_reader(schema: Any) -> Reader:
    """Return a function that takes bytes and where a value begins in them, and returns it and where it ends.

    Args:
        schema: A bare schema (`schemas.bare`).

    The function raises IndexError, ValueError or KeyError for bytes that are no such value. NB: bytes that are cut
    short may give a value that ends behind them: whoever calls compares.
    """
    return _Source().reader(schema)


class _Source:
    """The functions made of a schema so far, and the values that their lines name."""

    def __init__(self) -> None:
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
        if schema["type"] == "enum":
            # One byte names a symbol: no enum of ours has more than 64 (avro_writer refuses it).
            made: Any = {index << 1: symbol for index, symbol in enumerate(schema["symbols"])}
            self._named[name] = f"{{0}} = of_{name}[data[at]]; at += 1"
        else:
            made = self._record(schema["fields"])
            self._named[name] = f"{{0}}, at = of_{name}(data, at)"
        self._scope[f"of_{name}"] = made

    def _record(self, fields: Any) -> Reader:
        lines = []
        for number, field in enumerate(fields):
            lines += self._value(field["type"], f"v{number}", 1)
        row = ", ".join(f"{field['name']!r}: v{number}" for number, field in enumerate(fields))
        return self._function([*lines, f" return {{{row}}}, at"])

    def _blocks(self, items: Any, into: str, depth: int, *, named: bool = False) -> Lines:
        """Return the lines for blocks of items, or of names and items; a negative count tells of a size in bytes."""
        item, left, name = f"item{depth}", f"left{depth}", f"name{depth}"
        head = [
            f"{into} = {{}}" if named else f"{into} = []",
            f"{left}, at = read_long(data, at)",
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


_PRIMITIVES: Final[dict[str, Lines]] = {
    "boolean": ["{0} = (False, True)[data[at]]", "at += 1"],
    "int": [
        "{0} = data[at]",
        "if {0} < 128: {0}, at = {0} >> 1 ^ -({0} & 1), at + 1",
        "else: {0}, at = read_long(data, at)",
    ],
    "long": [
        "{0} = data[at]",
        "if {0} < 128: {0}, at = {0} >> 1 ^ -({0} & 1), at + 1",
        "else: {0}, at = read_long(data, at)",
    ],
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
