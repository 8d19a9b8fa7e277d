"""The reference page of the operator's metrics, made from their definitions.

`python -m isthmus_operator.reference docs/reference` writes it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from isthmus_operator import metrics

FILE: Final = "operator-metrics.md"


def to_markdown() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "<!-- Generated from isthmus_operator.metrics: do not edit. -->"
    yield from ("# Metrics of the operator", "", "Served at `/metrics` on port 9090.", "")
    yield from ("| metric | type | labels | tells |", "|---|---|---|---|")
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            yield _row(metric)


def _row(metric: MetricWrapperBase) -> str:
    found = next(iter(metric.describe()))
    name = f"{found.name}_total" if found.type == "counter" else found.name
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return f"| `{name}` | {found.type} | {labels} | {found.documentation} |"


if __name__ == "__main__":
    (Path(sys.argv[1]) / FILE).write_text(to_markdown(), "utf-8")
