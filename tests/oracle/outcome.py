"""How a leg came out: disposition, hand-over, who ended it (DECISIONS E)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracle.answers import Beginning, forwarded_by_answering
from tests.oracle.ends import End, Source
from tests.oracle.testimony import State, Testimony, Witness

INBOUND_REASONS = {
    "rejected": "REJECTED", "callredirected": "FORWARDED", "callreplied": "REPLIED",
    "pickup": "ANSWERED_ELSEWHERE", "agentanswered": "ANSWERED_ELSEWHERE",
    "noanswer": "MISSED", "timeout": "MISSED", "cancelled": "MISSED",
}  # fmt: skip
VOICEMAIL_CODES = frozenset(("voicemail", "voicemailscreening", "vmscreening", "faxreceive"))
OUTBOUND_FAILED = frozenset(
    ("invalidnumber", "nosuchuser", "destinationblocked", "internationaldisabled", "notenoughfunds", "internalerror"),
)
FLAG_OUTCOMES = (("isReplied", "REPLIED"), ("isForwarded", "FORWARDED"), ("isToVoicemail", "VOICEMAIL"))
SELF_REASONS = frozenset(("rejected", "blindtransfer", "callreplied"))
REMOTE_REASONS = frozenset(("targetbusy",))
SYSTEM_REASONS = frozenset(("noanswer", "timeout", "agentanswered", "pickup")) | OUTBOUND_FAILED


@dataclass(frozen=True)
class Outcome:
    """How it came out."""

    disposition: str
    transfer: str
    ended_by: str
    reason: str | None


def outcome(
    told: Sequence[Testimony], begun: Beginning, end: End, handed_over: frozenset[str], parked: bool
) -> Outcome:
    """Return the outcome of an ended leg; `handed_over` are the call ids that a consultation names."""
    reason = last_reason(told)
    disposition = _disposition(told, begun, end, reason)
    return Outcome(disposition, _transfer(told, begun, end, handed_over, parked), _ended_by(told, end, reason), reason)


def last_reason(told: Sequence[Testimony]) -> str | None:
    """Return RingCentral's word on the own party's end: the first that says anything."""
    ends = [
        testimony
        for testimony in told
        if testimony.witness is Witness.TELEPHONY_SESSION and testimony.state is State.ENDED
    ]
    ordered = sorted(ends, key=lambda testimony: testimony.post.at.at)
    return next((testimony.reason for testimony in ordered if testimony.reason), None)


def _disposition(told: Sequence[Testimony], begun: Beginning, end: End, reason: str | None) -> str:
    if begun.answer is not None:
        return "ANSWERED"  # answered wins over all
    if end.source is Source.TIMEOUT:
        return "UNKNOWN"  # DECISIONS 26
    if told[0].outbound:
        word = str(reason).lower()
        return "BUSY" if word == "targetbusy" else "FAILED" if word in OUTBOUND_FAILED else "UNANSWERED"
    if forwarded_by_answering(told):
        return "FORWARDED"  # DECISIONS 53
    return _unanswered_inbound(told, end, reason)


def _unanswered_inbound(told: Sequence[Testimony], end: End, reason: str | None) -> str:
    """RingCentral's word first, the widget's flags where it is silent (CONTRACT 6, DECISIONS 29)."""
    if str(reason).lower() == "rejected":
        return "REJECTED"
    if any(testimony.code in VOICEMAIL_CODES for testimony in told):
        return "VOICEMAIL"
    if reason:
        return INBOUND_REASONS.get(reason.lower(), "MISSED")
    flags = frozenset().union(*(testimony.flags for testimony in told if testimony.state is State.ENDED), end.flags)
    return next((word for flag, word in FLAG_OUTCOMES if flag in flags), "MISSED")


def _transfer(told: Sequence[Testimony], begun: Beginning, end: End, handed_over: frozenset[str], parked: bool) -> str:
    """DECISIONS 32."""
    if forwarded_by_answering(told) or begun.answer is None:
        return "NONE"
    reasons = {str(testimony.reason).lower() for testimony in told if testimony.witness is Witness.TELEPHONY_SESSION}
    flags = frozenset().union(*(testimony.flags for testimony in told if testimony.state is State.ENDED))
    if any(testimony.consults for testimony in told):
        return "NONE"  # the consultation
    if _is_warm(told, reasons, "isOnTransfer" in flags, handed_over):
        return "WARM"
    if "blindtransfer" in reasons or "isOnTransfer" in end.flags:
        return "BLIND"
    if parked or "callpark" in reasons:
        return "PARK"
    return "FLIP" if "isOnFlip" in flags or "callflip" in reasons else "NONE"


def _is_warm(told: Sequence[Testimony], reasons: set[str], on_transfer: bool, handed_over: frozenset[str]) -> bool:
    named = bool({testimony.dialog for testimony in told if testimony.dialog} & handed_over)
    if named:
        return on_transfer or "attendedtransfer" in reasons
    gone = any(
        testimony.code == "gone" and testimony.peer and str(testimony.reason).lower() == "attendedtransfer"
        for testimony in told
    )
    return gone and all(testimony.witness is not Witness.WEB_PHONE for testimony in told)


def _ended_by(told: Sequence[Testimony], end: End, reason: str | None) -> str:
    """DECISIONS 33. Flags count only on the end that ends the leg."""
    word = str(reason).lower()
    if end.inferred:
        return "UNKNOWN"
    if word == "cancelled":
        return "SELF" if told[0].outbound else "REMOTE"
    for words, who in ((SELF_REASONS, "SELF"), (REMOTE_REASONS, "REMOTE"), (SYSTEM_REASONS, "SYSTEM")):
        if word in words:
            return who
    return "SELF" if end.source is Source.WEB_PHONE and end.flags else "UNKNOWN"
