"""Which metrics there are, with which labels, and what an expression asks for."""

import re
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from isthmus_operator import metrics as operator_metrics
from isthmus_runtime import metrics as runtime_metrics
from isthmus_runtime.instruments import Family

OF_THE_SCRAPE: Final = {"namespace", "pod"}
"""Labels that Prometheus itself gives to what it scrapes in a pod."""
_SUFFIXES: Final = ("", "_total", "_bucket", "_count", "_sum")


def _known() -> dict[str, set[str]]:
    """The labels of each metric, by the names of its series."""
    of_the_operator = {
        f"{next(iter(each.describe())).name}{suffix}": {*each._labelnames}
        for each in vars(operator_metrics).values()
        if isinstance(each, MetricWrapperBase)
        for suffix in _SUFFIXES
    }
    of_routes = {
        f"{each.name}{suffix}": {*each.label_names}
        for each in vars(runtime_metrics).values()
        if isinstance(each, Family)
        for suffix in _SUFFIXES
    }
    return of_the_operator | of_routes


KNOWN: Final = _known()


def named(expression: str) -> set[str]:
    """The metrics that an expression asks for."""
    return set(re.findall(r"\bisthmus_\w+", expression))


def grouped(expression: str) -> set[str]:
    """The labels that it keeps."""
    lists = re.findall(r"by \(([^)]*)\)", expression)
    return {name.strip() for each in lists for name in each.split(",")} - {"le"}


def unknown(expression: str) -> set[str]:
    """What it asks for and nothing has: metrics, and labels as METRIC.LABEL."""
    used = grouped(expression) | set(re.findall(r"\b(\w+)\s*!?=~?\s*\"", expression))
    return {
        metric if metric not in KNOWN else f"{metric}.{label}"
        for metric in named(expression)
        for label in used
        if label not in KNOWN.get(metric, set()) | OF_THE_SCRAPE
    } | {metric for metric in named(expression) if metric not in KNOWN}
