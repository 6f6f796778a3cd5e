"""Messages in the widget's words become messages in ours, without their text (SPEC 3.8)."""

from typing import Any

from streams.contracts.numbers import Remote, TokenKey
from streams.contracts.values import id_text, length, term, word
from streams.contracts.widget.fields import DIRECTIONS, Json, listed, millis, owner, remote
from streams.contracts.widget.vocabulary import MESSAGE, flag_unknown, flag_unknown_direction
from streams.domain.postings import WidgetEvent

MAX_RECIPIENTS = 50


def message(event: Json, read: WidgetEvent, key: TokenKey) -> bool:
    """Read a message; a deleted one has little more than its id."""
    told = event.get("message")
    if not isinstance(told, dict):
        return False
    message_id, message_type = id_text(told.get("id")), term(told.get("type"))
    availability, chars = word(told.get("availability")), length(told.get("subject"))
    if message_id is None or (message_type is None and availability is None):
        return False
    direction = word(told.get("direction"))
    attachments, conversation = told.get("attachments"), told.get("conversation")
    read.account_id, read.extension_id = owner(told.get("uri"))
    read.family = "message"
    read.row = {
        "message_id": message_id,
        "message_type": message_type,
        "direction": DIRECTIONS.get(direction or "", "UNKNOWN"),
        "read_status": word(told.get("readStatus")),
        "message_status": word(told.get("messageStatus")),
        "availability": availability,
        "created_at": millis(told.get("creationTime")),
        "modified_at": millis(told.get("lastModifiedTime")),
        "from_remote": remote(told.get("from"), key) if _is_somebody(told.get("from")) else None,
        "to_remotes": _recipients(told.get("to"), key),
        "body_chars": None if chars is None else int(chars),
        "attachments": sum(isinstance(item, dict) for item in attachments) if isinstance(attachments, list) else 0,
        "conversation_id": id_text(conversation.get("id")) if isinstance(conversation, dict) else None,
    }
    flag_unknown_direction(read.quirks, direction)
    flag_unknown(read.quirks, read.row, MESSAGE)
    return True


def _recipients(told: Any, key: TokenKey) -> list[Remote]:
    if not isinstance(told, list):
        return [remote(told, key)] if _is_somebody(told) else []
    # NB: a null or a list among them is a recipient that nobody knows, anything else but an object is none.
    people = [item for item in told if item is None or isinstance(item, dict | list)]
    return [listed(item, key) for item in people[:MAX_RECIPIENTS]]


def _is_somebody(value: Any) -> bool:
    return value is not None and not isinstance(value, bool | float)
