"""`python -m tests.deploy.native_outputs [changed]`: what both stages make of simulated calls and of garbage, as JSON.

A process of its own for each build. With `changed` one posting less is folded, and the answer must be another one.
"""

import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from streams.domain import decide
from streams.pipeline.records import Read
from tests.bench.witnesses import Witnesses
from tests.builders import HOUR, T0, Both
from tests.garble import garbled

LEGS = 120
GARBAGE = 1_500
BATCH = 150


def records(*, changed: bool) -> Iterator[Read]:
    """Give the postings of a call centre in their order, and garbage between them."""
    sent = list(Witnesses(legs=LEGS).records())
    rubbish = islice(garbled(7, [json.loads(one.value) for one in sent[:200]]), GARBAGE)
    if changed:
        del sent[len(sent) // 2]
    for offset, one in enumerate(sent):
        yield Read(0, 2 * offset, one.at, one.key, one.value)
        for garbage in islice(rubbish, 1):
            yield Read(0, 2 * offset + 1, one.at, garbage.key, garbage.value)


def answer(*, changed: bool) -> dict[str, object]:
    """Fold it in batches, with the state saved and read again after each, and let five hours pass."""
    both = Both()
    last = T0
    waiting = records(changed=changed)
    while batch := list(islice(waiting, BATCH)):
        both.take(batch)
        last = batch[-1].timestamp
        both.until(last - T0)
        both.reopen()
    both.until(last - T0 + 5 * HOUR)
    digests: dict[str, hashlib._Hash] = defaultdict(hashlib.sha256)
    counts: dict[str, int] = defaultdict(int)
    for row in both.written:
        counts[row.topic] += 1
        digests[row.topic].update(repr((row.partition, row.key, row.value, row.headers)).encode())
    for stage, saved in both.saved.items():
        counts[stage] = len(saved)
        digests[stage].update(repr(sorted(saved.items())).encode())
    compiled = not decide.__file__.endswith(".py")
    return {"compiled": compiled, "counts": counts, "digests": {name: one.hexdigest() for name, one in digests.items()}}


if __name__ == "__main__":
    print(json.dumps(answer(changed="changed" in sys.argv[1:])))  # noqa: T201
