"""The engine stands on private pieces of Faust and aiokafka: each is named here, and its shape is held fast.

A bump of either library runs this first. A piece that went or changed is a reason to read the library's new code, not
to adapt the table; then the tests against a real Kafka have the last word.
"""

import ast
import dis
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType

import pytest

from streams import consumer
from streams.engine import transport as ours

ENGINE = Path(ours.__file__).parent
CONSUMER = Path(consumer.__file__)
PYPROJECT = ENGINE.parents[1] / "pyproject.toml"
PINNED = {"aiokafka": "0.14.0", "faust-streaming": "0.15.3"}

ATTRIBUTE = "attribute"
"""Set on the class or by one of its methods."""

_DRIVER = "faust.transport.drivers.aiokafka"
_SENDER = "aiokafka.producer.sender"
_TRANSACTIONS = "aiokafka.producer.transaction_manager:TransactionManager"
_CLIENT = "aiokafka.client:AIOKafkaClient"
_BATCH = "aiokafka.producer.message_accumulator:BatchBuilder"
_FETCHER = "aiokafka.consumer.fetcher:Fetcher"
_COORDINATOR = "aiokafka.consumer.group_coordinator:GroupCoordinator"

PRIVATE: Mapping[str, str] = {
    # Faust: what transport.py replaces
    f"{_DRIVER}:Consumer._new_consumer_thread": "(self)",
    f"{_DRIVER}:Consumer._drain_messages": "(self, fetcher)",
    f"{_DRIVER}:Consumer.perform_seek": "(self)",
    f"{_DRIVER}:Consumer.on_partitions_revoked": "(self, revoked)",
    f"{_DRIVER}:Consumer.on_partitions_assigned": "(self, assigned, generation_id=0)",
    f"{_DRIVER}:Consumer.commit": "(self, topics=None, start_new_transaction=True)",
    f"{_DRIVER}:Consumer.on_stop": "(self)",
    f"{_DRIVER}:Consumer.verify_event_path": "(self, now, tp)",
    f"{_DRIVER}:AIOKafkaConsumerThread._create_worker_consumer": "(self, transport)",
    f"{_DRIVER}:Transport.Consumer": ATTRIBUTE,
    # Faust: what transport.py calls
    f"{_DRIVER}:Consumer._wait_next_records": "(self, timeout)",
    f"{_DRIVER}:Consumer._to_message": "(self, tp, record)",
    f"{_DRIVER}:Consumer.seek_wait": "(self, partitions)",
    f"{_DRIVER}:Consumer.stop_flow": "(self)",
    f"{_DRIVER}:Consumer.resume_flow": "(self)",
    f"{_DRIVER}:Consumer.flow_active": ATTRIBUTE,
    f"{_DRIVER}:Consumer.callback": ATTRIBUTE,
    f"{_DRIVER}:Consumer.consumer_stopped_errors": ATTRIBUTE,
    f"{_DRIVER}:Consumer._thread": ATTRIBUTE,
    f"{_DRIVER}:Consumer._stopped": ATTRIBUTE,
    f"{_DRIVER}:AIOKafkaConsumerThread._assignor": ATTRIBUTE,
    f"{_DRIVER}:AIOKafkaConsumerThread._ensure_consumer": "(self)",
    f"{_DRIVER}:AIOKafkaConsumerThread.call_thread": "(self, fun, *args, **kwargs)",
    f"{_DRIVER}:server_list": "(urls, default_port)",
    # Faust: the app, the worker and the schema
    "faust:App.crash": "(self, reason)",
    "faust:App.create_event": "(self, key, value, headers, message)",
    "faust:Worker.execute_from_commandline": "(self)",
    "faust:Schema.decode": "(self, app, message, *, propagate=False)",
    # aiokafka: who this worker is in its group, and how far it has read
    "aiokafka:AIOKafkaConsumer._coordinator": ATTRIBUTE,
    "aiokafka:AIOKafkaConsumer.highwater": "(self, partition)",
    "aiokafka:AIOKafkaConsumer.last_poll_timestamp": "(self, partition)",
    f"{_COORDINATOR}.check_errors": "(self)",
    f"{_COORDINATOR}.generation": ATTRIBUTE,
    f"{_COORDINATOR}.member_id": ATTRIBUTE,
    # aiokafka: what consumer.py ends
    "aiokafka:AIOKafkaConsumer._fetcher": ATTRIBUTE,
    "aiokafka:AIOKafkaConsumer._client": ATTRIBUTE,
    f"{_FETCHER}._fetch_task": ATTRIBUTE,
    f"{_FETCHER}._pending_tasks": ATTRIBUTE,
    f"{_CLIENT}.close": "(self)",
    # aiokafka: the fenced commit of fencing.py
    "aiokafka:AIOKafkaProducer._sender": ATTRIBUTE,
    f"{_SENDER}:Sender._do_txn_offset_commit": "(self, offsets, group_id)",
    f"{_SENDER}:Sender._find_coordinator": "(self, coordinator_type, coordinator_key)",
    f"{_SENDER}:Sender._txn_manager": ATTRIBUTE,
    f"{_SENDER}:TxnOffsetCommitHandler.__init__": "(self, sender, offsets, group_id)",
    f"{_SENDER}:TxnOffsetCommitHandler.create_request": "(self)",
    f"{_SENDER}:TxnOffsetCommitHandler.handle_response": "(self, resp)",
    f"{_SENDER}:TxnOffsetCommitHandler.do": "(self, node_id)",
    f"{_SENDER}:TxnOffsetCommitHandler._offsets": ATTRIBUTE,
    f"{_SENDER}:TxnOffsetCommitHandler._group_id": ATTRIBUTE,
    f"{_SENDER}:TxnOffsetCommitHandler._sender": ATTRIBUTE,
    f"{_TRANSACTIONS}.error_transaction": "(self, exc)",
    f"{_TRANSACTIONS}.wait_for_transaction_end": "(self)",
    f"{_TRANSACTIONS}.transactional_id": ATTRIBUTE,
    f"{_TRANSACTIONS}.producer_id": ATTRIBUTE,
    f"{_TRANSACTIONS}.producer_epoch": ATTRIBUTE,
    # aiokafka: the batches of producer.py
    "aiokafka:AIOKafkaProducer.client": ATTRIBUTE,
    "aiokafka:AIOKafkaProducer.create_batch": "(self)",
    "aiokafka:AIOKafkaProducer.send_batch": "(self, batch, topic, *, partition)",
    "aiokafka:AIOKafkaProducer.send_offsets_to_transaction": "(self, offsets, group_id)",
    # aiokafka: the batches of draft.py
    f"{_BATCH}._builder": ATTRIBUTE,
    f"{_BATCH}._relative_offset": ATTRIBUTE,
    f"{_BATCH}.close": "(self)",
    f"{_BATCH}.size": "(self)",
    # aiokafka: the client of offsets.py and preflight.py
    f"{_CLIENT}.bootstrap": "(self)",
    f"{_CLIENT}.get_random_node": "(self)",
    f"{_CLIENT}.fetch_all_metadata": "(self)",
    f"{_CLIENT}.coordinator_lookup": "(self, coordinator_type, coordinator_key)",
    f"{_CLIENT}.ready": "(self, node_id, *, group=DEFAULT)",
    f"{_CLIENT}.send": "(self, node_id, request, *, group=DEFAULT)",
    # aiokafka: the protocol of wire.py
    "aiokafka.protocol.api:Request.build": "(self, request_struct_class)",
    "aiokafka.protocol.api:Request.prepare": "(self, versions)",
    "aiokafka.protocol.api:Response": ATTRIBUTE,
    "aiokafka.protocol.api:RequestStruct": ATTRIBUTE,
    "aiokafka.protocol.admin:ApiVersionRequest": ATTRIBUTE,
    "aiokafka.protocol.types:CompactArray.__init__": "(self, array_of_0, *array_of)",
    "aiokafka.protocol.types:CompactString.__init__": "(self, encoding='utf-8')",
    "aiokafka.protocol.types:TaggedFields": ATTRIBUTE,
    "aiokafka.protocol.types:Schema.__init__": "(self, *fields)",
}
"""Where each piece is, and its signature without annotations."""


def complaint(place: str, wanted: str) -> str | None:
    """Say what is wrong with a piece, None when it is there and as wanted."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    try:
        owner: object = importlib.import_module(module)
        for part in owners:
            owner = getattr(owner, part)
    except (ImportError, AttributeError) as error:
        return f"{place}: {error}"
    found = inspect.getattr_static(owner, name, None)
    if wanted == ATTRIBUTE:
        is_there = found is not None or hasattr(owner, name) or name in _set_by(owner)
        return None if is_there else f"{place}: is gone"
    if not callable(found):
        return f"{place}: is no function any more"
    shape = _shape(inspect.signature(found))
    return None if shape == wanted else f"{place}: was {wanted}, is {shape}"


def _shape(signature: inspect.Signature) -> str:
    parameters = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    text = str(inspect.Signature(parameters))
    return re.sub(r"<\w+\.(\w+): [^>]*>", r"\1", text)


def _set_by(owner: object) -> set[str]:
    """Return the attributes that the methods of a class set on objects."""
    assert isinstance(owner, type)
    functions = [value for base in owner.__mro__ for value in vars(base).values() if inspect.isfunction(value)]
    return {name for function in functions for name in _stored(function.__code__)}


def _stored(code: CodeType) -> Iterator[str]:
    return (step.argval for step in dis.get_instructions(code) if step.opname == "STORE_ATTR")


@pytest.mark.parametrize("place", PRIVATE)
def test_a_private_piece_is_as_the_engine_expects_it(place: str) -> None:
    """It is there, and a function takes what it took."""
    assert complaint(place, PRIVATE[place]) is None


@pytest.mark.parametrize(
    ("place", "wanted", "said"),
    [
        ("aiokafka.nowhere:Sender", ATTRIBUTE, "No module named 'aiokafka.nowhere'"),
        ("aiokafka.producer.sender:Nobody.do", "(self)", "has no attribute 'Nobody'"),
        ("aiokafka.producer.sender:Sender._gone", "(self)", "is no function any more"),
        ("aiokafka.producer.sender:Sender._gone", ATTRIBUTE, "is gone"),
        ("aiokafka.producer.sender:Sender._do_txn_offset_commit", "(self, offsets)", "is (self, offsets, group_id)"),
    ],
)
def test_what_went_or_changed_is_complained_of(place: str, wanted: str, said: str) -> None:
    """The check has eyes: a name that does not exist and another signature are told."""
    assert said in (complaint(place, wanted) or "")


def test_versions_are_pinned_exactly() -> None:
    """Another version is another set of private pieces, so the project asks for these two and the tests run on them."""
    text = PYPROJECT.read_text(encoding="utf-8")
    for name, version in PINNED.items():
        assert re.search(rf'"{name}(\[[\w,]+\])?=={re.escape(version)}"', text), name
        assert importlib.metadata.version(name) == version


def foreign(sources: Iterable[str]) -> set[str]:
    """Return the private attributes that sources use and do not define themselves."""
    used: set[str] = set()
    own: set[str] = {"_make", "_replace", "_exit"}
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                own.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.AnnAssign(target=ast.Name(id=name)):
                own.add(name)
            case ast.Attribute(attr=name) if re.match("_[^_]", name):
                used.add(name)
    return used - own


def test_every_private_attribute_that_the_engine_uses_is_in_the_table() -> None:
    """A new one has to be written down before it can be relied on."""
    named = {place.rpartition(".")[2] for place in PRIVATE}
    assert foreign(file.read_text(encoding="utf-8") for file in (CONSUMER, *ENGINE.glob("*.py"))) <= named
    assert foreign(["def f(x):\n    x._accumulator.flush()"]) == {"_accumulator"}


REPLACED = ("_drain_messages", "_new_consumer_thread", "_create_worker_consumer", "perform_seek", "verify_event_path")
CALLERS = ("faust.transport.consumer", "faust.transport.drivers.aiokafka", "faust.tables.recovery")


def is_called(name: str) -> bool:
    """Tell whether Faust calls a method of this name somewhere near its consumer."""
    sources = (inspect.getsource(importlib.import_module(module)) for module in CALLERS)
    return any(re.search(rf"\.{name}\(", source) for source in sources)


@pytest.mark.parametrize("name", REPLACED)
def test_what_the_engine_replaces_is_still_called(name: str) -> None:
    """A hook that Faust no longer calls would leave Faust's own delivery at work, silently."""
    assert is_called(name)
    assert name in {*vars(ours.Consumer), *vars(ours.ConsumerThread)}
    assert not is_called("_drain_no_messages")


def test_faust_seeks_before_it_lets_records_flow() -> None:
    """Our `perform_seek` is called before the flow is resumed: until then nothing is fetched."""
    recovery = importlib.import_module("faust.tables.recovery").Recovery
    source = inspect.getsource(recovery._resume_streams)
    assert 0 < source.index("perform_seek") < source.index("resume_flow")
