"""Before a worker starts: wait for Kafka, look at the topics, say what to do when they do not fit (CONTRACT 9)."""

import asyncio
import logging
from time import monotonic

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.contracts.catalog import Naming, catalog
from streams.security import PLAIN_TEXT, Security
from streams.settings import Settings
from streams.telemetry.logs import event
from streams.worker import topics

RETRY_SECONDS = 2.0
log = logging.getLogger(__name__)


class NoKafkaError(Exception):
    """No broker answered in time; the text says where and what to look at."""


class TopicsDoNotFitError(Exception):
    """Topics are missing or differ in their partition counts; the text names the fix."""


async def partitions_of(settings: Settings, bootstrap: str, security: Security = PLAIN_TEXT) -> int:
    """Return the partition count of the installation's topics, which all have the same.

    Raises:
        NoKafkaError: No broker answered within `broker_wait_seconds`.
        TopicsDoNotFitError: Topics are missing, or partition counts differ.
    """
    admin = await _connected(settings, bootstrap, security)
    naming = Naming(settings.topic_prefix, settings.group)
    written = [topic for topic in catalog().topics if topic.is_written]
    try:
        count = await topics.partition_count(admin, written[0].name(naming))
        problems = await topics.check_topics(admin, topics.plan(naming, partitions=count, topics=written))
    except topics.TopicsError as error:
        raise TopicsDoNotFitError(str(error)) from error
    finally:
        await admin.close()
    if count is None or problems:
        raise TopicsDoNotFitError("The topics do not fit, so the worker does not start:\n  " + "\n  ".join(problems))
    return count


async def _connected(settings: Settings, bootstrap: str, security: Security) -> AIOKafkaAdminClient:
    begun = monotonic()
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security.arguments())
        try:
            await admin.start()
        except (KafkaConnectionError, KafkaError) as error:
            await admin.close()
            waited = monotonic() - begun
            if waited >= settings.broker_wait_seconds:
                raise NoKafkaError(
                    f"No Kafka answered at {bootstrap} for {settings.broker_wait_seconds:g} seconds: is it running, is"
                    " the address right, can this machine reach it, do login and encryption fit?"
                ) from error
            log.warning(event("broker.awaited", brokers=bootstrap, waited_seconds=round(waited)))
            await asyncio.sleep(min(RETRY_SECONDS, settings.broker_wait_seconds))
        else:
            return admin
