"""What reaches the log of a worker: one line an event, and no number or extension key of a person (CONTRACT 8)."""

import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.telemetry import logs
from streams.telemetry.logs import MASK, MaskFormatter, event

NUMBER, KEY = "+14155550142", "+16505550100*101"


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Set the logs up as a worker does, onto a text; put everything back afterwards."""
    root, text = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in logs.QUIET}
    root.handlers = []
    monkeypatch.setattr("sys.stderr", text)
    logs.setup("info")
    yield text
    root.handlers, root.level = before[0], before[1]
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)


def formatted(text: str, *values: object, error: BaseException | None = None) -> str:
    """Return a line as it is written."""
    told = None if error is None else (type(error), error, error.__traceback__)
    return MaskFormatter("%(message)s").format(logging.LogRecord("n", logging.INFO, "", 0, text, values, told))


@pytest.mark.parametrize("written", [NUMBER, KEY, KEY[1:]])
def test_numbers_and_keys_are_masked(written: str) -> None:
    """In the text and among its values."""
    assert formatted(f"call from {written} ended") == f"call from {MASK} ended"
    assert formatted("call from %s ended", written) == f"call from {MASK} ended"


def test_offsets_and_instants_are_not_masked() -> None:
    """Long digits alone are no person's."""
    text = event("batch.committed", offset=123456789, at=1_772_442_000_000)
    assert formatted(text) == "batch.committed offset=123456789 at=1772442000000"


def test_a_traceback_is_masked_line_by_line() -> None:
    """An exception may quote a key; the rest of it stays readable."""
    try:
        raise KeyError(KEY)
    except KeyError as caught:
        text = formatted("engine.failed offset=123456789", error=caught)
    assert KEY[1:] not in text
    assert f"KeyError: '{MASK}'" in text
    assert "offset=123456789" in text


@given(
    st.text(max_size=30), st.from_regex(r"\+[1-9][0-9]{7,14}(\*[1-9][0-9]{2})?", fullmatch=True), st.text(max_size=30)
)
def test_no_number_with_a_plus_survives(before: str, number: str, after: str) -> None:
    """Wherever it stands."""
    assert number.partition("*")[0] not in formatted("%s", before + number + after)


def test_a_worker_logs_one_masked_line_an_event(stderr: io.StringIO) -> None:
    """Time, level, logger, name of the event, values."""
    logging.getLogger("streams.engine").warning(event("leg.closed", key=KEY, reason="TIMEOUT"))
    (line,) = stderr.getvalue().splitlines()
    assert line.endswith(f" WARNING streams.engine leg.closed key={MASK} reason=TIMEOUT")


@pytest.mark.parametrize("name", ["aiokafka", "faust.app", "streams.engine"])
@pytest.mark.usefixtures("stderr")
def test_a_line_with_wrong_values_does_not_stop_who_wrote_it(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A library's mistake is told, and the library goes on."""
    (handler,) = (one for one in logging.getLogger().handlers if isinstance(one.formatter, MaskFormatter))
    handler.handle(logging.LogRecord(name, logging.ERROR, "", 0, "%d of %d", ("one",), None))
    assert "Logging error" in capsys.readouterr().err


def test_libraries_that_say_too_much_are_heard_from_their_own_level_on(stderr: io.StringIO) -> None:
    """Ours from the level that was asked for."""
    logging.getLogger("faust.app").info("assigned")
    logging.getLogger("aiokafka.producer.sender").warning("retrying")
    logging.getLogger("streams.worker").debug("detail")
    assert stderr.getvalue() == ""
    logging.getLogger("faust.app").warning("lost")
    logging.getLogger("streams.worker").info("ready")
    assert len(stderr.getvalue().splitlines()) == 2


def test_an_event_is_its_name_and_its_values() -> None:
    """In the order in which they were given."""
    assert event("worker.ready") == "worker.ready"
    assert event("worker.ready", partitions=12, stage="sessions") == "worker.ready partitions=12 stage=sessions"
