"""Who belongs to which team, site and queues: the directory says so, else the latest call that told it."""

from dataclasses import dataclass, field

import orjson
from pydantic import ValidationError

from streams.contracts.directory_rows import DirectoryRow
from streams.domain.identity import extension_key
from streams.serve.held import NOWHERE, Tags, tags


class NoRowError(ValueError):
    """A value of the directory's topic that is no row; the text quotes nothing."""


@dataclass(slots=True)
class Places:
    """Tags by extension."""

    _directory: dict[str, Tags] = field(default_factory=dict)
    _key_of: dict[str, str] = field(default_factory=dict)
    """Extension key by the key of the directory's record."""
    _seen: dict[str, Tags] = field(default_factory=dict)

    def of(self, key: str) -> Tags:
        """Return the tags of an extension."""
        return self._directory.get(key) or self._seen.get(key, NOWHERE)

    def see(self, key: str, belongs: Tags) -> None:
        """Note what a call tells of its extension."""
        if belongs:
            self._seen[key] = belongs

    def take(self, record_key: str, value: bytes | None) -> str | None:
        """Take a row of the directory and return the extension that it is about, None for an account's row.

        Raises:
            NoRowError: It is no row.
        """
        before = self._key_of.pop(record_key, None)
        if before is not None:
            self._directory.pop(before, None)
        if value is None:
            return before
        try:
            row = DirectoryRow.model_validate(orjson.loads(value))
        except (orjson.JSONDecodeError, ValidationError):
            raise NoRowError("no row of the directory") from None
        key = extension_key(row.login_number) if row.extension_id else None
        if key is not None:
            self._key_of[record_key] = key
            self._directory[key] = tags(row.team, row.site, tuple(row.queues))
        return key or before

    def known(self) -> set[str]:
        """Return every team, site and queue that is known, as tags."""
        return {tag for belongs in {*self._directory.values(), *self._seen.values()} for tag in belongs}
