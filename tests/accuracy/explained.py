"""Classes of differences between the fold and the offline reading that are explained, each by a rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.accuracy.difference import Difference
from tests.oracle.reading import Expected
from tests.oracle.testimony import State

Fits = Callable[[Expected, Sequence[Difference]], bool]


@dataclass(frozen=True)
class Explanation:
    """One class: what it is, the rule that decides, who is wrong, and how it is recognised."""

    name: str
    rule: str
    fault: str
    fits: Fits


def _fields(found: Sequence[Difference]) -> frozenset[str]:
    return frozenset(difference.field for difference in found)


def _is_one_hold_or_two(leg: Expected, found: Sequence[Difference]) -> bool:
    """Only holds differ, and two witnesses put the same change close to 5 s apart."""
    if not _fields(found) <= {"talk_ms", "hold_ms", "hold_count", "first_held_at"}:
        return False
    tellings = [one.since.at for one in leg.told if one.state in (State.ON_HOLD, State.CONNECTED)]
    return any(4_000 <= abs(one - other) <= 6_000 for one in tellings for other in tellings)


def _is_shown_at_the_end(leg: Expected, found: Sequence[Difference]) -> bool:
    """Only GAP differs, and a page load told of the leg around its end."""
    near = any(abs(one.post.at.at - leg.ended.at) <= 5_000 for one in leg.told)
    return near and _fields(found) == {"quality GAP"}


def _has_stale_tab(leg: Expected, found: Sequence[Difference]) -> bool:
    """Only mute or hold differ, and a second page load told the call's statuses long after the first."""
    if not _fields(found) <= {"mute_ms", "mute_count", "talk_ms", "hold_ms", "hold_count", "first_held_at"}:
        return False
    first: dict[str, int] = {}
    for one in leg.told:
        first[one.post.session] = min(one.post.at.at, first.get(one.post.session, one.post.at.at))
    return max(first.values()) - min(first.values()) > 5_000


EXPLAINED: tuple[Explanation, ...] = (
    Explanation(
        "a page load that comes into the middle of a call tells its statuses anew",
        "DECISIONS 18, 20: what is told again by a stale page load is no change; the posts do not say which are",
        "neither: the reading matches all tellings of a page load at once, the record each by its own instant",
        _has_stale_tab,
    ),
    Explanation(
        "two tellings of a hold about 5 s apart are one hold or two",
        "DECISIONS 17: the same change within 5 s is one",
        "neither: the clocks of two page loads agree to within their uncertainty only",
        _is_one_hold_or_two,
    ),
    Explanation(
        "a loss that a post right at the end of the call shows",
        "DECISIONS 28: the hole lies before the end; where in the hole the end lies nobody tells",
        "neither",
        _is_shown_at_the_end,
    ),
)
"""The first that fits names the class of a leg. Where the record is wrong, nothing is explained: it is mended."""


def explanation(leg: Expected, found: Sequence[Difference]) -> Explanation | None:
    """Return the class that the differences of a leg belong to, or null."""
    return next((one for one in EXPLAINED if one.fits(leg, found)), None)
