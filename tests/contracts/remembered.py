"""Made-up values of what is remembered: every field of every class is drawn, those with a default too."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from streams.domain.instants import Instant

Strategy = st.SearchStrategy[Any]
INTS = st.integers(-(2**61), 2**61)
"""Of two instants the difference is still a long."""
WORDS = st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | INTS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=3,
)
POSITIONS = st.fixed_dictionaries({"topic": WORDS, "partition": INTS, "offset": INTS})
BY_NAME: dict[str, Strategy] = {"inputs": st.lists(POSITIONS, max_size=2)}
"""Fields whose type says less than is true of them."""
PLAIN: dict[Any, Strategy] = {int: INTS, str: WORDS, bool: st.booleans(), object: JSON, type(None): st.none()}


def values(kind: type) -> Strategy:
    """Return a strategy of a remembered class."""
    hints = get_type_hints(kind)
    drawn = {field.name: BY_NAME.get(field.name, of_type(hints[field.name])) for field in fields(kind)}
    return st.builds(kind, **drawn)


def of_type(hint: Any) -> Strategy:
    """Return a strategy of a type as the fields of the domain have it."""
    if hint in PLAIN:
        return PLAIN[hint]
    if hint is Instant:
        return st.builds(Instant, INTS, INTS, WORDS)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if is_dataclass(hint) and isinstance(hint, type):
        return values(hint)
    inner = [of_type(argument) for argument in get_args(hint)]
    return COMPOSED[get_origin(hint)](*inner)


def _lists(items: Strategy) -> Strategy:
    return st.lists(items, max_size=2)


def _dicts(keys: Strategy, items: Strategy) -> Strategy:
    return st.dictionaries(keys, items, max_size=2)


COMPOSED: dict[Any, Callable[..., Strategy]] = {list: _lists, dict: _dicts, UnionType: st.one_of, Union: st.one_of}
