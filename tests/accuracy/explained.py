"""Classes of differences between the fold and the offline reading that are explained, each by a rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.accuracy.difference import Difference
from tests.oracle.reading import Expected


@dataclass(frozen=True)
class Explanation:
    """One class: what it is, the rule that decides, whose fault it is, and how it is recognised."""

    name: str
    rule: str
    fault: str
    fits: Callable[[Expected, Sequence[Difference]], bool]


EXPLAINED: tuple[Explanation, ...] = ()
"""The first that fits names the class of a leg. Empty: what was found so far was a fault of one of the two, and mended.

NB: an explanation takes a leg out of the bound. It must say what was told of the leg that makes both right.
"""


def explanation(
    leg: Expected, found: Sequence[Difference], known: Sequence[Explanation] = EXPLAINED
) -> Explanation | None:
    """Return the class that the differences of a leg belong to, or null."""
    return next((one for one in known if one.fits(leg, found)), None)
