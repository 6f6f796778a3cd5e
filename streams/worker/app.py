"""The Faust worker: one agent a stage on the engine, with its tables, metrics and health pages."""

import gc
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.domain.legs.records import RULES_VERSION
from streams.engine.app import EngineApp, build_app
from streams.engine.engine import Engine
from streams.engine.options import EngineOptions
from streams.engine.stage import Stage
from streams.memory import give_back
from streams.pipeline.extensions import STAGE, ExtensionsPartition
from streams.settings import Settings
from streams.telemetry.logs import event
from streams.telemetry.metrics import Metrics, gauge_family
from streams.worker.health import Checks, HealthServer
from streams.worker.observer import Accountant, StateCollector
from streams.worker.tables import ActiveCalls, Presence

STALLED_SECONDS = 30.0
GC_THRESHOLDS = (200_000, 50, 100)
"""State is many small objects that live long: looking through them too often costs a tenth of the time."""

log = logging.getLogger(__name__)


class CallsApp:
    """A worker that is ready to run: `faust` is the Faust app, the tables read like Faust tables."""

    def __init__(
        self,
        settings: Settings,
        stages: Sequence[Stage],
        options: EngineOptions,
        data_dir: Path,
        follow: Callable[[], Awaitable[None]] | None = None,
    ):
        """Build the worker; nothing is connected yet.

        Args:
            settings: Where the pages are served.
            stages: What it runs.
            options: The engine's.
            data_dir: A folder of its own for Faust.
            follow: Keeps the plan's directory up to date while the worker runs.
        """
        gc.set_threshold(*GC_THRESHOLDS)
        self.metrics = Metrics()
        self.metrics.build.labels(version("widget-streams"), RULES_VERSION).set(1)
        self.faust: EngineApp = build_app(options, data_dir=data_dir)
        self.engine = Engine(self.faust, stages, options, Accountant(self.metrics))
        self.active_calls = ActiveCalls(self.partitions)
        self.presence = Presence(self.partitions)
        self.metrics.registry.register(StateCollector(self.partitions))
        self.metrics.registry.register(LagCollector(self.engine))
        checks = Checks(self._started, self._ready, self._live)
        self._host = settings.health_host
        self.health = HealthServer(self.metrics.registry, checks, host=settings.health_host, port=settings.health_port)
        self.faust.task(self._serve)
        self.faust.task(give_back)
        if follow is not None:
            self.faust.task(follow)

    def partitions(self) -> Iterator[ExtensionsPartition]:
        """Give the partitions of the extensions stage that this worker holds now."""
        for (stage, _), partition in sorted(self.engine.partitions.items()):
            if stage == STAGE and isinstance(partition, ExtensionsPartition):
                yield partition

    async def _serve(self) -> None:
        await self.health.start()
        log.info(event("pages.served", host=self._host, port=self.health.port))

    def _started(self) -> str | None:
        return None if self.engine.joined else "has not joined its group yet"

    def _ready(self) -> str | None:
        if not self.engine.ready:
            return "holds no partitions at the moment"
        silent = self.faust.hearing.silent_seconds()
        return f"has heard nothing from Kafka for {silent:.0f} s" if silent else None

    def _live(self) -> str | None:
        if self.engine.failure is not None:
            return f"is stopping: {self.engine.failure}"
        lag = max(self.engine.lag_seconds().values(), default=0.0)
        silent = time.time() - self.metrics.progress._value.get()
        stalled = self.engine.ready and lag > STALLED_SECONDS and silent > STALLED_SECONDS
        return f"has records to fold, but committed nothing for {silent:.0f} s" if stalled else None


class LagCollector(Collector):
    """How old the oldest record is that is not folded yet, per input partition."""

    def __init__(self, engine: Engine):
        """Ask this engine."""
        self._engine = engine

    def describe(self) -> list[GaugeMetricFamily]:
        """Describe nothing in advance."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the lag in seconds."""
        text = "Age of the oldest record that may not be folded yet."
        family = gauge_family("consumer_lag_seconds", text, "topic", "partition")
        for (topic, partition), seconds in self._engine.lag_seconds().items():
            family.add_metric([topic, str(partition)], seconds)
        yield family
