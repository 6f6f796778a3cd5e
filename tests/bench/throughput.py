"""Envelopes per second of one worker, beside its engine alone, a bare client loop and an idiomatic Faust agent."""

import json
import tempfile
import urllib.request
from collections.abc import Callable

from tests.bench.builds import Build, builds
from tests.bench.figures import Figure, at_least, below
from tests.bench.installation import Installation, Offsets, Place, read
from tests.bench.processes import Program
from tests.bench.progress import Progress, Speed
from tests.bench.shape import shares
from tests.bench.traffic import Sent, Traffic, mix

TRAFFIC = Traffic(people=4_000, envelopes=150_000, busy=False, login_seconds=30.0)
"""A quarter of an hour in which people log in and then make twelve calls an hour each."""
QUICK = Traffic(people=800, envelopes=50_000)
HURRIED = Traffic(people=2_000, envelopes=150_000)
"""A call every twenty seconds, each: more of the work is about calls, and every person has a long list of them."""
FAUST_SECONDS = 15.0
SHAPED = 20_000
"""So many envelopes are folded to learn what the stages write of one."""
LIMIT_SECONDS = 300.0


class Throughput:
    """Runs all four several times on the same envelopes, always beside the broker and one at a time."""

    def __init__(self, bootstrap: str, say: Callable[[str], None], *, quick: bool):
        """Use this broker and tell what is done."""
        self._bootstrap, self._say = bootstrap, say
        self._traffic = QUICK if quick else TRAFFIC
        self._hurried = None if quick else HURRIED
        self._runs = 1 if quick else 3
        about = "both stages, exactly once, first to last commit"
        self._builds = builds(say)
        # The image has the native build, so that is what the target is for where there is one.
        targets = [at_least(8_000) if build is self._builds[-1] else None for build in self._builds]
        self.workers = {
            build.name: Figure(build.called("Throughput of one worker"), "envelopes/s", target, about)
            for build, target in zip(self._builds, targets, strict=True)
        }
        self.cpus = {
            build.name: Figure(
                build.called("Processor time of the worker"), "µs/envelope", None, "both stages and the Kafka client"
            )
            for build in self._builds
        }
        self.hurried: list[Figure] = []
        self.engine = Figure("Processor time of the engine", "µs/envelope", below(35.5), "stages that only write")
        self.engine_rate = Figure("Throughput of the engine", "envelopes/s", None, "stages that only write")
        self.loop = Figure("Bare aiokafka loop", "envelopes/s", None, "consume, orjson, produce in transactions")
        self.faust = Figure("Idiomatic Faust agent", "envelopes/s", None, "decode, count in a table, fastavro, send")
        self.to_loop = Figure("Worker to bare loop", "ratio", None, "same run, same envelopes")
        self.to_faust = Figure("Worker to Faust agent", "ratio", None, "same run, same envelopes")

    def measure(self) -> list[Figure]:
        """Return the figures of all runs."""
        records = list(self._traffic.records())
        self._say(mix(records))
        for run in range(1, self._runs + 1):
            self._run(f"throughput{run}", records)
        if self._hurried is not None:
            self._hurry(list(self._hurried.records()))
        workers = [figure for name in self.workers for figure in (self.workers[name], self.cpus[name])]
        alone = [self.engine, self.engine_rate]
        return [*workers, *self.hurried, *alone, self.loop, self.to_loop, self.faust, self.to_faust]

    def _run(self, name: str, records: list[Sent]) -> None:
        there = self._filled(name, records)
        worker = self._worker(there, len(records), self._builds[0])
        for build in self._builds[1:]:
            again = self._filled(f"{name}-{build.name.partition(' ')[0]}", records)
            self._worker(again, len(records), build)
        engine = self._engine(f"{name}-engine", records)
        self.engine.add(engine.cpu_us)
        self.engine_rate.add(engine.rate)
        loop = self._loop(there, name)
        self.loop.add(loop.rate)
        faust = self._faust(there, name)
        self.faust.add(faust.rate)
        self.to_loop.add(worker.rate / loop.rate)
        self.to_faust.add(worker.rate / faust.rate)
        self._say(
            f"{name}: the engine alone {engine.rate:,.0f}/s ({engine.cpu_us:.0f} µs),"
            f" bare loop {loop.rate:,.0f}/s ({loop.cpu_us:.0f} µs), Faust agent {faust.rate:,.0f}/s"
            f" ({faust.cpu_us:.0f} µs)"
        )

    def _hurry(self, records: list[Sent]) -> None:
        self._say(f"all in a hurry: {mix(records)}")
        about = "as above, a call every 20 s each"
        for number, build in enumerate(self._builds):
            figure = Figure(build.called("Throughput, all in a hurry"), "envelopes/s", None, about)
            figure.add(self._speed(self._filled(f"hurried{number}", records), len(records), build).rate)
            self.hurried.append(figure)

    def _filled(self, name: str, records: list[Sent]) -> Installation:
        there = Installation(self._bootstrap, name, replay=True)
        there.preload(records)
        return there

    def _worker(self, there: Installation, envelopes: int, build: Build) -> Speed:
        speed = self._speed(there, envelopes, build)
        self.workers[build.name].add(speed.rate)
        self.cpus[build.name].add(speed.cpu_us)
        return speed

    def _speed(self, there: Installation, envelopes: int, build: Build) -> Speed:
        with there.worker(build=build) as program:
            speed = followed(there, program, envelopes)
        told = f"worker {speed.rate:,.0f}/s ({speed.cpu_us:.0f} µs of processor each, {speed.seconds:.1f} s)"
        self._say(build.called(f"{there.group}: {told}"))
        return speed

    def _engine(self, name: str, records: list[Sent]) -> Speed:
        there = self._filled(name, records)
        shape = json.dumps(shares(records[:SHAPED], there.plan))
        where = (self._bootstrap, there.naming.prefix, there.group, str(there.port))
        with Program("the bare engine", "-m", "tests.bench.peers.bare_engine", *where, shape) as program:
            return followed(there, program, len(records))

    def _loop(self, there: Installation, name: str) -> Speed:
        sink = there.create(f"{name}.bare-loop")
        arguments = (self._bootstrap, f"{name}-bare-loop", there.plan.events, sink)
        program = Program("the bare loop", "-m", "tests.bench.peers.client_loop", *arguments)
        return self._peer(there, f"{name}-bare-loop", program, float("inf"))

    def _faust(self, there: Installation, name: str) -> Speed:
        sink, group = there.create(f"{name}.faust-agent"), f"{name}-faust-agent"
        with tempfile.TemporaryDirectory(prefix="widget-streams-bench-") as folder:
            arguments = (self._bootstrap, group, there.plan.events, sink, folder)
            program = Program("the Faust agent", "-m", "tests.bench.peers.faust_agent", *arguments)
            return self._peer(there, group, program, FAUST_SECONDS)

    def _peer(self, there: Installation, group: str, program: Program, enough: float) -> Speed:
        topic = there.plan.events
        with Offsets(self._bootstrap, group, [topic]) as offsets, program:
            ends = offsets.ends(topic)
            progress = Progress(offsets, program, topic)
            progress.follow(ends, seconds=LIMIT_SECONDS, enough=enough)
            return progress.speed(ends)


def followed(there: Installation, program: Program, envelopes: int) -> Speed:
    """Follow a worker until it has committed everything, check that it counted every envelope, return its speed."""
    events, enriched = there.plan.events, there.plan.names["EnrichedEvent"]
    with Offsets(there.bootstrap, there.group, [events, enriched]) as offsets:
        progress = Progress(offsets, program, events)
        ends = offsets.ends(events)
        progress.follow(ends, seconds=LIMIT_SECONDS)
        # By now the first stage is done, so this is where its records end; marks come after them.
        after = offsets.ends(enriched)
        progress.follow({place: end - 1 for place, end in after.items()}, seconds=LIMIT_SECONDS)
        counted = received(there)
        assert counted == envelopes, f"the worker counted {counted:.0f} envelopes, {envelopes} were sent"
        return progress.speed({**ends, **last_events(there, after)})


def last_events(there: Installation, ends: dict[Place, int]) -> dict[Place, int]:
    """Return for each partition of the enriched events the offset after the last record that is no mark."""
    starts = {place: max(0, end - 500) for place, end in ends.items()}
    found: dict[Place, int] = {}
    for message in read(there.bootstrap, starts):
        if message.key() is not None:
            found[str(message.topic()), int(message.partition() or 0)] = int(message.offset() or 0) + 1
    assert found.keys() == ends.keys(), "a partition has only marks in its last 500 records"
    return found


def received(there: Installation) -> float:
    """Return how many envelopes the worker says it has received and committed."""
    with urllib.request.urlopen(f"http://127.0.0.1:{there.port}/metrics", timeout=30) as page:
        lines = page.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("widgetstreams_events_received_total{"))
