"""Which sequence numbers of a page load have been read: repeats and holes (DECISIONS 45, 57).

Holes are kept as ranges, so that a jump of a million numbers costs one entry.
"""

from dataclasses import dataclass, field

MAX_RANGES = 200
LOST_AFTER_MS = 60_000
Range = list[int]
"""First missing number, last missing number, stream time at which the hole was seen."""


@dataclass(slots=True)
class Sequences:
    """The numbers of one page load that were read; counted from 1."""

    highest: int = 0
    first: int | None = None
    holes: list[Range] = field(default_factory=list)
    abandoned: int = 0
    """Numbers of holes that were forgotten because there were too many; they stay lost."""


def known(read: Sequences, number: int) -> bool:
    """Tell whether this number was read before."""
    if number > read.highest:
        return False
    return not any(first <= number <= last for first, last, _ in read.holes)


def take(read: Sequences, number: int, now: int) -> None:
    """Note that the number was read at stream time now; a number below the highest fills its hole."""
    if read.first is None or number < read.first:
        read.first = number
    if number > read.highest:
        if number > read.highest + 1:
            read.holes.append([read.highest + 1, number - 1, now])
            _forget_surplus(read)
        read.highest = number
        return
    for index, (first, last, seen) in enumerate(read.holes):
        if first <= number <= last:
            rest = [[first, number - 1, seen], [number + 1, last, seen]]
            read.holes[index : index + 1] = [part for part in rest if part[0] <= part[1]]
            return


def _forget_surplus(read: Sequences) -> None:
    while len(read.holes) > MAX_RANGES:
        first, last, _ = read.holes.pop(0)
        read.abandoned += last - first + 1


def missing_before(read: Sequences, number: int) -> int:
    """Count the numbers below this one that have not been read."""
    if not read.holes:
        return read.abandoned
    return read.abandoned + sum(min(last, number - 1) - first + 1 for first, last, _ in read.holes if first < number)


def lost(read: Sequences, now: int) -> int:
    """Count the numbers whose hole is old enough at stream time now to be called lost."""
    return read.abandoned + sum(last - first + 1 for first, last, seen in read.holes if now - seen >= LOST_AFTER_MS)


def next_loss(read: Sequences, now: int) -> int | None:
    """Return the stream time at which the next open hole becomes a loss, if there is one."""
    return min((seen + LOST_AFTER_MS for _, _, seen in read.holes if now - seen < LOST_AFTER_MS), default=None)
