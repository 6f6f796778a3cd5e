"""Messages in the widget's words become messages in ours, without their text (SPEC 3.8)."""

from streams.contracts.widget import models
from streams.contracts.widget.calls import DIRECTIONS, millis, owner, remote, text
from streams.domain.postings import WidgetEvent

MAX_RECIPIENTS = 50


def message(post: models.MessagePost, read: WidgetEvent) -> None:
    """Read a message; a deleted one has little more than its id."""
    told = post.message
    read.account_id, read.extension_id = owner(told.uri)
    recipients = told.to if isinstance(told.to, list) else [] if told.to is None else [told.to]
    read.family = "message"
    read.row = {
        "message_id": str(told.id),
        "message_type": told.type,
        "direction": DIRECTIONS.get(told.direction or "", "UNKNOWN"),
        "read_status": told.read_status,
        "message_status": told.message_status,
        "availability": told.availability,
        "created_at": millis(told.creation_time),
        "modified_at": millis(told.last_modified_time),
        "from_remote": None if told.sender is None else remote(told.sender),
        "to_remotes": [remote(recipient) for recipient in recipients[:MAX_RECIPIENTS]],
        "body_chars": told.subject,
        "attachments": len(told.attachments),
        "conversation_id": text(told.conversation.id) if told.conversation else None,
    }
