"""What the words of a telephony session say of a leg that was not answered (SPEC 3.4, 4.4, DECISIONS 29, 33).

RingCentral's reasons in lower case: the spelling differs by source. A reason that is not here says nothing.
"""

from streams.domain.words import Direction, Disposition, EndedBy

VOICEMAIL = "voicemail"
"""Stands for every status code of a mailbox: the call goes there."""

INBOUND: dict[str, Disposition] = {
    "rejected": Disposition.REJECTED,
    VOICEMAIL: Disposition.VOICEMAIL,
    "callredirected": Disposition.FORWARDED,
    "callreplied": Disposition.REPLIED,
    "pickup": Disposition.ANSWERED_ELSEWHERE,
    "agentanswered": Disposition.ANSWERED_ELSEWHERE,
    "noanswer": Disposition.MISSED,
    "timeout": Disposition.MISSED,
    "cancelled": Disposition.MISSED,
}
"""Strongest first: rejected and then sent to voicemail stays rejected."""

_FAILED = (
    "invalidnumber",
    "nosuchuser",
    "destinationblocked",
    "internationaldisabled",
    "notenoughfunds",
    "internalerror",
)
OUTBOUND: dict[str, Disposition] = {
    "targetbusy": Disposition.BUSY,
    **dict.fromkeys(_FAILED, Disposition.FAILED),
    "noanswer": Disposition.UNANSWERED,
    "timeout": Disposition.UNANSWERED,
    "cancelled": Disposition.UNANSWERED,
}
REASONS: dict[Direction, dict[str, Disposition]] = {
    Direction.INBOUND: INBOUND,
    Direction.OUTBOUND: OUTBOUND,
    Direction.UNKNOWN: {},
}

NO_ANSWER = frozenset(OUTBOUND)
"""Reasons that say that a start which was posted before was no answer (DECISIONS 31)."""

_BOTH: dict[str, EndedBy] = {
    "rejected": EndedBy.SELF,
    # Only the person called can reply with a text.
    "callreplied": EndedBy.SELF,
    "blindtransfer": EndedBy.SELF,
    "targetbusy": EndedBy.REMOTE,
    "noanswer": EndedBy.SYSTEM,
    "timeout": EndedBy.SYSTEM,
    "agentanswered": EndedBy.SYSTEM,
    "pickup": EndedBy.SYSTEM,
    **dict.fromkeys(_FAILED, EndedBy.SYSTEM),
}
ENDED_BY: dict[Direction, dict[str, EndedBy]] = {
    Direction.INBOUND: {**_BOTH, "cancelled": EndedBy.REMOTE},
    Direction.OUTBOUND: {**_BOTH, "cancelled": EndedBy.SELF},
    Direction.UNKNOWN: _BOTH,
}
"""Whose action a reason is."""
