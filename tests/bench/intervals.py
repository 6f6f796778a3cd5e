"""Processor time of interval metrics: pure folds of a simulated hour, without Kafka, with each build."""

from collections.abc import Callable

from tests.bench.builds import Build, builds
from tests.bench.figures import Figure, at_least

DELTAS_PER_SECOND = 20_000
QUICK = ("--extensions", "100", "--minutes", "20", "--runs", "2")


class Intervals:
    """Measures with each build in a process of its own."""

    def __init__(self, _: str, say: Callable[[str], None], *, quick: bool):
        """Tell what is done; no broker is used."""
        self._say, self._quick = say, quick
        self._builds = builds(say)

    def measure(self) -> list[Figure]:
        """Return what interval metrics cost in the extensions stage, and how many deltas the scopes stage takes."""
        return [figure for build in self._builds for figure in self._of(build)]

    def _of(self, build: Build) -> list[Figure]:
        told = build.measured("tests.bench.interval_costs", *(QUICK if self._quick else ()))
        # The image has the native build, so that is what the target is for where there is one.
        target = at_least(DELTAS_PER_SECOND) if build is self._builds[-1] else None
        stage, part = told["extensions_us"], told["metrics_us"]
        self._say(
            build.called(
                f"intervals: {told['events']} events made {told['rows']} rows and {told['deltas']} deltas,"
                f" {part:.1f} of {stage:.1f} µs an event"
            )
        )
        metrics = Figure(
            build.called("Processor time, interval metrics"), "µs/event", None, f"of {stage:.0f} of stage extensions"
        )
        scopes = Figure(build.called("Stage scopes"), "deltas/s", target, "of processor time, pure fold")
        metrics.add(part)
        scopes.add(1e6 / told["scopes_us"])
        return [metrics, scopes]
