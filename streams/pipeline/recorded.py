"""The directory as it was recorded: what the enriched events say was known when each was written (CONTRACT 9).

The rows of the directory come from a topic of their own, at times that no log tells; a proof takes their effect from
the enriched events themselves and checks everything else.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from streams.contracts.directory import Members
from streams.domain.postings import Row
from streams.domain.words import Identity

BY_DIRECTORY = frozenset({Identity.DIRECTORY.value, Identity.TOKEN.value})
"""Identities that may rest on ids; a token names its user itself or by ids."""
JOINED = ("account_id", "extension_id", "team", "site", "queues", "time_zone", "account_time_zone", "directory_version")
NOTHING: Row = {}


class RecordedDirectory:
    """Answers for each record of the topic of widget events what the directory had answered."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]):
        """Take the enriched events that were made of one source partition."""
        self._rows: dict[int, Mapping[str, Any]] = {row["input"]["offset"]: row for row in rows}
        self._revision = 0

    @property
    def revision(self) -> int:
        """Changes at every look: rows may have come at any mark."""
        self._revision += 1
        return self._revision

    def key_of(
        self, account_id: str | None, extension_id: str | None, position: Row, *, woken_at: int | None = None
    ) -> str | None:
        """Return the key that the record was given by its ids, at once or when it was woken."""
        row = self._of(position)
        if not row or row["identity"] not in BY_DIRECTORY or not (account_id and extension_id):
            return None
        key: str = row["extension_key"]
        return key if row["released_at"] == woken_at else None

    def join(self, key: str, position: Row) -> Row:
        """Return the directory's fields as they were recorded."""
        row = self._of(position)
        return {name: row[name] for name in JOINED} if row and row["extension_key"] == key else NOTHING

    def queue_of(self, key: str, token: str, position: Row) -> str | None:
        """Return the queue as it was recorded."""
        del key, token
        call = self._of(position).get("web_phone_call")
        return call["queue"] if call else None

    def members(self) -> Mapping[str, Members]:
        """Return none: who else was in the directory is not recorded."""
        return {}

    def _of(self, position: Row) -> Mapping[str, Any]:
        offset = position["offset"]
        assert isinstance(offset, int)
        return self._rows.get(offset, NOTHING)
