"""Faust finds our transport by its public entry point."""

from importlib.metadata import entry_points

from faust.transport import by_url
from yarl import URL

from streams.engine.app import SCHEME
from streams.engine.transport import Consumer, Transport


def test_the_entry_point_names_our_transport() -> None:
    """`faust.transports` has our scheme once, and it loads."""
    (entry,) = entry_points(group="faust.transports", name=SCHEME)
    assert entry.load() is Transport


def test_faust_resolves_a_broker_address_of_our_scheme_to_our_transport() -> None:
    """Not so for Faust's own scheme: the two do not get in each other's way."""
    assert by_url(URL(f"{SCHEME}://127.0.0.1:9092")) is Transport
    assert by_url(URL("kafka://127.0.0.1:9092")) is not Transport
    assert Transport.Consumer is Consumer
