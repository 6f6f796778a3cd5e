"""Answers from the view: one page of rows, in an order that stays while rows change. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from streams.contracts.avro import AvroError, Codec
from streams.serve.held import Held, Table, Tags
from streams.serve.intervals import Place as IntervalPlace
from streams.serve.queries import BadQueryError, Query, encode_cursor
from streams.serve.view import View

MOST_LOOKED_AT: Final = 20_000
"""A page that finds little ends after so many rows: it may be short or empty, and still have a next one."""
BAD_CURSOR: Final = "The parameter cursor is wrong: it is the next_cursor of a page of this very address."


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as JSON, and where the next page begins."""

    items: list[bytes]
    next_cursor: str | None = None

    def json(self) -> bytes:
        """Return the body of the answer."""
        return b'{"items":[%b],"next_cursor":%b}' % (b",".join(self.items), orjson.dumps(self.next_cursor))


def _cut(rows: Iterable[tuple[list[Any], bytes | None]], limit: int) -> Page:
    """Fill a page from places and rows; a row of None was looked at and is not wanted."""
    items: list[bytes] = []
    last: list[Any] = []
    for looked_at, (place, row) in enumerate(rows):
        if len(items) == limit or looked_at == MOST_LOOKED_AT:
            return Page(items, encode_cursor(last))
        last = place
        if row is not None:
            items.append(row)
    return Page(items)


def _table(table: Table[Held], tags_of: Callable[[str, Held], Tags], query: Query) -> Page:
    begin = 0
    if query.cursor is not None:
        if len(query.cursor) != 1 or not isinstance(query.cursor[0], str):
            raise BadQueryError(BAD_CURSOR)
        begin = bisect_right(table.ordered(), query.cursor[0])
    state = query.get("state")

    def rows() -> Iterator[tuple[list[Any], bytes | None]]:
        ordered = table.ordered()
        for index in range(begin, len(ordered)):
            key = ordered[index]
            held = table.rows[key]
            wanted = state in (None, held.state) and query.tags <= tags_of(key, held)
            yield [key], held.json if wanted else None

    return _cut(rows(), query.limit)


def active_calls(view: View, query: Query) -> Page:
    """Return active calls in the order of leg ids."""
    return _table(view.active, lambda _, held: held.tags, query)


def active_calls_of(view: View, extension_key: str) -> Page | None:
    """Return the active calls of an extension; None if nothing is known of it."""
    items = [held.json for held in view.active.rows.values() if held.extension_key == extension_key]
    return Page(items) if items or view.knows(extension_key) else None


def presences(view: View, query: Query) -> Page:
    """Return presences in the order of extension keys."""
    return _table(view.presence, lambda key, _: view.places.of(key), query)


def presence_of(view: View, extension_key: str) -> bytes | None:
    """Return the presence of an extension, None if it has none."""
    held = view.presence.rows.get(extension_key)
    return held.json if held else None


def call_records(view: View, query: Query) -> Page:
    """Return call records, newest first."""
    below = None
    if query.cursor is not None:
        match query.cursor:
            case [int() as at, str() as leg_id]:
                below = at, leg_id
            case _:
                raise BadQueryError(BAD_CURSOR)
    codec = view.codecs["call-records"]
    wanted = {name: query.get(name) for name in ("direction", "disposition") if query.get(name)}

    def rows() -> Iterator[tuple[list[Any], bytes | None]]:
        for record in view.records.newest_first(query.get("extension_key"), below):
            fits = query.tags <= record.tags and all(getattr(record, name) == word for name, word in wanted.items())
            yield list(record.place), orjson.dumps(codec.to_json(record.avro)) if fits else None

    return _cut(rows(), query.limit)


def intervals(view: View, query: Query) -> Page:
    """Return interval rows in the order of scope and window. A team, site or queue is a scope."""
    codec = view.codecs["interval-metrics"]
    scope_type, scope_id = _scope(query)
    seconds, since = query.get("window_seconds"), query.get("since") or 0

    def rows() -> Iterator[tuple[list[Any], bytes | None]]:
        for (scope, window), row in view.intervals.after(_interval_place(query.cursor), scope_type, scope_id):
            fits = seconds in (None, window[0]) and window[1] >= since
            yield [*scope, *window], _json(codec, row) if fits else None

    return _cut(rows(), query.limit)


def _json(codec: Codec, row: bytes) -> bytes | None:
    """Return a row as JSON; None of one that is damaged, which nobody noticed while it was not read."""
    try:
        return orjson.dumps(codec.to_json(row))
    except AvroError:
        return None


def _scope(query: Query) -> tuple[str | None, str | None]:
    if not query.tags:
        return query.get("scope_type"), query.get("scope_id")
    if len(query.tags) > 1 or query.get("scope_type") or query.get("scope_id"):
        raise BadQueryError("Rows are about one scope: give one of team, site, queue, or scope_type with scope_id.")
    kind, _, name = next(iter(query.tags)).partition(":")
    return kind.upper(), name


def _interval_place(cursor: list[Any] | None) -> IntervalPlace | None:
    match cursor:
        case None:
            return None
        case [str() as scope_type, str() as scope_id, int() as seconds, int() as start]:
            return (scope_type, scope_id), (seconds, start)
        case _:
            raise BadQueryError(BAD_CURSOR)
