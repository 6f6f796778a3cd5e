"""Examples of the documentation are taken as they stand."""

from pathlib import Path

from streams.settings import load

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_example_of_a_settings_file_can_be_read() -> None:
    """Every name in it is a setting, every value is right."""
    settings = load({}, environ={}, config=DOCS / "worker.example.toml")
    assert settings.bootstrap_servers == "kafka-1:9092,kafka-2:9092,kafka-3:9092"
    assert str(settings.token_key_file) == "/etc/widget-streams/token.key"
    assert settings.health_host == "0.0.0.0"
