"""Closed vocabularies of message events (CONTRACT 7, DECISIONS 38), as `words` has the others."""

from enum import StrEnum


class MessageEventType(StrEnum):
    """What happened to a message (DECISIONS 38)."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    INBOUND = "INBOUND"


class MessageType(StrEnum):
    """Kind of a message."""

    UNKNOWN = "UNKNOWN"
    SMS = "SMS"
    PAGER = "PAGER"
    FAX = "FAX"
    VOICEMAIL = "VOICEMAIL"
    TEXT = "TEXT"


class ReadStatus(StrEnum):
    """Whether the user has read a message."""

    UNKNOWN = "UNKNOWN"
    READ = "READ"
    UNREAD = "UNREAD"


class MessageStatus(StrEnum):
    """How far the delivery of a message is."""

    UNKNOWN = "UNKNOWN"
    QUEUED = "QUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    DELIVERY_FAILED = "DELIVERY_FAILED"
    SENDING_FAILED = "SENDING_FAILED"
    RECEIVED = "RECEIVED"


class Availability(StrEnum):
    """Whether a message still exists."""

    UNKNOWN = "UNKNOWN"
    ALIVE = "ALIVE"
    DELETED = "DELETED"
    PURGED = "PURGED"
