"""A row of the directory, as JSON has it (CONTRACT 2 topic 13)."""

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError


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


def read_row(value: bytes) -> DirectoryRow:
    """Read one row.

    Raises:
        DirectoryError: It is no row; the text names the field, never a value.
    """
    try:
        return DirectoryRow.model_validate(orjson.loads(value))
    except orjson.JSONDecodeError:
        raise DirectoryError("is no JSON") from None
    except ValidationError as error:
        # NB: deeper in the place stand keys of the row, which are values of somebody's.
        where = next(iter(error.errors(include_input=False)[0]["loc"]), "the row")
        raise DirectoryError(f"has {where} missing or of the wrong type") from None
