"""Runs stages on Kafka: Faust for the application, our own transport for delivery.

    app = build_app(options, data_dir=...)
    engine = Engine(app, [sessions, extensions], options, observer)
    run(app)

The engine knows nothing of calls. One Kafka transaction per worker and commit holds outputs, changelogs and input
offsets of all stages (docs/decisions/0002-delivery.md).
"""

from streams.engine.app import EngineApp, build_app, run
from streams.engine.engine import Engine
from streams.engine.errors import EngineError
from streams.engine.options import EngineOptions
from streams.engine.stage import Folded, InputRecord, Observer, OutputRecord, Partition, SilentObserver, Stage
from streams.security import Security

__all__ = [
    "Engine",
    "EngineApp",
    "EngineError",
    "EngineOptions",
    "Folded",
    "InputRecord",
    "Observer",
    "OutputRecord",
    "Partition",
    "Security",
    "SilentObserver",
    "Stage",
    "build_app",
    "run",
]
