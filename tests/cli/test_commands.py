"""Every command explains itself with an example and ends with the exit code of the contract (CONTRACT 9)."""

import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from streams.cli.main import COMMANDS, main
from streams.contracts.schemas import SCHEMAS
from tests.builders import T0, Tab

SECRET = "a secret that must never be shown"


def every_command(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Give all commands below a group with their path."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)


ALL = dict([((), main), *every_command(main)])
NEEDING_KAFKA = [
    ["worker", "--broker-wait-seconds", "0.1"],
    ["serve", "--serve-port", "0", "--broker-wait-seconds", "0.1"],
    ["verify"],
    ["topics", "apply"],
    ["simulate", "--events", "1"],
]


def run(*args: str, env: dict[str, str] | None = None) -> Result:
    """Run the command as a user would."""
    return CliRunner().invoke(main, args, env=env)


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a secret, empty folders and a Kafka that does not run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = dict.fromkeys(
        ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"), str(tmp_path)
    )
    return {
        **folders,
        "WIDGET_STREAMS_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}",
        "WIDGET_STREAMS_TOKEN_KEY": SECRET,
    }


def examples(text: str) -> list[str]:
    """Return the command lines of a help page."""
    return re.findall(r"^ +(widget-streams .*)$", text[text.index("Example") :], re.MULTILINE)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_has_an_example_that_can_be_copied(path: tuple[str, ...]) -> None:
    """On a line of its own, and every option in it exists."""
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert result.output == run(*path, "-h").output
    lines = [part for line in examples(result.output) for part in line.split(" && ")]
    assert lines
    for line in lines:
        words = shlex.split(line)[1:]
        command: click.Command = main
        # `gateway` does something by itself and has commands below as well.
        while isinstance(command, click.Group) and not words[0].startswith("--"):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        known = {flag for parameter in command.params for flag in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_names_only_options_that_exist(path: tuple[str, ...]) -> None:
    """A page that speaks of an option of another command sends people astray."""
    text = re.sub(r"-\n +", "-", run(*path, "--help").output)
    known = {"--help", "--version", "--config"}
    for other, command in ALL.items():
        if other[: len(path)] == path or path[: len(other)] == other:
            known |= {flag for parameter in command.params for flag in parameter.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+[a-z]", text)) <= known


@pytest.mark.parametrize("path", [path for path in ALL if len(path) == 1], ids=" ".join)
def test_the_list_of_commands_says_what_their_help_says(path: tuple[str, ...]) -> None:
    """It is kept beside the modules, so that `--help` imports none of them."""
    assert COMMANDS[path[0]].module == path[0]
    assert ALL[path].help


@pytest.mark.parametrize("path", [path for path in ALL if path], ids=" ".join)
def test_an_unknown_option_is_wrong_use(path: tuple[str, ...]) -> None:
    """Exit code 2, and it is named."""
    result = run(*path, "--colour", "red")
    assert result.exit_code == 2
    assert "--colour" in result.output


def test_an_unknown_command_is_wrong_use() -> None:
    """Exit code 2, and it is named."""
    result = run("serve-coffee")
    assert result.exit_code == 2
    assert "serve-coffee" in result.output


@pytest.mark.parametrize("command", NEEDING_KAFKA, ids=lambda command: command[0])
def test_a_kafka_that_does_not_answer_is_unreachable(command: list[str], nowhere: dict[str, str]) -> None:
    """Exit code 3, and the address is told."""
    result = run(*command, env=nowhere)
    assert result.exit_code == 3, result.output
    assert nowhere["WIDGET_STREAMS_BOOTSTRAP_SERVERS"] in result.output
    assert "Traceback" not in result.output
    assert SECRET not in result.output


@pytest.mark.parametrize("command", NEEDING_KAFKA, ids=lambda command: command[0])
def test_which_kafka_has_no_default(command: list[str]) -> None:
    """Exit code 2, and both ways to say it are told."""
    result = run(*command, env={"WIDGET_STREAMS_TOKEN_KEY": SECRET})
    assert result.exit_code == 2
    assert "--bootstrap-servers" in result.output
    assert "WIDGET_STREAMS_BOOTSTRAP_SERVERS" in result.output


@pytest.mark.parametrize("command", [*NEEDING_KAFKA, ["topics", "list"]], ids=" ".join)
def test_an_unknown_setting_stops_every_command_that_reads_settings(
    command: list[str], nowhere: dict[str, str]
) -> None:
    """Exit code 2, and it is named."""
    result = run(*command, env={**nowhere, "WIDGET_STREAMS_GRUOP": "x"})
    assert result.exit_code == 2
    assert "WIDGET_STREAMS_GRUOP" in result.output


@pytest.mark.parametrize("command", [*NEEDING_KAFKA, ["topics", "list"]], ids=" ".join)
def test_a_wrong_value_stops_every_command_that_reads_settings(command: list[str], nowhere: dict[str, str]) -> None:
    """Exit code 2; it is named as it was given, also where this command has no flag for it."""
    result = run(*command, env={**nowhere, "WIDGET_STREAMS_HEALTH_PORT": "http"})
    assert result.exit_code == 2
    assert "WIDGET_STREAMS_HEALTH_PORT is wrong" in result.output
    result = run(*command, "--topic-prefix", "a/b", env=nowhere)
    assert result.exit_code == 2
    assert "--topic-prefix is wrong" in result.output


def test_flags_beat_variables_and_variables_the_file(tmp_path: Path) -> None:
    """Seen from outside, in the names of topics."""
    config = tmp_path / "settings.toml"
    config.write_text('topic_prefix = "file."\ngroup = "file"', encoding="utf-8")
    file = ["topics", "list", "--config", str(config)]
    variable = {"WIDGET_STREAMS_TOPIC_PREFIX": "variable."}
    assert "file.events.v1" in run(*file).output
    result = run(*file, env=variable)
    assert "variable.events.v1" in result.output
    assert "file-sessions-changelog" in result.output
    assert "flag.events.v1" in run(*file, "--topic-prefix", "flag.", env=variable).output


def test_a_settings_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    """Exit code 2, and it is named, however it was given."""
    path = str(tmp_path / "none.toml")
    by_flag, by_variable = (
        run("topics", "list", "--config", path),
        run("topics", "list", env={"WIDGET_STREAMS_CONFIG": path}),
    )
    assert (by_flag.exit_code, by_variable.exit_code) == (2, 2)
    assert "none.toml" in by_flag.output
    assert "none.toml" in by_variable.output


@pytest.mark.parametrize(
    "secret", [{}, {"WIDGET_STREAMS_TOKEN_KEY": "short"}, {"WIDGET_STREAMS_TOKEN_KEY_FILE": "/none"}]
)
@pytest.mark.parametrize("command", ["worker", "verify"])
def test_without_a_usable_secret_nothing_starts(command: str, secret: dict[str, str], nowhere: dict[str, str]) -> None:
    """Exit code 2 before anything is connected: nothing may be written without one (CONTRACT 8)."""
    env = {name: value for name, value in nowhere.items() if name != "WIDGET_STREAMS_TOKEN_KEY"}
    result = run(command, env={**env, **secret})
    assert result.exit_code == 2, result.output
    assert "token" in result.output
    assert "short" not in result.output.replace("too short", "")


def test_a_kafka_that_was_never_started_is_unreachable(nowhere: dict[str, str]) -> None:
    """`kafka status` for scripts: exit code 3, and how to start it. Stopping what does not run is no error."""
    result = run("kafka", "status", env=nowhere)
    assert result.exit_code == 3
    assert "widget-streams kafka start" in result.output
    assert run("kafka", "stop", env=nowhere).exit_code == 0


def test_schemas_in_order_end_with_zero_and_others_with_one(tmp_path: Path) -> None:
    """A check that finds something found a problem: exit code 1."""
    assert run("schemas", "check").exit_code == 0
    assert run("schemas", "list").exit_code == 0
    for path in SCHEMAS.rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(SCHEMAS)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    broken = next(iter(sorted(tmp_path.glob("*.avsc"))))
    row = json.loads(broken.read_text(encoding="utf-8"))
    del row["doc"]
    broken.write_text(json.dumps(row), encoding="utf-8")
    result = run("schemas", "check", "--folder", str(tmp_path))
    assert result.exit_code == 1
    assert "doc" in result.output


def test_simulate_does_not_guess_how_much_to_write(tmp_path: Path) -> None:
    """Exit code 2, naming what is missing; a folder that is not there is no traceback."""
    assert run("simulate", "--out", str(tmp_path / "x.jsonl")).exit_code == 2
    assert "--start is for --out" in run("simulate", "--start", "2026-03-02T09:00:00").output
    result = run("simulate", "--out", str(tmp_path / "none" / "x.jsonl"), "--events", "1")
    assert result.exit_code == 2
    assert "cannot be written: No such file" in result.output


def test_the_demo_names_the_extra_that_it_needs() -> None:
    """Exit code 2 where the package was installed without it."""
    without = "import sys; sys.modules['rich'] = None; from streams.cli.main import main; main(['demo'])"
    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "widget-streams[embedded]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_is_told() -> None:
    """For bug reports."""
    result = run("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"\S+ \d+\.\d+\.\d+\n", result.output)


class TestFold:
    """`fold` over files."""

    def fold(self, tmp_path: Path, *options: str, name: str = "in.jsonl", env: dict[str, str] | None = None) -> Result:
        """Fold the file of a route."""
        source = tmp_path / "in.jsonl"
        source.write_text(json.dumps(Tab().route(0)) + "\n\r\n{no\n", encoding="utf-8")
        return run("fold", str(tmp_path / name), "--out", str(tmp_path / "out"), *options, env=env)

    def test_it_writes_a_file_for_every_topic_and_a_summary(self, tmp_path: Path) -> None:
        """Also for topics that nothing was written into."""
        result = self.fold(tmp_path)
        assert result.exit_code == 0, result.output
        assert "public development key" in result.output
        found = json.loads((tmp_path / "out" / "summary.json").read_bytes())
        assert found == {
            "received": 2, "accepted": 1, "duplicate": 0, "ignored": 0, "dead_letter": 1,
            "dead_letters": {"BAD_JSON": 1},
        }  # fmt: skip
        assert (tmp_path / "out" / "widget.call-records.v1.jsonl").read_bytes() == b""
        (line,) = (tmp_path / "out" / "widget.session-events.v1.jsonl").read_text().splitlines()
        row = json.loads(line)
        assert row["value"]["path"] == "/dialer"
        assert row["value"]["event_time"] == T0 + 40
        assert row["headers"]["ce_type"] == "io.widgetstreams.v1.SessionEvent"

    @pytest.mark.parametrize("moment", ["yesterday", "2026-03-02T09:00:00", "2026-13-02T09:00:00Z", "0"])
    def test_an_instant_that_is_none_is_wrong_use(self, tmp_path: Path, moment: str) -> None:
        """It is named, and how to write one."""
        result = self.fold(tmp_path, "--until", moment)
        assert result.exit_code == 2
        assert moment in result.output

    def test_a_file_that_is_not_there_is_wrong_use(self, tmp_path: Path) -> None:
        """It is named, and nothing is written."""
        result = self.fold(tmp_path, name="none.jsonl")
        assert result.exit_code == 2
        assert "none.jsonl" in result.output
        assert not (tmp_path / "out").exists()

    def test_a_folder_that_cannot_be_written_is_wrong_use(self, tmp_path: Path) -> None:
        """A file stands in its place."""
        (tmp_path / "out").write_text("")
        assert self.fold(tmp_path).exit_code == 2
        result = run("fold", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "out" / "deep"))
        assert result.exit_code == 2
        assert "Cannot write" in result.output

    @pytest.mark.parametrize(("line", "told"), [("{no", "Line 1"), ('{"extension_id": "Jo Doe"}', "account_id")])
    def test_a_directory_that_is_none_is_wrong_use(self, tmp_path: Path, line: str, told: str) -> None:
        """Line and field are named, no value."""
        path = tmp_path / "directory.jsonl"
        path.write_text(line, encoding="utf-8")
        result = self.fold(tmp_path, "--directory", str(path))
        assert result.exit_code == 2
        assert told in result.output
        assert "Jo Doe" not in result.output

    def test_its_settings_come_from_a_file_only(self, tmp_path: Path) -> None:
        """The same input gives the same bytes on every machine, whatever is in its environment."""
        path = tmp_path / "settings.toml"
        path.write_text('topic_prefix = "acme."', encoding="utf-8")
        env = {"WIDGET_STREAMS_TOPIC_PREFIX": "else.", "WIDGET_STREAMS_NONSENSE": "1"}
        assert self.fold(tmp_path, "--settings", str(path), env=env).exit_code == 0
        assert (tmp_path / "out" / "acme.audit.v1.jsonl").exists()
        path.write_text('topic_prefx = "acme."', encoding="utf-8")
        result = self.fold(tmp_path, "--settings", str(path))
        assert result.exit_code == 2
        assert "topic_prefx" in result.output


def test_only_the_worker_waits_for_faust_to_be_read() -> None:
    """Reading it takes longer than most commands do; the check sees it when it is there."""
    others = [entry.module for name, entry in COMMANDS.items() if name != "worker"]
    script = f"""
import importlib, sys
for module in {others}:
    importlib.import_module(f"streams.cli.{{module}}")
    assert "faust" not in sys.modules, module
import streams.cli.worker
print("faust" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
