"""What a deployment says to our command line, asked of the real one."""

from collections.abc import Mapping, Sequence

import click
import pytest

from streams.cli.main import COMMANDS, main
from streams.settings import PREFIX, Settings, load


def explain(arguments: Sequence[str]) -> None:
    """Parse a command's arguments as the command itself would, without running it.

    Skips where this build lacks the command.

    Raises:
        click.UsageError: There is no such command or flag, or a flag refuses its value.
    """
    group: click.Group = main
    rest = list(arguments)
    if rest[0] not in COMMANDS:
        pytest.skip(f"this build has no command {rest[0]}")
    # NB: with its settings: click remembers the help option of a command that it has seen once.
    with click.Context(main, info_name="widget-streams", **main.context_settings) as context:
        while True:
            name, command, rest = group.resolve_command(context, rest)
            assert command is not None
            if not (isinstance(command, click.Group) and rest):
                break
            group = command
        command.make_context(name, rest, parent=context)


def settings_of(variables: Mapping[str, str]) -> Settings:
    """Return the settings of these variables.

    Skips where they belong to a service that this build lacks.

    Raises:
        streams.settings.SettingsError: One is no setting, or has a wrong value.
    """
    for name in variables:
        service = name.removeprefix(PREFIX).partition("_")[0].lower()
        if service in ("gateway", "serve") and service not in COMMANDS:
            pytest.skip(f"this build has no command {service}")
    return load({}, environ={name: value for name, value in variables.items() if name.startswith(PREFIX)})
