"""How the native build writes and reads what records are made of: longs, texts, bytes.

It stands among the contracts there; the functions that deploy/native/avro.py makes of the schemas call it. The types
`i64` and `BytesWriter` are mypyc's own: the compiled code has no Python object for a number or for a byte.
"""

from typing import Any, Final, NoReturn

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

from streams.contracts.encoded import Encoded

MISSING: Final = object()
"""Stands for a field that a row does not have."""
_LAST_SHIFT: Final[i64] = 63
"""Of the tenth byte of a long, which has one bit."""
_ALL_BUT_SIGN: Final[i64] = 0x7FFF_FFFF_FFFF_FFFF
_INT: Final[i64] = 1 << 31


def fail() -> NoReturn:
    """Raise TypeError: a value of another type, or a field that the schema does not have."""
    raise TypeError("a value of another type, or a field that the schema does not have")


def refuse() -> NoReturn:
    """Raise ValueError: bytes that are no such value."""
    raise ValueError("no branch of the union, no long, or a length that cannot be")


def row_of(out: BytesWriter, given: Any) -> dict[str, Any] | None:
    """Return a record as a dict; None when it was given as bytes, which are written already."""
    if isinstance(given, dict):
        return given
    if isinstance(given, Encoded):
        out.write(given)
        return None
    return {**given}


def write_number(out: BytesWriter, number: i64) -> None:
    """Write a long."""
    rest = number << 1 ^ number >> _LAST_SHIFT
    while rest & ~127:
        out.append(u8(rest & 127 | 128))
        rest = rest >> 7 & (_ALL_BUT_SIGN >> 6)
    out.append(u8(rest))


def _number(given: Any) -> i64:
    # NB: not isinstance: True is no long.
    if type(given) is not int:
        fail()
    number: i64 = given
    return number


def write_long(out: BytesWriter, given: Any) -> None:
    """Write what has to be a long."""
    write_number(out, _number(given))


def write_int(out: BytesWriter, given: Any) -> None:
    """Write what has to be an int."""
    number = _number(given)
    if number < -_INT or number >= _INT:
        fail()
    write_number(out, number)


def write_boolean(out: BytesWriter, given: Any) -> None:
    """Write what has to be True or False."""
    if given is True:
        out.append(1)
    elif given is False:
        out.append(0)
    else:
        fail()


def write_string(out: BytesWriter, text: str) -> None:
    """Write a text; a TypeError for anything else is the compiler's."""
    content = text.encode()
    write_number(out, len(content))
    out.write(content)


def write_bytes(out: BytesWriter, given: Any) -> None:
    """Write what has to be bytes."""
    if not isinstance(given, bytes):
        fail()
    write_number(out, len(given))
    out.write(given)


def read_long(data: bytes, at: i64) -> tuple[i64, i64]:
    """Return a long and where it ends."""
    byte: i64 = data[at]
    at += 1
    number = byte & 127
    shift: i64 = 7
    while byte > 127:
        byte = data[at]
        at += 1
        if shift == _LAST_SHIFT and byte > 1:
            refuse()
        number |= (byte & 127) << shift
        shift += 7
    return (number >> 1 & _ALL_BUT_SIGN) ^ -(number & 1), at


def read_size(data: bytes, at: i64) -> tuple[i64, i64]:
    """Return the length of what follows, none larger than all bytes, and where that begins."""
    size, at = read_long(data, at)
    if size < 0 or size > len(data):
        refuse()
    return size, at


def read_count(data: bytes, at: i64) -> tuple[i64, i64]:
    """Return how many items a block has and where they begin; a negative count tells of a size in bytes."""
    count, at = read_long(data, at)
    if count < 0:
        count = -count
        _, at = read_long(data, at)
        if count < 0:
            refuse()
    return count, at


def read_boolean(data: bytes, at: i64) -> tuple[bool, i64]:
    """Return True or False and where it ends."""
    byte: i64 = data[at]
    if byte > 1:
        refuse()
    return byte == 1, at + 1


def read_string(data: bytes, at: i64) -> tuple[str, i64]:
    """Return a text and where it ends."""
    size, at = read_size(data, at)
    return data[at : at + size].decode(), at + size


def read_bytes(data: bytes, at: i64) -> tuple[bytes, i64]:
    """Return bytes and where they end."""
    size, at = read_size(data, at)
    return data[at : at + size], at + size
