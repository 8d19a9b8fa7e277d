"""Prometheus's own judgement of alerts and dashboards, and what the chart makes of the alerts."""

import json
import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm import CHART, ROOT, Helm

RULES = CHART / "files/alerts.yaml"
CASES = Path(__file__).with_name("alerts.yaml")
WRITTEN = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


@cache
def _promtool() -> Path:
    build = ROOT / "tests/cluster/build"
    built = subprocess.run([build, "promtool"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(built.stdout.splitlines()[-1]) / "promtool"


def _run(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_promtool(), *args], capture_output=True, text=True)


def _tested(folder: Path, rules: str) -> subprocess.CompletedProcess[str]:
    """The cases on rules of their own."""
    (folder / "rules.yaml").write_text(rules)
    (folder / "cases.yaml").write_text(CASES.read_text().replace("[RULES]", "[rules.yaml]"))
    return _run("test", "rules", folder / "cases.yaml")


def _rule(offline: Helm, *settings: str) -> Sequence[dict[str, Any]]:
    given = ("--set=runtime.image.tag=dev", "--set=metrics.rules.enabled=true", *settings)
    template = "--show-only=templates/metrics.yaml"
    found = yaml.safe_load_all(offline("template", "isthmus", CHART, template, *given))
    [made] = [each for each in found if each["kind"] == "PrometheusRule"]
    assert made["spec"].keys() == {"groups"}
    return [rule for group in made["spec"]["groups"] for rule in group["rules"]]


def test_prometheus_takes_the_rules() -> None:
    checked = _run("check", "rules", "--lint=all", "--lint-fatal", RULES)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    tested = _tested(tmp_path, RULES.read_text())

    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("name", [rule["alert"] for rule in WRITTEN])
def test_the_cases_find_an_alert_that_never_fires(tmp_path: Path, name: str) -> None:
    mute = [each | {"expr": "vector(1) < 0"} if each["alert"] == name else each for each in WRITTEN]

    tested = _tested(tmp_path, yaml.safe_dump({"groups": [{"name": "all", "rules": mute}]}))

    assert tested.returncode == 1
    assert f"{name} fires" in tested.stdout + tested.stderr


def test_the_chart_hands_the_rules_on_as_they_are(offline: Helm) -> None:
    made = _rule(offline)

    for each in made:
        page = each["annotations"].pop("runbook")
        assert (ROOT / page).is_file()
        assert Path(page).stem == each["alert"]
    assert made == WRITTEN


def test_runbooks_have_an_address_where_one_is_given(offline: Helm) -> None:
    made = _rule(offline, "--set=metrics.rules.runbooks=https://wiki.example.com/isthmus")

    for each in made:
        url = f"https://wiki.example.com/isthmus/{each['alert']}.md"
        assert each["annotations"]["runbook_url"] == url
        assert "runbook" not in each["annotations"]


def test_prometheus_understands_what_panels_ask_for(tmp_path: Path) -> None:
    """As rules, since it reads those; Grafana's variables stand for what a viewer chooses."""
    queries = [
        re.sub(r"\$(namespace|route)", ".*", target["expr"]).replace("$__rate_interval", "5m")
        for file in (CHART / "files/dashboards").glob("*.json")
        for panel in json.loads(file.read_text())["panels"]
        for target in panel.get("targets", ())
    ]
    rules = [{"record": f"panel:{number}", "expr": each} for number, each in enumerate(queries)]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    checked = _run("check", "rules", file)

    assert f"{len(queries)} rules found" in checked.stdout
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_chart_hands_dashboards_on_as_they_are(offline: Helm) -> None:
    given = ("--set=runtime.image.tag=dev", "--set=metrics.dashboards.enabled=true")

    template = "--show-only=templates/dashboards.yaml"
    made = yaml.safe_load(offline("template", "isthmus", CHART, template, *given))

    assert made["metadata"]["labels"].items() > {"grafana_dashboard": "1"}.items()
    assert {name: json.loads(text) for name, text in made["data"].items()} == {
        file.name: json.loads(file.read_text())
        for file in (CHART / "files/dashboards").glob("*.json")
    }
