"""`widget-streams worker`: the Faust worker (CONTRACT 9)."""

import asyncio
import os
import socket
import tempfile
from pathlib import Path

import click
from aiokafka.errors import KafkaError

from streams.cli.errors import Problem, Unreachable, WrongUse
from streams.cli.options import required_brokers, with_settings
from streams.cli.security import SECURITY, security_of
from streams.contracts.catalog import topic
from streams.contracts.directory import Directory
from streams.engine.app import run
from streams.engine.errors import EngineError
from streams.engine.options import EngineOptions
from streams.memory import one_arena
from streams.settings import Settings, SettingsError
from streams.telemetry import logs
from streams.worker.app import CallsApp
from streams.worker.directory import DirectoryReader
from streams.worker.health import CannotServeError
from streams.worker.installation import STAGES, plan_of, stages_of
from streams.worker.startup import NoKafkaError, TopicsDoNotFitError, partitions_of

ERRORS = {1: Problem, 2: WrongUse, 3: Unreachable}
EXAMPLE = "\b\nExample:\n  widget-streams worker --bootstrap-servers 127.0.0.1:9092 --instance-id worker-0"


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLE)
@with_settings(
    "bootstrap_servers",
    *SECURITY,
    "topic_prefix",
    "group",
    "instance_id",
    "token_key_file",
    "token_key_version",
    "raw_personal_data",
    "identity_wait_seconds",
    "mark_interval_seconds",
    "commit_interval_seconds",
    "session_timeout_seconds",
    "broker_wait_seconds",
    "health_host",
    "health_port",
    "log_level",
)
@click.option(
    "--stage",
    "stages",
    multiple=True,
    type=click.Choice(list(STAGES)),
    help="Run this stage only; may be given several times.  [default: all]",
)
def command(settings: Settings, stages: tuple[str, ...]) -> None:
    """Run the Faust worker: its stages, one Kafka transaction for outputs, state and offsets.

    Any number of workers share the partitions; they join, leave and restart at will. Give each place an --instance-id:
    then a quick restart moves no partition. Without the topics, or with topics that do not fit, it does not start and
    names the fix. Without Kafka it waits for --broker-wait-seconds, then ends with exit code 3.
    """
    logs.setup(settings.log_level)
    one_arena()
    bootstrap = required_brokers(settings)
    try:
        # Whatever is wrong with the settings is told before Kafka is waited for.
        directory = Directory(plan_of(settings, 1).token_key)
        options = options_of(settings, bootstrap)
        plan = plan_of(settings, asyncio.run(partitions_of(settings, bootstrap, options.security)), directory)
        name = topic("directory").name(plan.naming)
        reader = DirectoryReader(bootstrap, name, plan.partitions, directory, options.security)
        asyncio.run(reader.read_whole())
        with tempfile.TemporaryDirectory(prefix="widget-streams-") as folder:
            app = CallsApp(settings, stages_of(plan, stages), options, Path(folder), reader.follow)
            app.health.bind()
            run(app.faust)
    except (SettingsError, TopicsDoNotFitError, CannotServeError) as error:
        raise WrongUse(str(error)) from error
    except NoKafkaError as error:
        raise Unreachable(str(error)) from error
    except KafkaError as error:
        raise Unreachable(f"Kafka at {bootstrap} does not give the directory: {type(error).__name__}.") from error
    except EngineError as error:
        raise ERRORS[error.exit_code](str(error)) from error


def options_of(settings: Settings, bootstrap: str) -> EngineOptions:
    """Return the engine's options.

    Raises:
        SettingsError: How to speak to Kafka is set wrongly.
    """
    return EngineOptions(
        brokers=bootstrap,
        group=settings.group,
        slot=settings.instance_id or f"{socket.gethostname()}-{os.getpid()}",
        instance_id=settings.instance_id,
        commit_interval_seconds=settings.commit_interval_seconds,
        mark_interval_seconds=settings.mark_interval_seconds,
        session_timeout_seconds=settings.session_timeout_seconds,
        heartbeat_seconds=settings.session_timeout_seconds / 4,
        start_timeout_seconds=settings.broker_wait_seconds,
        security=security_of(settings),
    )
