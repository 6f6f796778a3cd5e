"""A page that tells of more calls than a person can have: it costs itself, not the worker (CONTRACT 11)."""

from streams.contracts.snapshots import EXTENSION, NEVER
from streams.domain.extension import MAX_TABS, Extension, Tab
from streams.domain.following import MAX_FOLLOWED
from streams.domain.legs.evidence import Hole, Leg, Span
from streams.domain.legs.gaps import MAX_HOLES
from streams.domain.publishing import MAX_OPEN, index
from streams.domain.words import Direction, State
from streams.pipeline.plan import MAX_OUTPUT_BYTES
from tests import builders
from tests.builders import LOGIN, T0, a_uuid, fold

MANY = 22_000
"""So many open legs would make the memory of their extension too large for a record of the changelog."""


def test_the_fullest_memory_of_an_extension_fits_a_record() -> None:
    """What cannot be saved would stop the worker, and stop it again when it comes back."""
    extension = Extension(LOGIN)
    for number in range(MANY):
        state = State.RINGING if number % 2 else State.ENDED
        index(extension, Leg(_leg_id(number), LOGIN, Direction.INBOUND, state=state, settle_due=number))
    followed = [_leg_id(number) for number in range(2 * MAX_FOLLOWED)]
    for number in range(MAX_TABS):
        halves = followed[:MAX_FOLLOWED], followed[MAX_FOLLOWED:]
        extension.tabs[a_uuid(number)] = Tab(
            following=halves[0],
            gapped=halves[1],
            span=Span(1, 0, MANY, [Hole(MANY, T0, MANY)] * MAX_HOLES),
            last_posts={"ROUTE": _leg_id(1)},
        )
    assert len(extension.open_legs) == len(extension.unsettled) == MAX_OPEN
    assert len(EXTENSION.save(extension, NEVER)) < MAX_OUTPUT_BYTES


def _leg_id(number: int) -> str:
    return f"{number:032x}"


def test_a_leg_that_is_off_the_list_still_ends() -> None:
    """The oldest of too many is pushed off the list of open legs; its own end is found by its names."""
    tab = builders.Tab()
    calls = [tab.call(number) for number in range(MAX_OPEN + 1)]
    rings = [call.ring(10 + number) for number, call in enumerate(calls)]
    result = fold([tab.logs_in(0), *rings, calls[0].end(20_000)], until=60_000)
    (record,) = result.last("CallRecord")
    assert (record["disposition"], record["is_final"]) == ("MISSED", True)
    assert result.last("Presence")[0]["active_legs"] == MAX_OPEN
