"""The page of figures, written by the run itself."""

from collections.abc import Sequence
from pathlib import Path

from tests.accuracy.difference import Difference
from tests.accuracy.judge import RULES
from tests.accuracy.plot import LINES, plot
from tests.accuracy.run import LEFT_OUT_AT_MOST, RIGHT_AT_LEAST, Outcome

HEAD = """# Accuracy

How true the call records are. `make accuracy` invents call centres in which it is known what happened, lets every
widget post what a real one posts about it, loses, delays, repeats and reorders the posts, folds them, and compares each
record with the truth and with a second, offline reading of the rules that shares no code with the product
(`tests/oracle/`). This page is written by `make accuracy ARGS=--page`.

**What is simulated.** One to five tabs in one or two browsers, old and new widgets, every calling mode, own and shared
web phones; web phone, telephony session, active call, ringout and presence as witnesses; several ends, flags that come
late, pushes that lag behind the browser by seconds, silent telephony after a reload, backlogs of inactive tabs; browser
clocks up to ten minutes off; 0.2 % of the posts lost, 1 % delivered twice, 3 % of the page loads off line for up to
40 minutes; ends that nobody posts.

**What is right.** A disposition that is the true one. A duration (ring, talk, hold, park, mute, total) that differs
from the true one by no more than the record's own `time_uncertainty_ms` plus the network delay: for each instant that
the duration rests on, the most by which a deciding post put it off. A leg is judged by what some witness told; what
nobody told is left out, and counted below by the rule that says what is concluded instead.
"""


def write(outcome: Outcome, folder: Path) -> None:
    """Write `accuracy.md` and its plot."""
    folder.mkdir(parents=True, exist_ok=True)
    errors = outcome.verdict.errors
    (folder / "accuracy.svg").write_text(
        plot(errors, "Ring and talk times of call records against the truth"), encoding="utf-8"
    )
    (folder / "accuracy.md").write_text(text(outcome), encoding="utf-8")


def text(outcome: Outcome) -> str:
    """Return the page."""
    return "\n".join(
        [
            HEAD,
            *_figures(outcome),
            "",
            *_errors(outcome),
            "",
            *_left_out(outcome),
            "",
            *_wrong(outcome),
            "",
            *_reading(outcome),
            "",
            *_stories(outcome),
            "",
        ]
    )


def _figures(outcome: Outcome) -> list[str]:
    verdict, comparison = outcome.verdict, outcome.comparison
    rows = [
        ("Legs that happened", f"{verdict.legs:,}", ""),
        ("Envelopes", f"{outcome.envelopes:,}", ""),
        (
            "Disposition right",
            f"{outcome.outcomes_right:.3%} of {verdict.outcomes_judged:,}",
            f"at least {RIGHT_AT_LEAST:.1%}",
        ),
        (
            "Durations inside the uncertainty",
            f"{outcome.durations_right:.3%} of {verdict.durations_judged:,}",
            f"at least {RIGHT_AT_LEAST:.1%}",
        ),
        (
            "Like the offline reading",
            f"{outcome.agreeing:.3%} of {comparison.legs:,}",
            f"at least {RIGHT_AT_LEAST:.1%}",
        ),
        ("Legs left out of a check", f"{outcome.left_out:.2%}", f"at most {LEFT_OUT_AT_MOST:.0%}"),
        ("Legs without a record", f"{verdict.count('missing')}", "0"),
        (
            "Records of legs that never were, or a second time",
            f"{verdict.count('invented') + verdict.count('doubled')}",
            "0",
        ),
    ]
    head = [
        f"## Figures of the last run (seed {outcome.seed}, {outcome.centres} call centres)",
        "",
        "| | Found | Needed |",
        "|---|---|---|",
    ]
    return head + [f"| {name} | {found} | {needed} |" for name, found, needed in rows]


def _errors(outcome: Outcome) -> list[str]:
    head = [
        "## How far off ring and talk times are, by the best witness of the leg",
        "",
        "![Share of durations by size of error](accuracy.svg)",
        "",
        "| Witness | Durations | Half within | 99 % within |",
        "|---|---|---|---|",
    ]
    rows = []
    for name, label, _, _ in LINES:
        errors = sorted(outcome.verdict.errors.get(name, ()))
        if errors:
            rows.append(
                f"| {label} | {len(errors):,} | {errors[len(errors) // 2]} ms | {errors[len(errors) * 99 // 100]} ms |"
            )
    return head + rows


def _left_out(outcome: Outcome) -> list[str]:
    head = ["## Left out", "", "| Legs | Why |", "|---|---|"]
    return head + [
        f"| {number} | {RULES[reason]} |"
        for reason, number in sorted(outcome.verdict.left_out.items(), key=lambda item: -item[1])
    ]


def _wrong(outcome: Outcome) -> list[str]:
    if not outcome.verdict.wrong:
        return ["## Wrong", "", "Nothing."]
    rows = [
        f"| {wrong.what} | {wrong.leg.story if wrong.leg else ''} | {wrong.detail} |"
        for wrong in outcome.verdict.wrong[:40]
    ]
    return ["## Wrong", "", "| What | Story | Detail |", "|---|---|---|", *rows]


def _reading(outcome: Outcome) -> list[str]:
    comparison = outcome.comparison
    head = [
        "## Against the offline reading",
        "",
        f"{comparison.legs - comparison.differing:,} of {comparison.legs:,} records say the same in every field: "
        "disposition, transfer, who ended it, reason, source of the end, counts, queue, witnesses, quality, durations, "
        "instants.",
    ]
    if not comparison.classes:
        return head
    rows = [_class(outcome, number, name) for name, number in comparison.classes.most_common()]
    head[-1] += " The others, by class; of one of each, the reading → the record."
    return [*head, "", "| Legs | Class | Rule | Whose fault | One of them |", "|---|---|---|---|---|", *rows]


def _class(outcome: Outcome, number: int, name: str) -> str:
    why = outcome.comparison.explained.get(name)
    rule, fault = (why.rule, why.fault) if why else ("not explained", "open")
    return f"| {number} | {name} | {rule} | {fault} | {told(outcome.comparison.examples[name])} |"


def told(differing: Sequence[Difference]) -> str:
    """Return what the reading and the record say of a leg, where they differ."""
    return f"{differing[0].leg}: " + ", ".join(f"{one.field} {one.reading} → {one.record}" for one in differing)


def _stories(outcome: Outcome) -> list[str]:
    rows = [f"| {story} | {number:,} |" for story, number in outcome.stories.most_common()]
    return ["## What happened", "", "| Story | Legs |", "|---|---|", *rows]
