"""The directory: who an extension is, its team, site, queues and time zone (CONTRACT 2 topic 13, DECISIONS 47)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from streams.contracts.directory_rows import DirectoryError, DirectoryRow, read_row
from streams.contracts.numbers import TokenKey, mask_queue
from streams.domain.identity import extension_key
from streams.domain.legs.records import identifier
from streams.domain.postings import Row


class Members(NamedTuple):
    """The extensions of one account."""

    time_zone: str | None
    """Of the account; None when its own row does not say."""
    versions: dict[str, str]
    """By extension key what enriched events carry as `directory_version`."""


class Lookup(Protocol):
    """What the stages ask the directory; `position` tells for which record of the topic of widget events."""

    @property
    def revision(self) -> int:
        """Changes with every row: what waits may find its user now."""

    def key_of(
        self, account_id: str | None, extension_id: str | None, position: Row, *, woken_at: int | None = None
    ) -> str | None:
        """Return the extension key of ids, None when they are unknown.

        Args:
            account_id: RingCentral's id of the company.
            extension_id: RingCentral's id of the extension.
            position: Topic, partition and offset of the record.
            woken_at: Stream time, when the record waits and is looked at again.
        """

    def join(self, key: str, position: Row) -> Row:
        """Return what is known of an extension, ready to be put into an enriched event."""

    def queue_of(self, key: str, token: str, position: Row) -> str | None:
        """Return the one queue of the extension's account whose name has this token; None when none or several have."""

    def members(self) -> Mapping[str, Members]:
        """Return the extensions of each account that have a key."""


class Directory:
    """Rows found by extension key, or by account and extension id."""

    def __init__(self, key: TokenKey | None = None):
        """Begin empty; queue names are compared as tokens of this key, without one no queue is found."""
        self._key = key
        self._rows: dict[tuple[str, str | None], DirectoryRow] = {}
        self._joined: dict[str, Row] = {}
        self._key_of: dict[tuple[str, str], str] = {}
        self._queues: dict[str, dict[str, list[str]]] = {}
        self._revision = 0
        self._members: tuple[int, dict[str, Members]] = 0, {}
        """As they were at a revision."""

    @property
    def revision(self) -> int:
        """Changes with every row."""
        return self._revision

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)

    def add(self, row: DirectoryRow) -> None:
        """Take a row; it replaces the one before of the same extension or account."""
        self.remove(row.account_id, row.extension_id)
        self._rows[row.account_id, row.extension_id] = row
        if row.extension_id is None:
            self._queues[row.account_id] = self._tokens(row)
            for other in list(self._rows.values()):
                if other.account_id == row.account_id:
                    self._join(other)
        self._join(row)

    def remove(self, account_id: str, extension_id: str | None) -> None:
        """Forget a row."""
        self._revision += 1
        row = self._rows.pop((account_id, extension_id), None)
        if row is None:
            return
        key = extension_key(row.login_number)
        known = self._joined.get(key or "", {})
        # The number may be somebody else's by now.
        if key is not None and (known.get("account_id"), known.get("extension_id")) == (account_id, extension_id):
            del self._joined[key]
        if extension_id is None:
            self._queues.pop(account_id, None)
        else:
            self._key_of.pop((account_id, extension_id), None)

    def _join(self, row: DirectoryRow) -> None:
        """Prepare what an enriched event gets; a row without a key joins nothing."""
        key = extension_key(row.login_number)
        if key is None or row.extension_id is None:
            return
        account = self._rows.get((row.account_id, None))
        self._key_of[row.account_id, row.extension_id] = key
        self._joined[key] = {
            "account_id": row.account_id,
            "extension_id": row.extension_id,
            "team": row.team,
            "site": row.site,
            "queues": row.queues,
            "time_zone": row.time_zone or (account.time_zone if account else None),
            "account_time_zone": account.time_zone if account else None,
            "directory_version": identifier(row.model_dump_json(), account.model_dump_json() if account else "")[:16],
        }

    def _tokens(self, row: DirectoryRow) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for queue, name in row.queue_names.items():
            token = None if self._key is None else mask_queue(name, self._key)
            if token is not None:
                found.setdefault(token, []).append(queue)
        return found

    def key_of(
        self,
        account_id: str | None,
        extension_id: str | None,
        position: Row | None = None,
        *,
        woken_at: int | None = None,
    ) -> str | None:
        """Return the extension key of ids, None when the directory does not know them."""
        del position, woken_at  # What is known now holds for every record.
        return self._key_of.get((account_id or "", extension_id or ""))

    def join(self, key: str, position: Row | None = None) -> Row:
        """Return what the directory says of an extension, ready to be put into an enriched event."""
        del position
        return self._joined.get(key, {})

    def queue_of(self, key: str, token: str, position: Row | None = None) -> str | None:
        """Return the one queue whose name has this token (DECISIONS 41, 47)."""
        del position
        account = self._joined.get(key, {}).get("account_id")
        found = self._queues.get(str(account), {}).get(token, [])
        return found[0] if len(found) == 1 else None

    def members(self) -> Mapping[str, Members]:
        """Return the extensions of each account that have a key, as they are now."""
        if self._members[0] != self._revision:
            found: dict[str, Members] = {}
            for key, row in self._joined.items():
                zone = row["account_time_zone"]
                members = found.setdefault(str(row["account_id"]), Members(None if zone is None else str(zone), {}))
                members.versions[key] = str(row["directory_version"])
            self._members = self._revision, found
        return self._members[1]


def read_directory(lines: Iterable[bytes], key: TokenKey | None = None) -> Directory:
    """Read rows, one JSON object a line.

    Raises:
        DirectoryError: A line is no row.
    """
    directory = Directory(key)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            directory.add(read_row(line))
        except DirectoryError as error:
            raise DirectoryError(f"Line {number} of the directory {error}.") from None
    return directory


def take_record(directory: Directory, key: bytes | None, value: bytes | None) -> None:
    """Take a record of the directory's topic; without a value it takes the row of its key back.

    Raises:
        DirectoryError: It is no row.
    """
    if value is not None:
        directory.add(read_row(value))
        return
    account_id, _, extension_id = (key or b"").decode("utf-8", "replace").partition("/")
    directory.remove(account_id, extension_id or None)
