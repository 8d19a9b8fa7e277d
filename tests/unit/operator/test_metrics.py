"""Metrics: what the helpers record, and the page that tells of them."""

import ast
import inspect
from pathlib import Path

from isthmus_operator import metrics, reference

ROOT = Path(__file__).parents[3]


def _value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"isthmus_operator_{name}", labels) or 0.0


def test_a_reconcile_is_counted_and_timed() -> None:
    counted = {"kind": "Route", "result": "done"}
    failed = {"kind": "Route", "class": "user"}
    before = _value("reconcile_total", **counted), _value("reconcile_errors_total", **failed)

    metrics.reconciled("Route", "done", 0.25)
    metrics.failed("Route", "user")

    assert _value("reconcile_total", **counted) == before[0] + 1
    assert _value("reconcile_duration_seconds_sum", kind="Route") >= 0.25
    assert _value("reconcile_errors_total", **failed) == before[1] + 1


def test_a_request_is_counted_by_its_code() -> None:
    asked = {"verb": "patch", "kind": "Service"}
    before = [_value("api_requests_total", **asked, code=code) for code in ("409", "0")]
    timed = _value("api_request_duration_seconds_count", **asked)

    metrics.requested("patch", "Service", 409, 0.1)
    metrics.requested("patch", "Service", 0, 0.1)

    after = [_value("api_requests_total", **asked, code=code) for code in ("409", "0")]
    assert after == [count + 1 for count in before]
    assert _value("api_request_duration_seconds_count", **asked) == timed + 2


def test_gauges_ask_when_they_are_scraped() -> None:
    keys = [1, 2]
    metrics.queue(lambda: len(keys))
    assert _value("queue_depth") == 2
    keys.append(3)

    assert _value("queue_depth") == 3


def test_a_state_that_nothing_is_in_any_more_goes_to_0() -> None:
    metrics.resources("Mapping", {"all": 3, "stalled": 1})
    metrics.resources("Mapping", {"all": 3, "ready": 3})

    assert _value("resources", kind="Mapping", condition="stalled") == 0
    assert _value("resources", kind="Mapping", condition="ready") == 3


def test_no_metric_is_labelled_by_an_object() -> None:
    labels = {
        label
        for metric in metrics.REGISTRY.collect()
        for sample in metric.samples
        for label in sample.labels
    }

    assert not labels & {"name", "namespace", "uid", "route", "reason", "message"}


def test_each_metric_has_a_row_on_the_committed_page() -> None:
    page = (ROOT / "docs/reference/operator-metrics.md").read_text()
    tree = ast.parse(inspect.getsource(metrics))
    named = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("isthmus_operator_")
    }

    assert page.splitlines() == list(reference.of_metrics())
    assert page.count("\n| `isthmus_operator_") == len(named)
