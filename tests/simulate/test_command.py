"""`widget-streams simulate` without Kafka: files, and what it refuses."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from streams.cli.main import main


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments], env={"WIDGET_STREAMS_BOOTSTRAP_SERVERS": None})


def test_a_file_can_be_made_again(tmp_path: Path) -> None:
    """The same seed and start give the same bytes; the truth is written beside it."""
    for name in ("a", "b"):
        files = ["--out", str(tmp_path / f"{name}.jsonl"), "--truth", str(tmp_path / f"{name}.legs")]
        result = simulate(*files, "--duration", "1200", "--start", "2026-03-02T09:00:00", "--seed", "3")
        assert result.exit_code == 0, result.output
        assert "envelopes written" in result.output
        assert "planted: lost" in result.output
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    legs = [orjson.loads(line) for line in (tmp_path / "a.legs").read_bytes().splitlines()]
    assert (tmp_path / "a.legs").read_bytes() == (tmp_path / "b.legs").read_bytes()
    assert len(legs) > 100
    assert all(leg["initiated_at"] < leg["ended_at"] <= 1_772_442_000_000 + 1_200_000 for leg in legs)


def test_the_number_of_envelopes_is_exact(tmp_path: Path) -> None:
    """--events stops after so many lines."""
    out = tmp_path / "some.jsonl"
    assert simulate("--out", str(out), "--events", "777").exit_code == 0
    assert len(out.read_bytes().splitlines()) == 777


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Which Kafka?"),
        (("--out", "x.jsonl"), "Give --duration or --events"),
        (("--bootstrap-servers", "h:1", "--start", "2026-03-02T09:00:00"), "--start is for --out"),
        (("--scenario", "holiday"), "holiday"),
        (("--out", "no/such/folder/x", "--events", "1"), "cannot be written"),
    ],
)
def test_wrong_use_is_told(arguments: tuple[str, ...], says: str) -> None:
    """Exit code 2 and a sentence."""
    result = simulate(*arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_no_broker_is_told() -> None:
    """Exit code 3 and which address did not answer."""
    result = simulate("--bootstrap-servers", "127.0.0.1:1", "--duration", "1")
    assert result.exit_code == 3
    assert "No Kafka broker answers at 127.0.0.1:1" in result.output
