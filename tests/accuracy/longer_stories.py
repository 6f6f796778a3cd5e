"""Stories with several people, several calls or an accident: queues, transfers, parks, reloads (SPEC 4.4, 12)."""

from tests.accuracy.centre import MINUTE, SECOND, Centre, Story
from tests.accuracy.office import Agent
from tests.accuracy.stories import SIMPLE, inbound, ring_time, talk, talk_time
from tests.accuracy.witnesses import OUT

HOUR = 60 * MINUTE


def queue_call(centre: Centre, agent: Agent) -> None:
    """A queue call rings at several people; one takes it, or nobody."""
    ringing = [agent, *centre.others(agent, centre.rng.randint(1, 3))]
    session, remote = centre.session(), centre.number()
    begin = max(member.now for member in ringing)
    taker = centre.rng.randrange(len(ringing) + 1)
    answer = begin + ring_time(centre)
    for number, member in enumerate(ringing):
        word = "ANSWERED" if number == taker else "ANSWERED_ELSEWHERE" if taker < len(ringing) else "MISSED"
        call = centre.call(
            member, "queue call", outbound=False, remote=remote, session=session, party=2 + number, disposition=word
        )
        call.queue, call.rings_in_tabs = "Support - ", member.mode == "webphone"
        call.begins(begin + 15 * number)
        member.now = answer
        if number == taker:
            call.media = centre.in_browser(member)
            member.now = talk(centre, call, answer, talk_time(centre))
            call.ends(member.now)
        else:
            call.ends(answer + 60, web=OUT, reason="AgentAnswered" if taker < len(ringing) else "Timeout")
        member.now += SECOND


def colleague(centre: Centre, agent: Agent) -> None:
    """One calls another: one call, two legs; the caller's browser may say start while it still rings (DECISIONS 31)."""
    other = centre.others(agent, 1)[0]
    begin = max(agent.now, other.now)
    session = centre.session()
    taken = centre.rng.random() < 0.75
    out = centre.call(
        agent,
        "colleague, caller",
        outbound=True,
        remote=other.number,
        session=session,
        disposition="ANSWERED" if taken else "UNANSWERED",
    )
    into = centre.call(
        other,
        "colleague, called",
        outbound=False,
        remote=agent.number,
        session=session,
        disposition="ANSWERED" if taken else "MISSED",
    )
    out.media, into.media = centre.in_browser(agent), centre.in_browser(other)
    into.rings_in_tabs = other.mode == "webphone"
    out.begins(begin)
    into.begins(begin + 600)
    answer = begin + 4_000 + ring_time(centre)
    early = out.media is not None and out.telephony and centre.rng.random() < 0.4
    if early:
        out.starts_while_ringing(begin + 1_400)
    end = answer + (talk_time(centre) if taken else 0)
    if taken and early:
        out.other_answers(answer)
    elif taken:
        out.answered(answer)
    if taken:
        talk(centre, into, answer, end - answer)
    out.ends(end, reason=None if taken else "NoAnswer", web=((0, (), taken or early),) if taken or early else OUT)
    into.ends(end, web=((0, (), True),) if taken else OUT, reason=None if taken else "NoAnswer")
    agent.now = other.now = end + SECOND


def blind_transfer(centre: Centre, agent: Agent) -> None:
    """Handed over without asking; a modern widget's flag is never set (SPEC 12)."""
    call = inbound(centre, agent, "blind transfer")
    call.leg.transfer = "BLIND"
    call.media = centre.in_browser(agent)
    end = talk(centre, call, agent.now + ring_time(centre), talk_time(centre))
    flags = () if agent.modern else ("isOnTransfer",)
    call.ends(
        end,
        web=((0, flags, True), (600, flags, True)),
        reason="BlindTransfer",
        later=620 if call.media is not None else 0,
    )
    agent.now = end + SECOND


def warm_transfer(centre: Centre, agent: Agent) -> None:
    """Held, a colleague or customer consulted, then connected with each other."""
    if agent.mode != "webphone":
        return blind_transfer(centre, agent)
    first = inbound(centre, agent, "warm transfer, handed over")
    first.leg.transfer = "WARM"
    first.media = centre.rng.randrange(len(agent.tabs))
    hold = talk(centre, first, agent.now + ring_time(centre), talk_time(centre), quiet=True)
    first.changed("hold", hold, 0)
    second = centre.call(agent, "warm transfer, consultation", outbound=True)
    second.media, second.consults = first.media, first.dialogs[first.media]
    second.begins(hold + 120)
    end = talk(centre, second, hold + 120 + ring_time(centre), talk_time(centre), quiet=True)
    first.leg.holds = [(hold, end)]
    first.ends(end, web=((0, ("isOnTransfer",), True),), reason="AttendedTransfer")
    second.ends(end + 200, web=((0, ("isOnTransfer",), True),), reason="AttendedTransfer")
    agent.now = end + SECOND
    return None


def flipped(centre: Centre, agent: Agent) -> None:
    """Flipped to a mobile phone; the talk goes on there (DECISIONS 11 a)."""
    if agent.mode != "webphone" or not agent.has_presence:
        return queue_call(centre, agent)
    call = inbound(centre, agent, "flip")
    call.leg.transfer = "FLIP"
    call.media = centre.rng.randrange(len(agent.tabs))
    middle = talk(centre, call, agent.now + ring_time(centre), talk_time(centre) + 3_000, quiet=True)
    call.leaves_browser(middle, "isOnFlip")
    end = middle + talk_time(centre)
    call.ends(end, web=None)
    agent.now = end
    return None


def parked(centre: Centre, agent: Agent) -> None:
    """Parked; fetched back on the own desk phone, or by somebody else."""
    call = inbound(centre, agent, "park")
    call.media = centre.in_browser(agent)
    park = talk(centre, call, agent.now + ring_time(centre), talk_time(centre) + 3_000, quiet=True)
    call.changed("park", park, 0)
    call.leaves_browser(park)
    back = park + centre.rng.randint(6, 90) * SECOND
    if centre.rng.random() < 0.6:
        call.leg.parks = [(park, back)]
        call.changed("retrieve", back, 0)
        end = back + talk_time(centre)
    else:
        end = back
        call.leg.parks, call.leg.transfer = [(park, end)], "PARK"
    call.ends(end, web=None)
    agent.now = end + SECOND


def second_call(centre: Centre, agent: Agent) -> None:
    """A second call comes in: the first is put on hold, the second answered and ended, the first goes on."""
    first = inbound(centre, agent, "held for a second call")
    first.media = centre.in_browser(agent)
    hold = talk(centre, first, agent.now + ring_time(centre), talk_time(centre) + 9_000, quiet=True)
    second = centre.call(agent, "second call", outbound=False)
    second.rings_in_tabs, second.media = agent.mode == "webphone", first.media
    second.begins(hold - 4_000)
    first.changed("hold", hold, 0)
    over = talk(centre, second, hold + 40, talk_time(centre), quiet=True)
    second.ends(over)
    back = over + centre.rng.randint(1_500, 6_000)
    first.changed("resume", back, 0)
    first.leg.holds = [(hold, back)]
    end = back + talk_time(centre)
    first.ends(end)
    agent.now = end


def conference(centre: Centre, agent: Agent) -> None:
    """Two calls are merged; the conference is an active call with session 0, first seen connected (SPEC 2)."""
    if agent.mode != "webphone" or not agent.has_presence:
        return second_call(centre, agent)
    tab = centre.rng.randrange(len(agent.tabs))
    calls = []
    at = agent.now
    for _ in range(2):
        call = centre.call(agent, "merged into a conference", outbound=True)
        call.media = tab
        call.begins(at)
        at = talk(centre, call, at + ring_time(centre), talk_time(centre), quiet=True)
        calls.append(call)
        if len(calls) == 1:
            call.changed("hold", at, 0)
            call.leg.holds = [(at, 0)]
            at += 80
    calls[0].leg.holds = [(calls[0].leg.holds[0][0], at + 400)]
    room = centre.call(agent, "conference", outbound=True, remote="conference")
    room.session_id, room.telephony = "0", False
    room.opens(at)
    for call in calls:
        call.ends(at + 400, code="Gone", reason="Conference")
    end = at + talk_time(centre)
    room.ends(end)
    agent.now = end
    return None


def reloaded(centre: Centre, agent: Agent) -> None:
    """The page is reloaded in mid-call: a browser call is over, a desk phone call goes on (SPEC 12)."""
    call = inbound(centre, agent, "reload in mid-call")
    call.media = centre.in_browser(agent)
    middle = talk(centre, call, agent.now + ring_time(centre), talk_time(centre) + 9_000, quiet=True)
    tab = agent.tabs[call.media if call.media is not None else agent.active_tab]
    agent.arrive(tab, middle)
    end = middle if call.media is not None else middle + talk_time(centre)
    if call.media is None and agent.has_presence:
        call.active_at(tab.load, middle + 1_050, "CallConnected")
    call.ends(end, web=None)
    agent.now = end + 3 * SECOND


def reoffered(centre: Centre, agent: Agent) -> None:
    """A queue offers the same session again: Ringing, NoCall, Ringing, CallConnected (SPEC 3.3 e)."""
    if not agent.has_presence or agent.mode == "webphone":
        return queue_call(centre, agent)
    call = centre.call(agent, "offered again", outbound=False)
    call.telephony, call.queue = False, "Support - "
    call.begins(agent.now)
    gone = agent.now + ring_time(centre) + 4_000
    call.pauses(gone)
    call.rings_again(gone + centre.rng.randint(1_000, 9_000) + 4_000)
    end = talk(centre, call, gone + 14_000 + ring_time(centre), talk_time(centre))
    call.ends(end)
    agent.now = end
    return None


def vanished(centre: Centre, agent: Agent) -> None:
    """All tabs close in mid-call; the next page load comes minutes, or half a day, later."""
    call = inbound(centre, agent, "tabs closed in mid-call")
    call.media = centre.in_browser(agent)
    end = talk(centre, call, agent.now + ring_time(centre), talk_time(centre), quiet=True)
    for tab in agent.tabs:
        tab.load.until = end
    call.ends(end, web=None)
    agent.now = end + (centre.rng.randint(1, 15) * MINUTE if centre.rng.random() < 0.8 else 5 * HOUR)
    for tab in agent.tabs:
        agent.arrive(tab, agent.now)
    agent.now += 6 * SECOND


def synced(centre: Centre, agent: Agent) -> None:
    """The end is not posted; a list of the web phone's calls shows that the call is gone (DECISIONS 25)."""
    if agent.mode != "webphone":
        return queue_call(centre, agent)
    call = inbound(centre, agent, "end told by a snapshot")
    call.media = centre.rng.randrange(len(agent.tabs))
    end = talk(centre, call, agent.now + ring_time(centre), talk_time(centre), quiet=True)
    call.telephony = call.pushes = False
    call.ends(end, web=None)
    call.is_missing_from_snapshot(end + centre.rng.randint(50, 900))
    agent.now = end + 6 * SECOND
    return None


def logged_out(centre: Centre, agent: Agent) -> None:
    """The person logs out in mid-call without an end being posted; logs in again later (DECISIONS 25)."""
    call = inbound(centre, agent, "log-out in mid-call")
    call.media = centre.in_browser(agent)
    end = talk(centre, call, agent.now + ring_time(centre), talk_time(centre), quiet=True)
    only = len(agent.tabs) == 1 and len(agent.tabs[0].loads) == 1
    for tab in agent.tabs:
        call.loses_login(tab.load, end, tells=only)
        tab.load.until = end + 45  # after a log-out only the empty presence is posted (SPEC 12)
    call.pushes = call.telephony = False
    call.ends(end, web=None)
    agent.now = end + centre.rng.randint(1, 5) * MINUTE
    for tab in agent.tabs:
        agent.arrive(tab, agent.now)
    agent.now += 6 * SECOND


STORIES: dict[Story, float] = {
    **SIMPLE,
    queue_call: 5,
    colleague: 5,
    blind_transfer: 3,
    warm_transfer: 1.5,
    flipped: 1.5,
    parked: 2,
    second_call: 2,
    conference: 0.7,
    reloaded: 1,
    reoffered: 1.5,
    vanished: 0.25,
    synced: 0.4,
    logged_out: 0.25,
}
