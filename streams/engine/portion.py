"""How many records are folded in one go: the event loop stands still meanwhile, and a commit needs many of its turns.

Large portions are cheaper, because a stage saves what it touched once a portion; too large ones let a transaction
outlive its time on a busy machine. So it is the time that is held steady, not the number.
"""

from collections.abc import Iterator, Sequence

from streams.engine.stage import InputRecord

QUICK_SECONDS = 0.06
"""A portion that takes less may be twice as large."""
SLOW_SECONDS = 0.2
"""One that takes longer is to be half as large."""
FIRST, FEWEST, MOST = 500, 250, 2_000
"""Records of a portion: as long as nothing is known, and at least and most."""


class Portion:
    """What suits one stage: its folds cost much the same, those of another stage a multiple."""

    __slots__ = ("records",)

    def __init__(self) -> None:
        """Begin with what suits a slow machine."""
        self.records = FIRST

    def of(self, records: Sequence[InputRecord]) -> Iterator[Sequence[InputRecord]]:
        """Cut records into portions, all as large as the portion is when it is asked for, the last one excepted."""
        begin = 0
        while begin < len(records):
            yield (taken := records[begin : begin + self.records])
            begin += len(taken)

    def took(self, records: int, seconds: float) -> None:
        """Learn from how long a fold took; from few records nothing can be learned."""
        if records * 2 < self.records:
            return
        whole = seconds * self.records / records
        if whole > SLOW_SECONDS:
            self.records = max(FEWEST, self.records // 2)
        elif whole < QUICK_SECONDS:
            self.records = min(MOST, self.records * 2)
