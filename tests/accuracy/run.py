"""The run: centre after centre invented, posted, folded, read a second time, judged; and the bounds that must hold."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from tests.accuracy.centre import a_centre
from tests.accuracy.compare import Comparison, compare
from tests.accuracy.judge import Verdict, judge
from tests.accuracy.longer_stories import STORIES
from tests.accuracy.transport import deliver
from tests.oracle.reading import read

Records = list[dict[str, Any]]
Fold = Callable[[Sequence[dict[str, Any]], int], Records]

RUN_ON_MS = 5 * 3_600_000
"""Stream time goes on so long after the last post that every leg is closed (4 h) and settled."""
RIGHT_AT_LEAST = 0.999
LEFT_OUT_AT_MOST = 0.02


@dataclass
class Outcome:
    """What a run found."""

    seed: int
    verdict: Verdict = field(default_factory=Verdict)
    comparison: Comparison = field(default_factory=Comparison)
    stories: Counter[str] = field(default_factory=Counter)
    envelopes: int = 0
    centres: int = 0
    unsettled: int = 0
    fold_seconds: float = 0.0

    @property
    def outcomes_right(self) -> float:
        """Share of legs with the right disposition, of those whose outcome was told."""
        return 1 - self.verdict.count("disposition") / max(1, self.verdict.outcomes_judged)

    @property
    def durations_right(self) -> float:
        """Share of legs with all durations inside the uncertainty, of those whose facts were told."""
        return 1 - self.verdict.count("duration") / max(1, self.verdict.durations_judged)

    @property
    def left_out(self) -> float:
        """Share of legs left out of some check."""
        return self.verdict.legs_left_out / max(1, self.verdict.legs)

    @property
    def agreeing(self) -> float:
        """Share of legs that the offline reading tells alike, or otherwise for a reason that is known."""
        return 1 - self.comparison.unexplained.total() / max(1, self.comparison.legs)

    def broken(self) -> list[str]:
        """Return the bounds that do not hold; empty when all is well."""
        checks = [
            (self.verdict.legs > 0, "no leg was judged"),
            (
                self.outcomes_right >= RIGHT_AT_LEAST,
                f"disposition right for {self.outcomes_right:.4%}, at least {RIGHT_AT_LEAST:.1%} is needed",
            ),
            (
                self.durations_right >= RIGHT_AT_LEAST,
                f"durations right for {self.durations_right:.4%}, at least {RIGHT_AT_LEAST:.1%} is needed",
            ),
            (
                self.left_out <= LEFT_OUT_AT_MOST,
                f"{self.left_out:.2%} of the legs left out, at most {LEFT_OUT_AT_MOST:.0%} is allowed",
            ),
            (not self.verdict.count("missing"), f"{self.verdict.count('missing')} legs have no record"),
            (not self.verdict.count("invented"), f"{self.verdict.count('invented')} records of legs that never were"),
            (not self.verdict.count("doubled"), f"{self.verdict.count('doubled')} legs have two records"),
            (not self.unsettled, f"{self.unsettled} records are not final"),
            (
                self.agreeing >= RIGHT_AT_LEAST,
                f"like the offline reading for {self.agreeing:.4%}, at least {RIGHT_AT_LEAST:.1%} is needed; "
                f"different: {dict(self.comparison.unexplained)}",
            ),
        ]
        return [complaint for holds, complaint in checks if not holds]


def run(legs: int, seed: int, fold: Fold, *, chunk: int = 2_500) -> Iterator[Outcome]:
    """Yield the outcome so far after each centre, until enough legs happened."""
    outcome = Outcome(seed)
    while outcome.verdict.legs < legs:
        _one_centre(outcome, min(chunk, legs - outcome.verdict.legs), fold)
        yield outcome


def _one_centre(outcome: Outcome, wanted: int, fold: Fold) -> None:
    centre = a_centre(outcome.seed * 1_000 + outcome.centres, wanted, STORIES)
    envelopes = deliver(centre)
    until = envelopes[-1]["received_at"] + RUN_ON_MS
    began = perf_counter()
    records = fold(envelopes, until)
    outcome.fold_seconds += perf_counter() - began
    outcome.verdict.add(judge(centre.legs, records))
    outcome.comparison.add(compare(read(envelopes, until), records))
    outcome.stories.update(leg.story for leg in centre.legs)
    outcome.unsettled += sum(not record["is_final"] for record in records)
    outcome.envelopes += len(envelopes)
    outcome.centres += 1
