"""Every client of Kafka in a service is given the login and encryption of the settings."""

import ast
from collections.abc import Iterator
from pathlib import Path

STREAMS = Path(__file__).resolve().parents[2] / "streams"
CLIENTS = {"AIOKafkaProducer", "AIOKafkaConsumer", "KafkaConsumer", "AIOKafkaAdminClient", "AIOKafkaClient"}
CONSUMER = STREAMS / "consumer.py"
"""Where aiokafka's own consumer is made into ours."""
LOCAL = ("demo", "local")
"""Packages that speak with nothing but a Kafka that they started on this machine themselves."""


def bare_clients(path: Path) -> Iterator[int]:
    """Give the lines at which a client is made without `**….arguments()`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _name(node.func) in CLIENTS and not any(map(_is_security, node.keywords)):
            yield node.lineno


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_security(keyword: ast.keyword) -> bool:
    call = keyword.value
    if keyword.arg is not None or not isinstance(call, ast.Call) or _name(call.func) != "arguments":
        return False
    return isinstance(call.func, ast.Attribute) and _name(call.func.value).lstrip("_") == "security"


def uses_bare_consumer(path: Path) -> bool:
    """Tell whether a module speaks of aiokafka's consumer itself."""
    return "AIOKafkaConsumer" in _words(path)


def _words(path: Path) -> set[str]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {name for node in tree for name in (getattr(node, "attr", ""), getattr(node, "id", "")) if name}


def test_every_consumer_can_be_stopped_while_a_broker_is_away() -> None:
    """The one of aiokafka itself would cancel whoever stops it."""
    assert [str(path) for path in STREAMS.rglob("*.py") if path != CONSUMER and uses_bare_consumer(path)] == []
    assert uses_bare_consumer(CONSUMER)


def test_no_client_is_made_without_login_and_encryption() -> None:
    """One that forgets them works on every developer's machine and on no secured cluster."""
    modules = [path for path in STREAMS.rglob("*.py") if path.relative_to(STREAMS).parts[0] not in LOCAL]
    assert {f"{path}:{line}" for path in modules for line in bare_clients(path)} == set()
    made = [path for path in modules if CLIENTS & set(path.read_text(encoding="utf-8").replace("(", " ").split())]
    assert len(made) > 5, "the clients are made in another way: this check looks past them"


def test_a_bare_client_is_found(tmp_path: Path) -> None:
    """The check can fail, by either way of naming a client."""
    path = tmp_path / "bare.py"
    path.write_text(
        "AIOKafkaProducer(bootstrap_servers=b, **security.arguments())\n"
        "AIOKafkaProducer(bootstrap_servers=b)\n"
        "aiokafka.AIOKafkaConsumer(bootstrap_servers=b, **options.arguments())\n"
        "aiokafka.AIOKafkaConsumer(bootstrap_servers=b, **self._options.security.arguments())\n",
        encoding="utf-8",
    )
    assert list(bare_clients(path)) == [2, 3]
