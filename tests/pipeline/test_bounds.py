"""Everything that is remembered goes: days of calls, messages, tabs and silences leave no more than the last day's."""

import pytest

from tests.builders import HOUR, Both, Json, Tab, reads

DAY = 24 * HOUR


def a_days_posts(day: int, calls: int) -> list[Json]:
    """Return what a page load of one day posts: calls told by every witness, some without an end, and messages."""
    tab = Tab(f"day-{day}", skew_ms=day * 10)
    begin = day * DAY + 8 * HOUR
    posts = [tab.logs_in(begin), tab.presence(begin + 10), tab.route(begin + 20)]
    for number in range(calls):
        at = begin + 60_000 + number * 600_000
        call = tab.call(day * 1_000 + number, direction="Outbound" if number % 2 else "Inbound")
        posts += [call.init(at) if number % 2 else call.ring(at), call.active("Ringing", at + 90),
                  call.telephony("Setup", at + 100), call.start(at + 4_000),
                  call.telephony("Answered", at + 4_100), call.active("CallConnected", at + 4_200),
                  call.hold(at + 9_000), call.resume(at + 20_000)]  # fmt: skip
        if number % 5:
            posts += [call.end(at + 60_000), call.telephony("Disconnected", at + 60_100),
                      call.active("NoCall", at + 60_300)]  # fmt: skip
        posts.append(tab.presence(at + 61_000, "NoCall" if number % 3 else "Ringing"))
        changed = at + 70_000
        posts.append(tab.message(changed, number=day * 1_000 + number, creationTime=None))
    return posts


def sizes(days: int, calls: int) -> list[tuple[int, int]]:
    """Fold days and return after each how many keys and bytes both stages hold."""
    both, found = Both(), []
    for day in range(days):
        both.take(reads(a_days_posts(day, calls)))
        both.until((day + 1) * DAY)
        state = [part for stage in both.saved.values() for part in stage.items()]
        found.append((len(state), sum(len(key) + len(value) for key, value in state)))
        both.written.clear()
    return found


def check_flat(found: list[tuple[int, int]], settled: int) -> None:
    """Hold the last day against the first one on which everything that is kept had filled up."""
    keys, size = found[settled]
    assert found[-1][0] <= keys * 1.05
    assert found[-1][1] <= size * 1.05


def test_memory_is_flat_after_some_days() -> None:
    """Messages are kept a week, everything else about a day: then as much goes as comes."""
    check_flat(sizes(days=12, calls=4), settled=9)


def test_memory_that_grows_is_noticed() -> None:
    """The check can fail: while the week of messages fills up, memory grows."""
    with pytest.raises(AssertionError):
        check_flat(sizes(days=6, calls=4), settled=1)


@pytest.mark.slow
def test_memory_is_flat_over_thirty_days() -> None:
    """30 days of 40 calls and 40 messages of one extension."""
    check_flat(sizes(days=30, calls=40), settled=9)
