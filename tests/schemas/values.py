"""Values that fit a schema, for properties of codecs."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "string": st.text(max_size=8),
    "bytes": st.binary(max_size=8),
}


def fitting(schema: Any, named: dict[str, st.SearchStrategy[Any]] | None = None) -> st.SearchStrategy[Any]:
    """Return a strategy of values that fit a bare schema, with every field present."""
    named = {} if named is None else named
    if isinstance(schema, list):
        return st.none() | fitting(schema[1], named)
    if isinstance(schema, str):
        return named[schema] if schema in named else PRIMITIVES[schema]
    if schema["type"] in ("record", "enum"):
        named[schema["name"]] = strategy = _NAMED[schema["type"]](schema, named)
        return strategy
    if schema["type"] == "array":
        return st.lists(fitting(schema["items"], named), max_size=3)
    if schema["type"] == "map":
        return st.dictionaries(st.text(max_size=4), fitting(schema["values"], named), max_size=3)
    return fitting(schema["type"], named)


def _record(schema: Any, named: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({field["name"]: fitting(field["type"], named) for field in schema["fields"]})


def _enum(schema: Any, _named: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    return st.sampled_from(schema["symbols"])


_NAMED: dict[str, Callable[[Any, dict[str, st.SearchStrategy[Any]]], st.SearchStrategy[Any]]] = {
    "record": _record,
    "enum": _enum,
}
