"""The command `widget-streams`: loads the module of one command, so that `--help` stays quick."""

import importlib
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """Where a command lives and what it does, in one line."""

    module: str
    help: str


COMMANDS = {
    "worker": Entry("worker", "Run the Faust worker: both stages, exactly once."),
    "gateway": Entry("gateway", "Run the HTTP intake for browsers, which serves collector.js."),
    "serve": Entry("serve", "Serve live state over HTTP, and the wallboard."),
    "topics": Entry("topics", "List the topics, or create what is missing."),
    "fold": Entry("fold", "Run the whole pipeline over files, without Kafka."),
    "verify": Entry("verify", "Prove stage by stage that nothing is lost, doubled or different."),
    "simulate": Entry("simulate", "Post the events of a population of widgets."),
    "demo": Entry("demo", "Kafka, topics, workers and simulated calls on this machine."),
    "kafka": Entry("kafka", "Start, stop or look at the embedded Apache Kafka."),
    "token": Entry("token", "Make sites, keys and identity tokens for the gateway."),
    "schemas": Entry("schemas", "List the Avro schemas and check their compatibility."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the commands in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of the command and give its click object."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = importlib.import_module(f"streams.cli.{entry.module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


EPILOG = """\b
Examples:
  widget-streams demo
  widget-streams worker --config worker.toml
  widget-streams fold calls.jsonl --out folded

`widget-streams COMMAND --help` explains each. Exit codes: 0 done, 1 found a problem, 2 wrong use, 3 a service is
unreachable.
"""


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=EPILOG,
)
@click.version_option(package_name="widget-streams", message="%(prog)s %(version)s")
def main() -> None:
    """Turn the events of the RingCentral Embeddable widget into call records, presence and metrics on Kafka.

    Settings: flags of a command, then WIDGET_STREAMS_* variables, then a TOML file (--config of a command, or
    WIDGET_STREAMS_CONFIG).
    """


if __name__ == "__main__":
    main()
