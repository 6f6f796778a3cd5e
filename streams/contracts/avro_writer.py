"""Avro binary from plain dicts: a schema is turned into nested functions once, then each value is one pass over it.

Stricter and faster than the library's writer, which cuts 1.5 down to 1, takes any integer for an int, and validates
every optional record before it writes it; a property test holds both to the same bytes. Knows what our schemas use:
records, enums, arrays, ["null", T] and primitive types without float and double.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Writer = Callable[[bytearray, Any], None]

_MISSING: Final = object()
_INT: Final = 1 << 31
_LONG: Final = 1 << 63


def compile_writer(schema: Any) -> Writer:
    """Return a function that appends the Avro binary of a value to a bytearray.

    Args:
        schema: A bare schema (`schemas.bare`).

    The function raises TypeError, ValueError, KeyError or AttributeError when the value does not fit; what it appended
    until then is of no use. Fields with a default may be left out, fields that the schema does not have are an error.
    """
    return _compile(schema, {})


def _compile(schema: Any, named: dict[str, Writer]) -> Writer:
    if isinstance(schema, list):
        return _optional(_compile(schema[1], named))
    if isinstance(schema, str):
        return named[schema] if schema in named else _PRIMITIVES[schema]
    match schema["type"]:
        case "record":
            named[schema["name"]] = writer = _record(schema, named)
            return writer
        case "enum":
            named[schema["name"]] = writer = _enum(schema["symbols"])
            return writer
        case "array":
            return _array(_compile(schema["items"], named))
        case inner:
            return _compile(inner, named)


def _record(schema: Any, named: dict[str, Writer]) -> Writer:
    fields = tuple(_field(field, named) for field in schema["fields"])
    names = frozenset(name for name, *_ in fields)

    def write(out: bytearray, value: Mapping[str, Any]) -> None:
        get = value.get
        if not value.keys() <= names:
            raise KeyError("a field that the schema does not have")
        for name, is_optional, write_field, default in fields:
            given = get(name, _MISSING)
            if given is _MISSING:
                out += default  # NB: None, so a TypeError, where the schema has no default
            elif not is_optional:
                write_field(out, given)
            elif given is None:
                out.append(0)
            else:
                out.append(2)
                write_field(out, given)

    return write


def _field(field: Any, named: dict[str, Writer]) -> tuple[str, bool, Writer, Any]:
    """Return name, whether null is allowed, the writer of what is not null, and the bytes of the default or None."""
    declared = field["type"]
    is_optional = isinstance(declared, list)
    write = _compile(declared[1] if is_optional else declared, named)
    if "default" not in field:
        return field["name"], is_optional, write, None
    default = bytearray(b"\0") if is_optional else bytearray()
    if not is_optional:
        write(default, field["default"])
    return field["name"], is_optional, write, bytes(default)


def _optional(write_inner: Writer) -> Writer:
    def write(out: bytearray, value: Any) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(2)
            write_inner(out, value)

    return write


def _enum(symbols: list[str]) -> Writer:
    encoded = {}
    for index, symbol in enumerate(symbols):
        number = bytearray()
        _long(number, index)
        encoded[symbol] = bytes(number)

    def write(out: bytearray, value: str) -> None:
        out += encoded[value]

    return write


def _array(write_item: Writer) -> Writer:
    def write(out: bytearray, value: list[Any] | tuple[Any, ...]) -> None:
        if not isinstance(value, list | tuple):
            raise TypeError("not an array")
        if value:
            _long(out, len(value))
            for item in value:
                write_item(out, item)
        out.append(0)

    return write


def _long(out: bytearray, value: int) -> None:
    if type(value) is not int or not -_LONG <= value < _LONG:
        raise TypeError("not a long")
    rest = value << 1 if value >= 0 else (-value << 1) - 1
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)


def _int(out: bytearray, value: int) -> None:
    if type(value) is not int or not -_INT <= value < _INT:
        raise TypeError("not an int")
    _long(out, value)


def _boolean(out: bytearray, value: bool) -> None:
    if value is not True and value is not False:
        raise TypeError("not a boolean")
    out.append(value)


def _string(out: bytearray, value: str) -> None:
    encoded = value.encode()
    length = len(encoded)
    if length < 64:
        out.append(length << 1)
    else:
        _long(out, length)
    out += encoded


def _bytes(out: bytearray, value: bytes) -> None:
    if not isinstance(value, bytes):
        raise TypeError("not bytes")
    _long(out, len(value))
    out += value


_PRIMITIVES: Final[dict[str, Writer]] = {
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "string": _string,
    "bytes": _bytes,
}
