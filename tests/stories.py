"""Hypothesis strategies: what two page loads of one user may post, in order and out of it, with nonsense between."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from streams.pipeline.records import Read
from tests.builders import HOUR, Call, Json, Tab

GAPS = (0, 3, 250, 900, 4_900, 5_100, 29_000, 31_000, 61_000, 600_000)
LONG_GAPS = (*GAPS, 4 * HOUR)
DAYS = (*LONG_GAPS, 26 * HOUR)
REMEMBERED = 24 * HOUR
"""A leg is forgotten 25 hours after its last news; a story about legs is over by then."""
DELAYS = (20, 40, 45, 3_000, 20_000)
Envelope = Json | bytes


class Step(NamedTuple):
    """One thing that happens: a page load posts about a call, `gap` ms after the step before it."""

    tab: int
    call: int
    action: str
    gap: int
    delay: int


CALLS: dict[str, Callable[[Call, int], Json]] = {
    "ring": lambda call, at: call.ring(at) if call.direction == "Inbound" else call.init(at),
    "start": lambda call, at: call.start(at),
    "hold": lambda call, at: call.hold(at),
    "resume": lambda call, at: call.resume(at),
    "mute": lambda call, at: call.mute(at),
    "unmute": lambda call, at: call.mute(at, on=False),
    "end": lambda call, at: call.end(at),
    "end to voicemail": lambda call, at: call.end(at, isToVoicemail=True),
    "end by transfer": lambda call, at: call.end(at, isOnTransfer=True),
    "consult": lambda call, at: call.says("start", at, warmTransferSessionId=f"dialog-{call.tab.name}-1"),
    "stale": lambda call, at: call.says("hold", at, creationTime=1_000, startTime=at, isOnHold=True),
}
SERVER: dict[str, Callable[[Call, int], Json]] = {
    **{
        f"active {status}": lambda call, at, status=status: call.active(status, at)  # type: ignore[misc]
        for status in ("Ringing", "CallConnected", "OnHold", "ParkedCall", "NoCall")
    },
    "ringout NoCall": lambda call, at: call.active("NoCall", at, kind="ringout"),
    **{
        f"telephony {code}": lambda call, at, code=code: call.telephony(code, at)  # type: ignore[misc]
        for code in ("Setup", "Answered", "Hold", "Parked", "Disconnected")
    },
    "telephony muted": lambda call, at: call.telephony("Answered", at, muted=True),
    "telephony mailbox": lambda call, at: call.telephony("Voicemail", at),
    "telephony rejected": lambda call, at: call.telephony("Disconnected", at, reason="Rejected"),
    "telephony dialling": lambda call, at: call.telephony("Answered", at, others=[(2, "Proceeding")]),
}
CALLS.update(SERVER)
OTHERS: dict[str, Callable[[Tab, int], Envelope]] = {
    "NoCall": lambda tab, at: tab.presence(at),
    "CallConnected": lambda tab, at: tab.presence(at, "CallConnected", "Busy"),
    "DND": lambda tab, at: tab.presence(at, "NoCall", "Available", "DoNotAcceptAnyCalls"),
    "nothing": lambda tab, at: tab.presence(at, None, None, None),
    "login": lambda tab, at: tab.logs_in(at),
    "logout": lambda tab, at: tab.logs_out(at),
    "route": lambda tab, at: tab.route(at),
    "foreign": lambda tab, at: tab.say("somebody-else", at),
    "violation": lambda tab, at: tab.say("rc-dialer-status-notify", at),
    "garbage": lambda _tab, _at: b"{no JSON",
    "alien": lambda _tab, _at: b"[1]",
    "no sequence": lambda tab, at: {**tab.route(at, "/history"), "sequence": None},
    "no session": lambda tab, at: {**tab.presence(at), "session_id": None},
}
QUIET = tuple(CALLS)
TOLD = tuple(name for name in CALLS if name not in ("stale", "consult"))
"""What witnesses really tell of calls."""
ALL = (*CALLS, *CALLS, *OTHERS, "lost")


def steps(
    actions: tuple[str, ...] = ALL,
    gaps: tuple[int, ...] = GAPS,
    size: int = 25,
    delays: tuple[int, ...] = DELAYS,
) -> st.SearchStrategy[list[Step]]:
    """Return lists of steps."""
    fields: dict[str, Any] = {
        "tab": st.integers(0, 1),
        "call": st.integers(1, 2),
        "action": st.sampled_from(actions),
        "gap": st.sampled_from(gaps),
        "delay": st.sampled_from(delays),
    }
    return st.lists(st.builds(Step, **fields), min_size=1, max_size=size)


KINDS_OF_CALLS: dict[int, Json] = {
    1: {"direction": "Inbound"},
    # Before it has ids, only one dialog for both tabs tells that it is one call and not two to the same number.
    2: {"direction": "Outbound", "dialog": "dialog-2"},
}


def posted(story: list[Step], *, logins: tuple[bool, bool] = (True, True)) -> list[Envelope]:
    """Return what the page loads post, in order of arrival; without a login, the user is told late or never."""
    tabs = [Tab("A", skew_ms=0), Tab("B", skew_ms=7_000)]
    calls = {
        (index, number): tab.call(number, **about)
        for index, tab in enumerate(tabs)
        for number, about in KINDS_OF_CALLS.items()
    }
    for tab, known in zip(tabs, logins, strict=True):
        tab.login = tab.login if known else None
    at = 0
    envelopes: list[Envelope] = []
    for step in story:
        at += step.gap
        tab = tabs[step.tab]
        tab.delay_ms = step.delay
        if step.action == "lost":
            tab.lose()
        elif step.action in CALLS:
            if step.call == 2 and calls[step.tab, 2].created is None:
                # One dialog was created once, whatever tab tells of it.
                calls[step.tab, 2].created = calls[1 - step.tab, 2].created
            envelopes.append(CALLS[step.action](calls[step.tab, step.call], at))
        else:
            envelopes.append(OTHERS[step.action](tab, at))
    return envelopes


def batches(data: st.DataObject, records: Sequence[Read]) -> Iterator[Sequence[Read]]:
    """Cut records into batches of any sizes."""
    begin = 0
    while begin < len(records):
        end = data.draw(st.integers(begin + 1, len(records)))
        yield records[begin:end]
        begin = end


def length(story: list[Step]) -> int:
    """Return how long a story lasts, in milliseconds."""
    return sum(step.gap for step in story)


def stories(*, lasting: int = REMEMBERED, **about: Any) -> st.SearchStrategy[tuple[list[Envelope], int]]:
    """Return stories as envelopes and how long they last in milliseconds."""
    logins = st.sampled_from([(True, True), (True, True), (True, False), (False, False)])
    told = steps(**about).filter(
        lambda story: length(story) <= lasting and any(step.action != "lost" for step in story)
    )
    return st.builds(lambda story, known: (posted(story, logins=known), length(story)), told, logins)
