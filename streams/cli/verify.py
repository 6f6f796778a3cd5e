"""`widget-streams verify`: prove stage by stage what the workers wrote (CONTRACT 9)."""

import asyncio
import logging

import click
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.cli.errors import Problem, Unreachable, WrongUse
from streams.cli.options import required_brokers, with_settings
from streams.cli.security import SECURITY, security_of
from streams.pipeline.proof import Verdict
from streams.pipeline.retained import Retained
from streams.settings import Settings, SettingsError
from streams.worker.installation import plan_of
from streams.worker.reading import Reader
from streams.worker.topics import partition_count
from streams.worker.verify import Verification

EXAMPLE = "\b\nExample:\n  widget-streams verify --bootstrap-servers 127.0.0.1:9092"


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLE)
@with_settings(
    "bootstrap_servers",
    *SECURITY,
    "topic_prefix",
    "group",
    "token_key_file",
    "token_key_version",
    "raw_personal_data",
    "identity_wait_seconds",
)
def command(settings: Settings) -> None:
    """Fold the recorded input again and compare every committed record with what had to be written.

    The sessions stage is proven against the widget events and the recorded marks, the extensions stage against the
    enriched events, the scopes stage against the deltas, in log order. Where a stage's input no longer begins at offset
    0 (kept for 7 days, 14 days and a day) it is not compared, and a line says so. Rows of capture coverage are never
    compared: what the directory had at the time is recorded nowhere. Reads committed records only; the workers may go
    on meanwhile. Needs the settings of the workers, their token key above all. Exit code 1 when a record is lost,
    doubled, different or out of order, and when no stage could be compared.
    """
    bootstrap = required_brokers(settings)
    try:
        plan_of(settings, 1)
        verdict, notes, retained = asyncio.run(_verify(settings, bootstrap))
    except SettingsError as error:
        raise WrongUse(str(error)) from error
    except KafkaConnectionError as error:
        raise Unreachable(
            f"No Kafka answers at {settings.bootstrap_servers}: is it running, do login and encryption fit?"
        ) from error
    except KafkaError as error:
        raise Unreachable(f"Kafka at {settings.bootstrap_servers} refuses: {type(error).__name__}.") from error
    _report(verdict, [*notes, *retained.sentences()])
    _conclude(verdict, notes, retained)


def _conclude(verdict: Verdict, notes: list[str], retained: Retained) -> None:
    """End with what is wrong; return where nothing is (CONTRACT 9)."""
    if verdict.problems:
        raise Problem(f"{verdict.problems} records are not as they have to be.")
    if notes:
        raise Problem("The records are right, but the marks of the partitions are not: see above.")
    if retained.is_nothing_proven():
        raise Problem("Nothing was proven: no input is held from its beginning on.")


async def _verify(settings: Settings, bootstrap: str) -> tuple[Verdict, list[str], Retained]:
    # Without a handler Python prints aiokafka's warnings bare; what matters is in our own sentence.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    security = security_of(settings)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security.arguments())
    try:
        await admin.start()
        plan = plan_of(settings, 1)
        count = await partition_count(admin, plan.events)
        if count is None:
            raise WrongUse(f"There is no topic {plan.events}: create the topics with `widget-streams topics apply`.")
        async with Reader(bootstrap, security) as reader:
            verification = Verification(plan_of(settings, count), reader, admin, _progress)
            verdict = await verification.run()
            return verdict, verification.notes, verification.retained
    finally:
        await admin.close()


def _progress(text: str) -> None:
    click.echo(f"{text} ...", err=True)


def _report(verdict: Verdict, sentences: list[str]) -> None:
    kinds = {
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "different": verdict.different,
        "out of order": verdict.out_of_order,
    }
    for kind, counts in kinds.items():
        for topic, number in sorted(counts.items()):
            if number:
                click.echo(f"{topic}: {number} {kind}")
    totals = ", ".join(f"{counts.total()} {kind}" for kind, counts in kinds.items())
    click.echo(f"{verdict.records} records compared: {totals}")
    for sentence in sentences:
        click.echo(sentence)
