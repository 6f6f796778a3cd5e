"""Settings as options of a command: flags first, then the environment, then the file of --config."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from streams.cli.errors import WrongUse
from streams.settings import Settings, SettingsError, load

Command = Callable[..., Any]


def with_settings(*names: str) -> Callable[[Command], Command]:
    """Give a command the options of these settings and, as its first argument, the settings of all sources."""

    def decorate(function: Command) -> Command:
        @wraps(function)
        def run(*args: Any, config: Path | None, **options: Any) -> Any:
            flags = {name: options.pop(name) for name in names}
            try:
                settings = load(flags, config=config)
            except SettingsError as error:
                raise WrongUse(str(error)) from error
            return function(settings, *args, **options)

        decorated: Command = run
        for name in reversed(names):
            field = Settings.model_fields[name]
            default = "" if field.default is None else f"  [default: {field.default}]"
            flag = f"--{name.replace('_', '-')}"
            decorated = click.option(flag, name, metavar="VALUE", help=f"{field.description}{default}")(decorated)
        help_text = "TOML file with settings; flags and variables win over it."
        path = click.Path(exists=True, dir_okay=False, path_type=Path)
        return click.option("--config", type=path, help=help_text)(decorated)

    return decorate


def required_brokers(settings: Settings) -> str:
    """Return the brokers.

    Raises:
        WrongUse: None are set.
    """
    if not settings.bootstrap_servers:
        raise WrongUse(
            "Which Kafka? Give --bootstrap-servers host:port or set WIDGET_STREAMS_BOOTSTRAP_SERVERS."
            " (`widget-streams kafka start` runs one on this machine.)"
        )
    return settings.bootstrap_servers
