"""The alerts: they fire and stay silent as told, and ask only for metrics that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.cli.main import COMMANDS
from tests.deploy.catalogue import catalogue, needs, problems
from tests.deploy.operators import ROOT, debian_tool, run

FOLDER = ROOT / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
TEST_FILES = ("rules_test.yml", "rules_week_test.yml")
TESTS = [case for name in TEST_FILES for case in yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["tests"]]
NAMES = [rule["alert"] for rule in RULES]


@pytest.fixture(scope="module")
def promtool() -> Path:
    return debian_tool("promtool")


def test_promtool_has_nothing_to_say(promtool: Path) -> None:
    """The rules are rules."""
    told = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", FOLDER / "rules.yml")
    assert told.returncode == 0, told.stdout + told.stderr


def test_every_alert_fires_and_stays_silent(promtool: Path) -> None:
    """As told in the files of tests."""
    told = run(promtool, "test", "rules", *(FOLDER / name for name in TEST_FILES))
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_told_both_ways(name: str) -> None:
    """One case in which it fires, one in which it comes near and does not."""
    told = [bool(one["exp_alerts"]) for case in TESTS for one in case["alert_rule_test"] if one["alertname"] == name]
    assert True in told
    assert False in told


def test_alerts_that_never_fire_are_found(promtool: Path, tmp_path: Path) -> None:
    """The cases can fail: with every alert silenced, each that should fire is missed by name."""
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))
    for rule in rules["groups"][0]["rules"]:
        rule["expr"] = f"({rule['expr']}) and vector(0) > 1"
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    for name in TEST_FILES:
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    told = run(promtool, "test", "rules", *(tmp_path / name for name in TEST_FILES))
    assert told.returncode != 0
    assert {name for name in NAMES if f"alertname: {name}," in told.stdout + told.stderr} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_asks_for_what_exists(name: str) -> None:
    """Metrics and their labels are those of the code."""
    (expression,) = [rule["expr"] for rule in RULES if rule["alert"] == name]
    service = needs(expression)
    if service and service not in COMMANDS:
        pytest.skip(f"this build has no {service}")
    assert problems(expression, catalogue()) == []


def test_a_metric_or_a_label_that_does_not_exist_is_found() -> None:
    """The comparison can fail, in every corner of an expression."""
    expression = (
        'sum by (colour) (rate(widgetstreams_events_lost_total{taste="sweet"}[5m])) / on (shape) '
        "(max(widgetstreams_nonsense) or absent(widgetstreams_events_lost))"
    )
    assert problems(expression, catalogue()) == [
        "widgetstreams_events_lost_total has no label taste",
        "there is no metric widgetstreams_nonsense",
        "there is no metric widgetstreams_events_lost",
        "nothing has the label colour",
        "nothing has the label shape",
    ]


def test_the_outcomes_of_the_gateway_are_its_own() -> None:
    """The words that the refusals are told from are words of the code."""
    if "gateway" not in COMMANDS:
        pytest.skip("this build has no gateway")
    from tests.deploy.catalogue import selectors

    answers: Any = __import__("streams.gateway.answers", fromlist=["OUTCOMES"])
    words = {
        word
        for rule in RULES
        for selector in selectors(rule["expr"])
        for matcher in selector.matchers.matchers
        if matcher.name == "outcome"
        for word in matcher.value.split("|")
    }
    assert words
    assert words <= set(answers.OUTCOMES)


def test_the_documentation_names_every_alert_with_its_severity() -> None:
    """And no other."""
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| (WidgetStreams\w+) \| (\w+) \|", text, re.MULTILINE)
    assert named == [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]


def test_every_alert_tells_what_to_do() -> None:
    """One sentence for the pager, more for whoever gets up; a severity that a route can go by."""
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")
        assert len(rule["annotations"]["summary"]) < 120
