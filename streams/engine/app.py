"""The Faust app that an engine runs in, and how to run it until it ends."""

import asyncio
import logging
import os
import threading
from pathlib import Path
from typing import Any, Final

import faust

from streams.engine.credentials import faust_credentials
from streams.engine.engine import Engine
from streams.engine.errors import EngineError
from streams.engine.hearing import Hearing
from streams.engine.options import EngineOptions
from streams.engine.preflight import preflight

SCHEME: Final = "widget-streams"
"""Name of our transport among Faust's (entry point `faust.transports`)."""
EXIT_SECONDS: Final = 10.0
"""A failed worker that has not stopped by then is ended: it holds nothing that is worth waiting for."""


# The suppression below: Faust has no stubs that mypy may follow, so its classes are Any.
class EngineApp(faust.App):  # type: ignore[misc]
    """A Faust app with an engine."""

    engine: Engine

    def __init__(self, *args: Any, **options: Any):
        """Make it as Faust does; nothing is heard of Kafka yet."""
        super().__init__(*args, **options)
        self.hearing = Hearing()

    def stop_soon(self) -> None:
        """Stop the worker because the engine failed."""
        failure = self.engine.failure or EngineError("The worker stops for no known reason.")
        last_resort = threading.Timer(EXIT_SECONDS, os._exit, [failure.exit_code])
        last_resort.daemon = True
        last_resort.start()
        self._stopping = asyncio.ensure_future(self.crash(failure))


def build_app(options: EngineOptions, *, data_dir: Path) -> EngineApp:
    """Return a Faust app for an engine with these options; it opens no port.

    Args:
        options: The engine's; the group is the app's id.
        data_dir: A folder of its own for Faust, which makes it; nothing of ours is kept there.
    """
    return EngineApp(
        options.group,
        broker=";".join(f"{SCHEME}://{broker.strip()}" for broker in options.brokers.split(",")),
        broker_credentials=faust_credentials(options.security),
        datadir=str(data_dir),
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=options.session_timeout_seconds,
        broker_heartbeat_interval=options.heartbeat_seconds,
        # The broker counts a worker out that does not fetch for so long; a long recovery does not fetch.
        broker_max_poll_interval=900.0,
        broker_request_timeout=max(90.0, options.session_timeout_seconds),
        broker_max_poll_records=options.fetch_records,
        consumer_group_instance_id=options.instance_id,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
    )


def run(app: EngineApp) -> None:
    """Wait for Kafka, then run the worker until a signal stops it. Logging is left as it is.

    Raises:
        UnreachableError: No broker answered in `start_timeout_seconds`.
        WrongUseError: The broker is too old, or topics are missing or do not fit.
        EngineError: The engine failed while it ran; `exit_code` says how the process should end.
    """
    engine = app.engine
    for logger in (EngineApp.logger, logging.getLogger("faust.worker")):
        # Once the engine has told why it ends, Faust says that it was a crash, and not of what.
        logger.addFilter(lambda _: engine.failure is None)
    asyncio.run(preflight(engine.options, list(engine.stages.values())))
    worker = faust.Worker(app, override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it would write terminal codes into the log
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if engine.failure is None and end.code:
            raise EngineError(f"Faust stopped the worker, exit code {end.code}: see the lines above.") from end
    except BaseException:
        if engine.failure is None:
            raise
    if engine.failure is not None:
        raise engine.failure
