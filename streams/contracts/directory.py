"""The directory: who an extension is, its team, site, queues and time zone (CONTRACT 2 topic 13, DECISIONS 47)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from streams.domain.identity import extension_key
from streams.domain.legs.records import identifier
from streams.domain.postings import Row


class DirectoryError(ValueError):
    """A row of the directory cannot be used; the text names its line and field, never a value."""


class DirectoryRow(BaseModel):
    """One row. The account's own row has no extension; it carries the time zone and the names of the queues."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    account_id: str
    extension_id: str | None = None
    login_number: str | None = None
    person: str | None = None
    team: str | None = None
    site: str | None = None
    queues: list[str] = []
    time_zone: str | None = None
    queue_names: dict[str, str] = {}


@dataclass(slots=True)
class Directory:
    """Rows found by extension key, or by account and extension id."""

    _by_key: dict[str, Row] = field(default_factory=dict)
    _key_of: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, row: DirectoryRow) -> None:
        """Take a row; it replaces the one before of the same extension. A row without a key joins nothing."""
        if row.extension_id is None:
            return
        self._forget(row.account_id, row.extension_id)
        key = extension_key(row.login_number)
        if key is None:
            return
        self._key_of[row.account_id, row.extension_id] = key
        self._by_key[key] = {
            "account_id": row.account_id,
            "extension_id": row.extension_id,
            "team": row.team,
            "site": row.site,
            "queues": row.queues,
            "time_zone": row.time_zone,
            "directory_version": identifier(row.model_dump_json())[:16],
        }

    def _forget(self, account_id: str, extension_id: str) -> None:
        """Drop what was said of an extension, unless its number is somebody else's by now."""
        key = self._key_of.pop((account_id, extension_id), None)
        known = self._by_key.get(key or "", {})
        if key is not None and (known.get("account_id"), known.get("extension_id")) == (account_id, extension_id):
            del self._by_key[key]

    def key_of(self, account_id: str | None, extension_id: str | None) -> str | None:
        """Return the extension key of ids, None when the directory does not know them."""
        return self._key_of.get((account_id or "", extension_id or ""))

    def join(self, key: str) -> dict[str, Any]:
        """Return what the directory says of an extension, ready to be put into an enriched event."""
        return self._by_key.get(key, {})


def read_directory(lines: Iterable[bytes]) -> Directory:
    """Read rows, one JSON object a line.

    Raises:
        DirectoryError: A line is no row.
    """
    directory = Directory()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            directory.add(DirectoryRow.model_validate(orjson.loads(line)))
        except orjson.JSONDecodeError:
            raise DirectoryError(f"Line {number} of the directory is no JSON.") from None
        except ValidationError as error:
            # Only the field: what lies inside may be a queue's name.
            where = str([*error.errors(include_input=False)[0]["loc"], "the row"][0])
            raise DirectoryError(f"Line {number} of the directory: {where} is missing or of the wrong type.") from None
    return directory
