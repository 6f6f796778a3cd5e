"""Stories of calls between customers and one person: answered, missed, sent away, dialled (SPEC 4.2 and 4.4)."""

from collections.abc import Callable, Sequence

from tests.accuracy.calls import Call
from tests.accuracy.centre import SECOND, Centre
from tests.accuracy.office import Agent
from tests.accuracy.witnesses import OUT, WebEnd

MISSED_WHY: dict[str | None, int] = {None: 3, "NoAnswer": 3, "Timeout": 2, "Cancelled": 4}
FAILED_WHY = (
    "InvalidNumber",
    "NoSuchUser",
    "DestinationBlocked",
    "InternationalDisabled",
    "NotEnoughFunds",
    "InternalError",
)


def ring_time(centre: Centre) -> int:
    """Return how long it rings."""
    return centre.rng.randint(1_200, 25_000)


def talk_time(centre: Centre) -> int:
    """Return how long they talk."""
    return int(min(900_000, 1_500 + centre.rng.lognormvariate(10.6, 0.9)))


def inbound(centre: Centre, agent: Agent, story: str, disposition: str = "ANSWERED") -> Call:
    """A customer calls; it rings now."""
    call = centre.call(agent, story, outbound=False, disposition=disposition)
    call.rings_in_tabs = agent.mode == "webphone"
    call.begins(agent.now)
    return call


def talk(centre: Centre, call: Call, answer: int, length: int, *, quiet: bool = False) -> int:
    """Answer, talk with holds and mutes; return when it is over."""
    call.answered(answer)
    acts: list[tuple[int, str, int]] = []
    if not quiet:
        _spells(centre, answer, length, "hold", "resume", acts, call.leg.holds)
        if call.media is not None or call.telephony:
            _spells(centre, answer, length, "mute", "unmute", acts, call.leg.mutes)
    for at, what, number in sorted(acts):
        call.changed(what, at, number)
    return answer + length


def _spells(
    centre: Centre,
    answer: int,
    length: int,
    on: str,
    off: str,
    acts: list[tuple[int, str, int]],
    spans: list[tuple[int, int]],
) -> None:
    rng = centre.rng
    at, end = answer, answer + length
    for number in range(rng.choices((0, 1, 2, 3), (70, 19, 8, 3))[0]):
        begin = at + rng.randint(2 * SECOND, max(3 * SECOND, length // 3))
        stop = begin + (rng.randint(700, 5_000) if rng.random() < 0.05 else rng.randint(5 * SECOND, 60 * SECOND))
        if begin > end - 2 * SECOND:
            return
        acts.append((begin, on, number))
        if stop > end - 2 * SECOND:
            spans.append((begin, end))
            return
        acts.append((stop, off, number))
        spans.append((begin, stop))
        at = stop


def lags(centre: Centre, call: Call) -> bool:
    """Now and then the platform's pushes about a browser call come seconds late, all of them (SPEC 12)."""
    if call.media is None or centre.rng.random() > 0.02:
        return False
    call.lag_ms = centre.rng.randint(1_000, 15_000)
    call.leg.lagged = call.leg.outbound and call.telephony
    return True


def answered(centre: Centre, agent: Agent) -> None:
    """Answered in the browser, on the desk phone, or on the desk phone while the browser rings."""
    call = inbound(centre, agent, "inbound answered")
    call.media = centre.in_browser(agent)
    late = lags(centre, call)
    end = talk(centre, call, agent.now + ring_time(centre), talk_time(centre), quiet=late)
    if agent.one_tab_posts and centre.rng.random() < 0.3 and not call.leg.holds:
        call.switches_tab(end - 500, "CallConnected")
    desk = call.media is None and agent.has_presence
    call.ends(end, nocall=not (desk and centre.rng.random() < 0.05))
    agent.now = end + call.lag_ms


def missed(centre: Centre, agent: Agent) -> None:
    """Nobody answers, or the caller gives up."""
    call = inbound(centre, agent, "inbound missed", "MISSED")
    end = agent.now + ring_time(centre)
    call.ends(end, web=OUT, reason=centre.rng.choices(list(MISSED_WHY), list(MISSED_WHY.values()))[0])
    agent.now = end


def sent_away(centre: Centre, agent: Agent) -> None:
    """Rejected, to voicemail, or answered with a text."""
    word = centre.rng.choices(("REJECTED", "VOICEMAIL", "REPLIED"), (4, 5, 1))[0]
    call = inbound(centre, agent, f"inbound {word.lower()}", word)
    call.media = centre.in_browser(agent)
    end = agent.now + ring_time(centre)
    flags = {"VOICEMAIL": ("isToVoicemail",), "REPLIED": ("isReplied",)}.get(word, ())
    web: Sequence[WebEnd] = ((0, (), False), (7, flags, False)) if flags else OUT
    reason = {"REJECTED": "Rejected", "REPLIED": "CallReplied"}.get(word)
    call.ends(
        end,
        web=web if call.media is not None else OUT,
        code="VoiceMail" if word == "VOICEMAIL" else "Disconnected",
        reason=reason,
    )
    if word == "VOICEMAIL" and call.telephony:
        call.goes_on_alone(end + centre.rng.randint(4, 30) * SECOND, "Disconnected")
    agent.now = end + 31 * SECOND


def forwarded(centre: Centre, agent: Agent) -> None:
    """Forwarded unanswered; a modern widget answers first in order to forward (DECISIONS 53)."""
    call = inbound(centre, agent, "inbound forwarded", "FORWARDED")
    call.media = centre.in_browser(agent)
    end = agent.now + ring_time(centre)
    if call.media is not None and agent.modern:
        if call.telephony:
            call.goes_on_alone(end + 250, "Answered")
        call.ends(end, web=((0, (), False), (600, ("isForwarded",), True)), later=620)
    else:
        call.ends(end, web=((0, ("isForwarded",), False),) if call.media is not None else OUT, reason="CallRedirected")
    agent.now = end + SECOND


def picked_up(centre: Centre, agent: Agent) -> None:
    """A colleague picks the call up from another phone."""
    call = inbound(centre, agent, "inbound picked up by a colleague", "ANSWERED_ELSEWHERE")
    end = agent.now + ring_time(centre)
    call.ends(end, web=OUT, reason="Pickup")
    agent.now = end


def dialled(centre: Centre, agent: Agent) -> None:
    """The person calls a customer who answers."""
    if agent.mode == "ringout":
        return ringout(centre, agent)
    call = centre.call(agent, "outbound answered", outbound=True)
    call.media = centre.in_browser(agent)
    late = lags(centre, call)
    call.begins(agent.now)
    end = talk(centre, call, agent.now + ring_time(centre), talk_time(centre), quiet=late)
    call.ends(end)
    agent.now = end + call.lag_ms
    return None


def dialled_in_vain(centre: Centre, agent: Agent) -> None:
    """The person calls and gets no answer, a busy line, or a refusal."""
    word = centre.rng.choices(("UNANSWERED", "BUSY", "FAILED"), (5, 3, 2))[0]
    call = centre.call(agent, f"outbound {word.lower()}", outbound=True, disposition=word)
    call.media = centre.in_browser(agent)
    call.begins(agent.now)
    end = agent.now + (ring_time(centre) if word == "UNANSWERED" else centre.rng.randint(600, 4_000))
    rng = centre.rng
    reason = {"BUSY": "TargetBusy", "FAILED": rng.choice(FAILED_WHY)}.get(word) or rng.choice(
        ("Cancelled", "NoAnswer", None)
    )
    ends = 4 if reason == "Cancelled" else 3
    call.ends(end, web=tuple((45 * i, (), False) for i in range(ends)), reason=reason)
    agent.now = end + SECOND


def ringout(centre: Centre, agent: Agent) -> None:
    """RingOut: the own phone rings, then the customer's; two active calls, one leg (DECISIONS 8)."""
    happy = centre.rng.random() < 0.8
    call = centre.call(agent, "ringout", outbound=True, disposition="ANSWERED" if happy else "UNANSWERED")
    call.origin = "RingOut"
    call.begins(agent.now)
    own = Call(
        agent,
        call.leg,
        call.remote,
        str(int(call.session_id) + centre.rng.choice((1000, 2000))),
        f"{call.party}-own",
        telephony=False,
    )
    own.own_phone(agent.now + 110, agent.now + centre.rng.randint(1_500, 6_000) if happy else None)
    answer = agent.now + centre.rng.randint(7_000, 25_000)
    end = talk(centre, call, answer, talk_time(centre)) if happy else answer
    call.ends(end, reason=None if happy else "NoAnswer")
    own.own_phone_hangs_up(end + 40)
    agent.now = end + SECOND


SIMPLE: dict[Callable[[Centre, Agent], None], float] = {
    answered: 30, missed: 9, sent_away: 6, forwarded: 2, picked_up: 1.5, dialled: 16, dialled_in_vain: 6,
}  # fmt: skip
