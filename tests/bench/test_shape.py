"""The stages that only write do write what the real ones do: else the figure of the engine would be of another load."""

from streams.contracts.catalog import Naming
from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.pipeline.plan import Plan
from tests.bench.installation import PARTITIONS
from tests.bench.peers.bare_engine import bare_stages
from tests.bench.shape import Share, shares
from tests.bench.traffic import Traffic

PLAN = Plan(TokenKey(DEVELOPMENT_KEY), naming=Naming(), partitions=PARTITIONS)
RECORDS = list(Traffic(people=60, envelopes=3_000).records())


def test_stages_that_only_write_write_as_much_as_the_real_ones() -> None:
    """As many records to each topic, as large, with as many headers; and the real ones write calls and presence."""
    real = shares(RECORDS, PLAN)
    bare = {(share.stage, share.topic): share for share in shares(RECORDS, PLAN, bare_stages(PLAN, real))}
    assert {"widget.call-events.v1", "widget.presence.v1", "widget.interval-metrics.v1"} <= {s.topic for s in real}
    # The scopes read a hundred deltas here, and every partition rounds down for itself.
    compared = [share for share in real if share.stage != "scopes"]
    assert len(compared) >= 12
    for share in compared:
        assert differences(share, bare[share.stage, share.topic]) == [], share


def test_a_stage_that_writes_something_else_is_noticed() -> None:
    """The comparison has eyes for each of its numbers."""
    share = Share("extensions", "widget.presence.v1", 500, 43, 6, 20)
    other = Share("extensions", "widget.presence.v1", 400, 44, 5, 21)
    assert differences(share, other) == ["per_thousand", "value_bytes", "headers", "header_bytes"]


def differences(wanted: Share, found: Share) -> list[str]:
    """Return the numbers that differ, of records by more than a twentieth."""
    allowed = {"per_thousand": max(12, wanted.per_thousand / 20)}
    pairs = zip(Share._fields[2:], wanted[2:], found[2:], strict=True)
    return [name for name, one, other in pairs if abs(int(one) - int(other)) > allowed.get(name, 0)]
