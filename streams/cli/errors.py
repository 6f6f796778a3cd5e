"""How a command ends when it cannot do its work: exit code and one clear sentence (CONTRACT 9)."""

import click


class Problem(click.ClickException):
    """The command found a problem in what it looked at: exit code 1."""

    exit_code = 1


class WrongUse(click.ClickException):
    """The command was called or configured wrongly: exit code 2."""

    exit_code = 2


class Unreachable(click.ClickException):
    """A service that the command needs does not answer: exit code 3."""

    exit_code = 3
