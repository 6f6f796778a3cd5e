"""`widget-streams topics`: the catalogue of topics, and creating what a cluster lacks."""

import asyncio
import logging

import click
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.cli.errors import Problem, Unreachable
from streams.cli.options import required_brokers, with_settings
from streams.cli.security import SECURITY, required_security
from streams.contracts.catalog import DAY_MS, Naming, Topic, catalog
from streams.security import Security
from streams.settings import Settings
from streams.worker import topics as cluster

_CONNECT_TIMEOUT_SECONDS = 15.0


_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(
    context_settings=_HELP,
    epilog="\b\nExample:\n  widget-streams topics apply --bootstrap-servers localhost:9092 --replication-factor 1",
)
def command() -> None:
    """List the topics, or create what is missing."""


@command.command(
    "list", context_settings=_HELP, epilog="\b\nExample:\n  widget-streams topics list --topic-prefix acme."
)
@with_settings("topic_prefix", "group")
def list_topics(settings: Settings) -> None:
    """Show every topic of the catalogue; asks no broker."""
    naming = Naming(settings.topic_prefix, settings.group)
    for topic in catalog().topics:
        click.echo(f"{topic.name(naming):<38} {topic.cleanup:<15} {_kept(topic):<9} {topic.value}")
        click.echo(f"    {topic.purpose} Key: {topic.key}.")


@command.command(
    "apply",
    context_settings=_HELP,
    epilog="\b\nExample:\n  widget-streams topics apply --bootstrap-servers localhost:9092 --replication-factor 1",
)
@with_settings("bootstrap_servers", *SECURITY, "topic_prefix", "group")
@click.option(
    "--partitions",
    type=click.IntRange(min=1),
    default=catalog().partitions,
    show_default=True,
    help="Partitions of each topic; the same for all, and not changed afterwards.",
)
@click.option(
    "--replication-factor",
    type=click.IntRange(min=1),
    default=catalog().replication_factor,
    show_default=True,
    help="Copies of each topic; 1 on a single broker.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be created, and what differs.")
def apply_topics(settings: Settings, partitions: int, replication_factor: int, *, dry_run: bool) -> None:
    """Create the topics that are missing, and tell what differs. Never shrinks, alters or deletes.

    Exits with 1 when a topic differs from the catalogue, 3 when no broker answers.
    """
    brokers = required_brokers(settings)
    naming = Naming(settings.topic_prefix, settings.group)
    plan = cluster.plan(naming, partitions=partitions, replication_factor=replication_factor)
    created, found = asyncio.run(_apply(brokers, required_security(settings), plan, dry_run=dry_run))
    for name in created:
        click.echo(f"{'would create' if dry_run else 'created'} {name}")
    for problem in found:
        click.echo(problem.sentence())
    unchanged = len(plan.topics) - len(created)
    click.echo(f"{len(created)} topics {'to be created' if dry_run else 'created'}, {unchanged} were there.")
    if found:
        raise Problem(
            f"{len(found)} differences that this command does not mend: change the topics with your Kafka tools, "
            "or give the options that they were made with."
        )


async def _apply(
    bootstrap_servers: str, security: Security, plan: cluster.Plan, *, dry_run: bool
) -> tuple[list[str], list[cluster.Difference]]:
    # Without a handler Python prints aiokafka's warnings bare; what matters is in our own sentence.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap_servers, client_id="widget-streams-topics", **security.arguments()
    )
    try:
        await asyncio.wait_for(admin.start(), _CONNECT_TIMEOUT_SECONDS)
        if dry_run:
            found = await cluster.differences(admin, plan)
            missing = [problem.topic for problem in found if problem.what == "missing"]
            return missing, [problem for problem in found if problem.what != "missing"]
        return await cluster.create_missing(admin, plan), await cluster.differences(admin, plan)
    except cluster.TopicsError as error:
        raise Problem(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unreachable(
            f"No Kafka broker answers at {bootstrap_servers}. Is it running, is --bootstrap-servers right, do login"
            " and encryption fit?"
        ) from error
    finally:
        await admin.close()


def _kept(topic: Topic) -> str:
    return "for ever" if topic.retention_ms is None else f"{topic.retention_ms // DAY_MS} d"
