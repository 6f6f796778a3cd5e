"""What is made of a record or an enum of a schema in place of a dict or a text, and the name of such a wish."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields as fields_of
from typing import Any, Final, NamedTuple


class Shape(NamedTuple):
    """What is made of a record or an enum in place of a dict or a text."""

    make: Any
    """Of a record what is called with its fields by name; of an enum the class of its words."""
    fields: Mapping[str, str] = {}
    """Argument by field; a field that is not here is read over."""
    never_null: frozenset[str] = frozenset()
    """Fields that may be null, but not where this is made."""


Shapes = Mapping[str, Shape]
"""By the name of the record or enum."""
AS_IT_IS: Final[Shapes] = {}


def shape_of(made: type, **renamed: str) -> Shape:
    """Return the shape of a dataclass that has fields of the record by their name, or `renamed` (field: argument)."""
    return Shape(made, {field.name: field.name for field in fields_of(made)} | renamed)


def fingerprint(schema: Any, shapes: Shapes = AS_IT_IS) -> str:
    """Return one word for a bare schema and the shapes that are made of it: equal where a function serves both."""
    made = {
        name: [shape.make.__module__, shape.make.__qualname__, dict(shape.fields), sorted(shape.never_null)]
        for name, shape in shapes.items()
    }
    return hashlib.sha256(json.dumps([schema, made]).encode()).hexdigest()
