"""`python -m tests.accuracy`: fold simulated call centres, compare with what happened; exit 1 if a bound breaks."""

import shlex
import sys
from pathlib import Path

import click

from tests.accuracy.folding import OWN_COMMAND, fold
from tests.accuracy.page import told, write
from tests.accuracy.run import Outcome, run

DOCS = Path(__file__).resolve().parents[2] / "docs"


@click.command()
@click.option("--legs", default=100_000, show_default=True, help="How many legs happen.")
@click.option("--seed", default=1, show_default=True, help="Another seed, other call centres.")
@click.option("--chunk", default=2_500, show_default=True, help="Legs in one call centre.")
@click.option(
    "--command", default=shlex.join(OWN_COMMAND), help="How the product is started, to judge another installation."
)
@click.option("--page", is_flag=True, help="Write docs/accuracy.md and its plot.")
@click.option("--show", default=5, show_default=True, help="How many wrong legs and differences to print.")
def main(legs: int, seed: int, chunk: int, command: str, page: bool, show: int) -> None:
    """Fold simulated call centres and compare the records with the truth and with the offline reading of the rules."""
    outcome = Outcome(seed)
    for outcome in run(legs, seed, lambda envelopes, until: fold(envelopes, until, shlex.split(command)), chunk=chunk):
        click.echo(line(outcome), err=True)
    for wrong in outcome.verdict.wrong[:show]:
        name = (
            f"{wrong.leg.extension} {wrong.leg.call_id} {wrong.leg.story}"
            if wrong.leg
            else str((wrong.record or {}).get("call_id"))
        )
        click.echo(f"{wrong.what}: {name}: {wrong.detail}")
    for kind, number in outcome.comparison.classes.most_common(show):
        click.echo(f"{number} legs differ from the reading: {kind}, as {told(outcome.comparison.examples[kind])}")
    if page:
        write(outcome, DOCS)
    broken = outcome.broken()
    for complaint in broken:
        click.echo(complaint)
    click.echo("All bounds hold." if not broken else f"{len(broken)} bounds are broken.")
    sys.exit(1 if broken else 0)


def line(outcome: Outcome) -> str:
    """Return how far the run is."""
    verdict = outcome.verdict
    return (
        f"{verdict.legs:,} legs, {outcome.envelopes:,} envelopes: "
        f"disposition {outcome.outcomes_right:.3%}, durations {outcome.durations_right:.3%}, "
        f"left out {outcome.left_out:.2%}, "
        f"missing {verdict.count('missing')}, invented {verdict.count('invented') + verdict.count('doubled')}, "
        f"unlike the reading {outcome.comparison.differing}; fold {outcome.fold_seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
