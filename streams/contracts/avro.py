"""Records to bytes and back: Avro in Confluent framing, from the schemas in `schemas/` (CONTRACT 2).

The framing is byte 0, the schema id as four bytes (big-endian), then Avro binary. Without a registry the ids come from
`schemas/ids.json`. Instants go in and out as plain integers, milliseconds since the epoch: the logical type is for
consumers and does not change the bytes. No error text quotes a value: values may be personal.
"""

import base64
import io
import struct
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import fastavro

from streams.contracts import catalog, schemas
from streams.contracts.avro_native import Reader
from streams.contracts.avro_reader import compile_reader
from streams.contracts.avro_writer import compile_writer
from streams.contracts.encoded import Encoded
from streams.contracts.shapes import Shapes

_HEADER: Final = struct.Struct(">bI")
_MAGIC: Final = 0


class AvroError(ValueError):
    """A value or some bytes that do not fit the schema."""


class EncodeError(AvroError):
    """The value does not fit its schema; the text names the field."""


class NotFramedError(AvroError):
    """The bytes do not begin with byte 0 and a schema id: not written by a Confluent-style serializer."""


class UnknownSchemaError(AvroError):
    """The schema id is not one of the record's current or released versions."""


class MalformedError(AvroError):
    """The bytes after the schema id are cut short, too long, or no Avro of that schema."""


class Codec:
    """Encodes and decodes the values of one record type. Safe to share: it keeps no state between calls."""

    def __init__(self, schema: schemas.Schema, schema_id: int, released: Mapping[int, schemas.Schema] | None = None):
        """Prepare the codec.

        Args:
            schema: The current schema; written with it, and read into its shape.
            schema_id: The id that the current schema has, in `schemas/ids.json` or in the registry.
            released: Earlier versions by id; their bytes are read as the current shape.
        """
        self.record: str = schema["name"]
        self.schema_id = schema_id
        self._schema = schemas.bare(schema)
        self._write = compile_writer(self._schema)
        self._read = compile_reader(self._schema)
        self._parsed = fastavro.parse_schema(self._schema)
        earlier = {number: fastavro.parse_schema(schemas.bare(old)) for number, old in (released or {}).items()}
        self._writers = {**earlier, schema_id: self._parsed}
        self._prefix = _HEADER.pack(_MAGIC, schema_id)
        self._bytes_fields = frozenset(
            field["name"]
            for named in schemas.named_types(schema)
            for field in named.get("fields", ())
            if field["type"] in ("bytes", ["null", "bytes"])
        )

    @property
    def prefix(self) -> bytes:
        """What the bytes of every record begin with: byte 0 and the schema id."""
        return self._prefix

    def encode(self, value: Mapping[str, Any] | Encoded) -> bytes:
        """Return the framed bytes of a record; fields with a default may be left out, others not.

        A record in it, or the whole, may be what `body` gave.

        Raises:
            EncodeError: A field is missing, unknown, or of the wrong type.
        """
        try:
            return self._write(self._prefix, value)
        except (ValueError, TypeError, KeyError, AttributeError):
            # NB: no `from`: those texts quote the value.
            place = misfit(self._schema, value) or "a field"
            raise EncodeError(f"{self.record}: {place} does not fit the schema {self.schema_id}.") from None

    def body(self, value: Mapping[str, Any]) -> Encoded:
        """Return a record without its frame, to be written more than once.

        Raises:
            EncodeError: As `encode`.
        """
        return Encoded(self.encode(value)[_HEADER.size :])

    def decode(self, payload: bytes) -> dict[str, Any]:
        """Return the record as a dict with every field of the current schema; enums as text, instants as integers.

        Raises:
            NotFramedError: No byte 0 and schema id at the beginning.
            UnknownSchemaError: An id that is no version of this record.
            MalformedError: Cut short, too long, or not Avro of that schema.
        """
        read = self._read if payload.startswith(self._prefix) else self._translator(payload)
        row: dict[str, Any] = self._whole(payload, read)
        return row

    def shaped(self, shapes: Shapes) -> Callable[[bytes], Any]:
        """Return a function that decodes as `decode` does, but makes these shapes of records and enums."""
        read = compile_reader(self._schema, shapes)

        def decode(payload: bytes) -> Any:
            current = payload if payload.startswith(self._prefix) else self.encode(self.decode(payload))
            return self._whole(current, read)

        return decode

    def head(self, count: int, shapes: Shapes) -> Callable[[bytes], dict[str, Any]]:
        """Return a function that decodes the first fields only, as `shaped` does."""
        read = compile_reader({**self._schema, "fields": self._schema["fields"][:count]}, shapes)

        def decode(payload: bytes) -> dict[str, Any]:
            current = payload if payload.startswith(self._prefix) else self.encode(self.decode(payload))
            try:
                row: dict[str, Any] = read(current, _HEADER.size)[0]
            except (IndexError, ValueError, KeyError):
                raise MalformedError(f"{self.record}: the {len(payload)} bytes are no such record.") from None
            return row

        return decode

    def _whole(self, payload: bytes, read: Reader) -> Any:
        """Return what the bytes after the header are, all of them."""
        try:
            value, end = read(payload, _HEADER.size)
            cut_short = end > len(payload)
        except Exception:  # the library raises bare EOFError, IndexError, ValueError, UnicodeDecodeError and its own
            cut_short = True
        if cut_short:
            raise MalformedError(f"{self.record}: the {len(payload)} bytes are cut short or no such record.") from None
        if end != len(payload):
            raise MalformedError(f"{self.record}: {len(payload) - end} bytes are left over after the record.")
        return value

    def _translator(self, payload: bytes) -> Reader:
        """Return a reader of what an earlier version wrote, as the current shape."""
        written = self._writer_schema(payload)

        def read(data: bytes, at: int) -> tuple[Any, int]:
            body = io.BytesIO(data)
            body.seek(at)
            value = fastavro.schemaless_reader(body, written, self._parsed)
            return value, body.tell()

        return read

    def to_json(self, payload: bytes) -> dict[str, Any]:
        """Decode to what JSON can say: Avro field names, enums as text, instants as integer ms, bytes as base64 text.

        Raises:
            AvroError: As `decode`.
        """
        value = self.decode(payload)
        return _without_bytes(value) if self._bytes_fields else value

    def from_json(self, document: Mapping[str, Any]) -> bytes:
        """Encode what `to_json` gave, or an example file: bytes are base64 text.

        Raises:
            EncodeError: As `encode`, or text that is not base64.
        """
        try:
            value = _with_bytes(document, self._bytes_fields) if self._bytes_fields else document
        except ValueError:
            raise EncodeError(f"{self.record}: a field of bytes is not base64 text.") from None
        return self.encode(value)

    def _writer_schema(self, payload: bytes) -> Any:
        if len(payload) < _HEADER.size or payload[0] != _MAGIC:
            raise NotFramedError(f"{self.record}: the bytes do not begin with byte 0 and a schema id of four bytes.")
        schema_id: int = _HEADER.unpack_from(payload)[1]
        written = self._writers.get(schema_id)
        if written is None:
            known = ", ".join(str(number) for number in sorted(self._writers))
            raise UnknownSchemaError(f"{self.record}: schema id {schema_id} is none of its versions ({known}).")
        return written


@cache
def codec(record: str) -> Codec:
    """Return the codec of a record with the checked-in id of its topic's subject.

    Raises:
        KeyError: No topic carries this record, or its subject has no id.
    """
    subject = catalog.subject_of(record)
    return Codec(schemas.load(record), schemas.ids()[subject], schemas.released(record))


def misfit(schema: Any, value: Any) -> str | None:
    """Name the first field of the value that does not fit the bare schema, or None; never says the value.

    Used after an encoding failed, to tell where without quoting personal data.
    """
    return _Misfits(schema).find(schema, value, "")


class _Misfits:
    """Walks a bare schema and a value side by side."""

    def __init__(self, schema: Any) -> None:
        self._named = {named["name"]: named for named in schemas.named_types(schema)}

    def find(self, schema: Any, value: Any, path: str) -> str | None:
        """Return the path of the first misfit, or None."""
        if isinstance(schema, list):
            return None if value is None else self.find(schema[1], value, path)
        if isinstance(schema, str):
            schema = self._named.get(schema, {"type": schema})
        if schema["type"] == "record":
            return self._in_record(schema, value, path)
        if schema["type"] == "array":
            return self._in_array(schema, value, path)
        if schema["type"] == "map":
            return self._in_map(schema, value, path)
        if schema["type"] == "enum":
            return None if value in schema["symbols"] else path
        try:
            compile_writer(schema["type"])(b"", value)
        except (ValueError, TypeError, AttributeError):
            return path
        return None

    def _in_record(self, schema: Any, value: Any, path: str) -> str | None:
        if isinstance(value, Encoded):
            return None
        if not isinstance(value, Mapping):
            return path or "the value"
        fields = {field["name"]: field for field in schema["fields"]}
        unknown = next((str(name) for name in value if name not in fields), None)
        if unknown is not None:
            return f"{path}.{unknown}".lstrip(".") + " (no such field)"
        for name, field in fields.items():
            inner = f"{path}.{name}".lstrip(".")
            given = value.get(name, field.get("default"))
            missing = name not in value and "default" not in field
            if missing or (wrong := self.find(field["type"], given, inner)):
                return inner if missing else wrong
        return None

    def _in_array(self, schema: Any, value: Any, path: str) -> str | None:
        if not isinstance(value, list | tuple):
            return path
        wrong = (self.find(schema["items"], item, f"{path}[{index}]") for index, item in enumerate(value))
        return next((place for place in wrong if place), None)

    def _in_map(self, schema: Any, value: Any, path: str) -> str | None:
        if not isinstance(value, Mapping):
            return path
        # NB: its names are not told: they may be personal.
        wrong = any(not isinstance(name, str) or self.find(schema["values"], item, "x") for name, item in value.items())
        return f"{path}{{}}" if wrong else None


def _without_bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {key: _without_bytes(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_bytes(inner) for inner in value]
    return value


def _with_bytes(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            key: base64.b64decode(inner, validate=True)
            if key in names and isinstance(inner, str)
            else _with_bytes(inner, names)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_with_bytes(inner, names) for inner in value]
    return value
