"""The words that the vendor is known to use, by field of our rows (SPEC 3).

Its enums are open: a word that is none of these is kept as it came, and the event is flagged (SPEC 3.13).
"""

from streams.domain.postings import Row
from streams.domain.words import Quirk

Words = frozenset[object]
Vocabulary = tuple[tuple[str, Words], ...]
"""Each field that holds a word of an enum, with the words known and None, which is no word."""


def _words(text: str) -> Words:
    return frozenset((None, *text.split()))


DIRECTIONS = _words("Inbound Outbound")
WEB_PHONE: Vocabulary = (
    ("call_status", _words("setup connecting connected onHold onMute replaced finished")),
    ("record_status", _words("idle pending recording noAccess")),
)
"""SPEC 3.1, without the vendor's prefixes."""
ACTIVE_CALL: Vocabulary = (
    ("telephony_status", _words("NoCall CallConnected Ringing OnHold ParkedCall")),
    ("termination_type", _words("final intermediate")),
)
"""SPEC 3.3."""
SESSION: Vocabulary = (
    (
        "origin_type",
        _words("call ringout ringme conference greetingsrecording verificationcall testcall zoom callout"),
    ),
)
PARTY: Vocabulary = (
    (
        "status_code",
        _words(
            "setup proceeding answered disconnected gone parked hold voicemail faxreceive voicemailscreening "
            "vmscreening"
        ),
    ),
    (
        "status_reason",
        _words(
            "pickup supervising takeover timeout blindtransfer rcctransfer attendedtransfer callerinputredirect "
            "callflip parklocation dtmftransfer agentanswered agentdropped rejected cancelled internalerror noanswer "
            "targetbusy invalidnumber internationaldisabled destinationblocked notenoughfunds nosuchuser callpark "
            "callredirected callreplied callswitch callfinished calldropped conference"
        ),
    ),
    ("conference_role", _words("host participant")),
)
"""SPEC 3.4. Its words are spelled differently by source, so they and `SESSION`'s are compared without case."""
PRESENCE: Vocabulary = (
    ("telephony_status", _words("NoCall CallConnected Ringing OnHold ParkedCall")),
    ("user_status", _words("Offline Busy Available")),
    (
        "dnd_status",
        _words("TakeAllCalls DoNotAcceptAnyCalls DoNotAcceptDepartmentCalls TakeDepartmentCallsOnly Unknown"),
    ),
    ("presence_option", _words("Available Busy Offline DoNotAcceptAnyCalls")),
)
"""SPEC 3.5."""
MESSAGE: Vocabulary = (
    ("message_type", _words("SMS Pager Fax VoiceMail Text")),
    ("read_status", _words("Read Unread")),
    ("message_status", _words("Queued Sent Delivered DeliveryFailed SendingFailed Received")),
    ("availability", _words("Alive Deleted Purged")),
)
"""SPEC 3.8."""


def flag_unknown(quirks: list[Quirk], row: Row, vocabulary: Vocabulary) -> None:
    """Add UNKNOWN_VALUE, once, where a word of the row is not in the vocabulary."""
    for name, known in vocabulary:
        if row[name] not in known:
            _flag(quirks)


def flag_unknown_in_any_case(quirks: list[Quirk], row: Row, vocabulary: Vocabulary) -> None:
    """Do the same with a vocabulary that is in lower case."""
    for name, known in vocabulary:
        told = row[name]
        if isinstance(told, str) and told.lower() not in known:
            _flag(quirks)


def flag_unknown_direction(quirks: list[Quirk], told: str | None) -> None:
    """Add UNKNOWN_VALUE, once, where a party's or a message's direction is told but is none that we know."""
    if told not in DIRECTIONS:
        _flag(quirks)


def _flag(quirks: list[Quirk]) -> None:
    if Quirk.UNKNOWN_VALUE not in quirks:
        quirks.append(Quirk.UNKNOWN_VALUE)
