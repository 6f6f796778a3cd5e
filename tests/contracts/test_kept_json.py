"""JSON that is held takes the room it needs (streams/contracts/kept_json.py)."""

import tracemalloc

import orjson

from streams.contracts.kept_json import kept_json

MANY = 200
HEAD = 64
"""More than a `bytes` object has beside its bytes."""


def test_json_takes_as_many_bytes_as_it_has() -> None:
    """A short document does not hold the buffer it was written into."""
    document = {"extension_key": "+12015550100*101", "revision": 3}
    tracemalloc.start()
    try:
        held = [kept_json(document) for _ in range(MANY)]
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held == [orjson.dumps(document)] * MANY
    assert taken < MANY * (len(held[0]) + HEAD) + 4_096
