"""`python -m tests.bench.stage_costs KIND RUNS [quick]`: processor time of the folds in this process, as JSON.

A process of its own for each build, because one process can import only one of them.
"""

import json
import sys
from typing import NamedTuple

from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.domain import decide
from streams.pipeline.plan import Plan
from tests.bench.installation import PARTITIONS
from tests.bench.stages import KINDS, Folding, worker_gc
from tests.bench.traffic import mix


class Measured(NamedTuple):
    """What one process measured."""

    mix: str
    is_native: bool
    costs: list[tuple[float, float]]
    """Of each run: µs an envelope of the sessions and of the extensions stage."""


def measure(kind: str, runs: int, *, quick: bool) -> Measured:
    """Fold the envelopes of a kind several times, each time from the beginning."""
    records = list(KINDS[kind, quick].records())
    plan = Plan(TokenKey(DEVELOPMENT_KEY), partitions=PARTITIONS)
    costs = []
    with worker_gc():
        for _ in range(runs):
            folding = Folding(plan)
            folding.run(records)
            sessions, extensions = (seconds / len(records) * 1e6 for seconds in folding.costs)
            costs.append((sessions, extensions))
    return Measured(mix(records), not decide.__file__.endswith(".py"), costs)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), quick="quick" in sys.argv[3:])._asdict()))  # noqa: T201
