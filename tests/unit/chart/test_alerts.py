"""The alerts of the chart: each has a runbook, and speaks of metrics and labels that there are."""

import re
from pathlib import Path
from typing import Any

import metric_labels
import pytest
import yaml

ROOT = Path(__file__).parents[3]
RUNBOOKS = ROOT / "docs/runbooks"
GUIDE = (ROOT / "docs/how-to/observe.md").read_text()
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((ROOT / "charts/isthmus/files/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
}
TESTS = yaml.safe_load((ROOT / "tests/contract/chart/alerts.yaml").read_text())["tests"]
ALERT = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def test_each_alert_has_one_runbook_and_each_runbook_an_alert() -> None:
    assert {file.stem for file in RUNBOOKS.glob("*.md")} == RULES.keys()


@ALERT
def test_the_runbook_tells_what_it_means_where_to_look_and_what_to_do(rule: dict[str, Any]) -> None:
    text = (RUNBOOKS / f"{rule['alert']}.md").read_text()

    head, look, do = re.split(r"^## (?:Look|Do)$", text, flags=re.MULTILINE)
    assert head.startswith(f"# {rule['alert']}\n\n")
    assert "```" in look
    assert do.strip().startswith("- ")


@ALERT
def test_the_guide_lists_it_with_its_severity_and_its_runbook(rule: dict[str, Any]) -> None:
    name, severity = rule["alert"], rule["labels"]["severity"]

    assert f"| [{name}](../runbooks/{name}.md) | {severity} | " in GUIDE


@ALERT
def test_an_alert_says_how_bad_it_is_and_what_is_so(rule: dict[str, Any]) -> None:
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"].keys() == {"summary", "description"}


@ALERT
def test_an_alert_asks_for_metrics_with_labels_that_there_are(rule: dict[str, Any]) -> None:
    told = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))

    assert metric_labels.named(rule["expr"])
    assert metric_labels.unknown(rule["expr"]) == set()
    assert told <= metric_labels.grouped(rule["expr"])


@ALERT
def test_an_alert_has_series_on_which_it_fires_and_others_on_which_it_does_not(
    rule: dict[str, Any],
) -> None:
    asked = [
        bool(case["exp_alerts"])
        for each in TESTS
        for case in each["alert_rule_test"]
        if case["alertname"] == rule["alert"]
    ]

    assert {*asked} == {True, False}
