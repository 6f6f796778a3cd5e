"""The settings of the compose file's Kafka are settings of the Kafka that we test against."""

from pathlib import Path

import pytest
import yaml
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

pytestmark = pytest.mark.broker
COMPOSE = Path(__file__).resolve().parents[2] / "deploy" / "compose.yaml"


def test_every_variable_is_a_setting_of_the_broker(kafka: str) -> None:
    """The image makes `a.b` of KAFKA_A_B; a misspelt one would be a setting that does nothing."""
    variables = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["kafka"]["environment"]
    settings = {name.removeprefix("KAFKA_").lower().replace("_", ".") for name in variables}
    broker = ConfigResource(ResourceType.BROKER, "1")
    admin = AdminClient({"bootstrap.servers": kafka})
    known = admin.describe_configs([broker])[broker].result(20)
    assert len(settings) == len(variables) > 10
    assert settings - set(known) == set()
    assert "log.dir.misspelt" not in known
