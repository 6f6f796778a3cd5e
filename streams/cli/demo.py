"""`widget-streams demo`: everything on this machine with one command (CONTRACT 9)."""

import click

from streams.cli.errors import Problem, WrongUse


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  widget-streams demo --extensions 100 --rate 50",
)
@click.option(
    "--extensions", type=click.IntRange(2, 2_000), default=40, show_default=True, help="People with a widget."
)
@click.option(
    "--rate", type=click.FloatRange(1, 2_000), default=20, show_default=True, help="Envelopes per second, about."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another day at the office.")
@click.option("--duration", type=click.FloatRange(min=1), help="End by itself after so many seconds.")
def command(extensions: int, rate: float, seed: int, duration: float | None) -> None:
    """Start Kafka, topics, two workers, a gateway and a simulated call centre, and show calls and presence live.

    What is shown is read back from the topics. Needs no Docker, no Java and no root: what is missing is fetched to your
    cache folder. Ctrl-C stops all of it and leaves nothing behind. All people and numbers are invented.
    """
    try:
        from streams.demo.children import ChildEndedError
        from streams.demo.run import Options, run, summary
        from streams.local.errors import LocalError
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise WrongUse(
            "The demo needs the package's extra `embedded`: pip install 'widget-streams[embedded]'."
        ) from error

    try:
        board = run(Options(extensions, rate, seed, duration), click.echo)
    except (ChildEndedError, LocalError) as error:
        raise Problem(str(error)) from error
    click.echo(f"The demo has ended: {summary(board)}.")
