"""Workers as processes: what they write is what `fold` writes, however many there are and however they end."""

import itertools
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.contracts.numbers import DEVELOPMENT_KEY, TokenKey
from streams.pipeline.fold import Fold
from streams.pipeline.partitioner import partition_of
from streams.pipeline.plan import Plan
from streams.simulate.envelopes import Due, Faults
from streams.simulate.habits import Crowd, Habits
from tests.broker.conftest import Namespace, Record
from tests.broker.installation import OUTPUTS, Envelope, Installation, as_line
from tests.simulate.runs import NO_FAULTS, a_day

pytestmark = pytest.mark.broker

READY = "assignment.ready"
DAY_MS = 86_400_000
Written = dict[str, list[tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]]]


def a_morning(faults: Faults = NO_FAULTS) -> list[Due]:
    """Return a quarter of an hour of thirty busy people, in the order of arrival."""
    return a_day(Habits(calls_per_hour=30), Crowd(extensions=30), faults=faults, minutes=15).dues


def folded(installation: Installation, lines: Iterable[bytes]) -> Written:
    """Return by record what the pipeline writes of these lines without Kafka, all waits ended."""
    plan = Plan(TokenKey(DEVELOPMENT_KEY), naming=installation.naming, partitions=1)
    fold = Fold(plan)
    until = round(time.time() * 1000)
    names = {topic: record for record, topic in plan.names.items()}
    found: Written = defaultdict(list)
    for item in itertools.chain(fold.lines(lines), fold.end(until)):
        found[names[item.topic]].append((item.key, item.value, tuple(item.headers)))
    return found


def committed(installation: Installation, record: str) -> Written:
    """Return what the workers wrote, as an independent reader sees it; marks are left out."""
    rows = [(item.key, item.value, item.headers) for item in installation.read(record)]
    return {record: [row for row in rows if not (record == "EnrichedEvent" and row[0] is None)]}


def test_one_partition_is_written_as_fold_writes_it(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Every record of every topic byte by byte and in order: losses, repeats, late ones and refusals included."""
    installation = Installation(kafka, namespace, tmp_path, replayed=True)
    dues = a_morning(Faults(lost=0.02, doubled=0.03, late=0.03))
    garbage = Envelope(b"{no JSON", None, 0, dues[-1].at)
    envelopes = [Envelope(orjson.dumps(due.envelope), due.session_id.encode(), 0, due.at) for due in dues]
    installation.send([*envelopes, garbage])
    with installation.worker() as worker:
        installation.until_time(worker, round(time.time() * 1000) - DAY_MS)
        assert worker.end() == 0
    lines = [as_line(due.envelope, 0, offset, due.at) for offset, due in enumerate(dues)]
    wanted = folded(installation, [*lines, b"{no JSON"])
    for record in (*OUTPUTS, "EnrichedEvent"):
        assert wanted[record], record
        assert committed(installation, record)[record] == wanted[record], record
    reasons = [row["reason"] for row in installation.rows("DeadLetter")]
    assert reasons == ["BAD_JSON"]


def rows_by_key(rows: Sequence[tuple[bytes | None, bytes | None, Any]]) -> dict[bytes | None, list[Any]]:
    """Return the decoded rows of each key in order; where the input stood is left out."""
    found = defaultdict(list)
    for key, value, _ in rows:
        row = None if value is None else Record(0, 0, key, value, (), 0).avro()
        found[key].append(row and {name: row[name] for name in row if name not in ("input", "input_refs")})
    return found


def test_two_workers_write_of_each_extension_what_fold_writes(kafka: str, namespace: Namespace, tmp_path: Path) -> None:
    """Four partitions: calls, records, presence and sessions of each extension are those of one fold over all."""
    installation = Installation(kafka, namespace, tmp_path, 4, replayed=True)
    dues = a_morning()
    owners = {due.session_id: due.envelope["login_number"] for due in dues if due.envelope.get("login_number")}
    # The tabs of one person share a partition here: between partitions no order of arrival is kept.
    partitions = {session: partition_of(owner, 4) for session, owner in owners.items()}
    installation.send(
        Envelope(orjson.dumps(due.envelope), due.session_id.encode(), partitions[due.session_id], due.at)
        for due in dues
    )
    with installation.worker("a") as first, installation.worker("b") as second:
        installation.until_time(first, round(time.time() * 1000) - DAY_MS)
        assert (first.end(), second.end()) == (0, 0)
    wanted = folded(installation, (as_line(due.envelope, 0, offset, due.at) for offset, due in enumerate(dues)))
    for record in (*OUTPUTS, "EnrichedEvent"):
        found = committed(installation, record)[record]
        assert rows_by_key(found) == rows_by_key(wanted[record]), record
    assert len({item.partition for item in installation.read("CallRecord")}) > 1


def test_workers_join_leave_and_die_under_load_and_nothing_is_lost_or_doubled(
    kafka: str, namespace: Namespace, tmp_path: Path
) -> None:
    """One leaves by SIGTERM, one is killed and comes back, a third joins: `verify` finds every record once."""
    installation = Installation(kafka, namespace, tmp_path, 4)
    with (
        installation.simulate("--rate", "300", "--duration", "14", "--late", "0.01", "--doubled", "0.02") as population,
        installation.worker("a") as first,
        installation.worker("b") as second,
    ):
        first.until_said(READY)
        second.until_said(READY)
        first.until(lambda: len(installation.read("CallEvent")) > 50)
        assert second.end(signal.SIGKILL) == -signal.SIGKILL
        with installation.worker("b") as again, installation.worker("c") as third:
            again.until_said(READY)
            third.until_said(READY)
            assert first.end(signal.SIGTERM) == 0
            assert population.ended(60) == 0, population.text
            installation.until_caught_up(third)
            verified = installation.command("verify")
            assert verified.code == 0, verified.text
            assert "0 lost, 0 doubled, 0 different, 0 out of order" in verified.text
    sent = Counter(record.key for record in installation.read("EnrichedEvent"))
    assert sum(count for key, count in sent.items() if key is not None) > 2_000
