"""The reference pages of the operator, made from its own definitions: metrics and reasons.

`python -m isthmus_operator.reference docs/reference` writes them.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from isthmus_api.problems import Code
from isthmus_operator import metrics
from isthmus_operator.reasons import MEANINGS, MISTAKES, Meaning


def of_metrics() -> Iterator[str]:
    """The lines of operator-metrics.md."""
    yield "<!-- Generated from isthmus_operator.metrics: do not edit. -->"
    yield from ("# Metrics of the operator", "", "Served at `/metrics` on port 9090.", "")
    yield from ("| metric | type | labels | tells |", "|---|---|---|---|")
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            yield _metric(metric)


def of_reasons() -> Iterator[str]:
    """The lines of reasons.md."""
    yield "<!-- Generated from isthmus_operator.reasons: do not edit. -->"
    yield from ("# Reasons of conditions and Events", "")
    yield from (
        "Whenever the status or the reason of an object's `Ready` changes, an Event tells the same",
        "reason and message: `Warning` while `Ready` is `False`, except for `Paused`.",
        "",
    )
    yield from ("| reason | said of | what it means | what to do |", "|---|---|---|---|")
    for word, meaning in (*MEANINGS.items(), *MISTAKES.items()):
        yield _reason(word, meaning)
    others = (f"`{code}`" for code in Code if code not in MISTAKES)
    yield from ("", "## Mistakes", "")
    yield "`Ready=False`, `Stalled=True` and `ConfigValid=False`; the message names the field and"
    yield "what to write instead, as `isthmus lint` does. Pods run the last good version meanwhile."
    yield from ("", *(f"- {other}" for other in others))


PAGES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "operator-metrics.md": of_metrics,
    "reasons.md": of_reasons,
}


def _metric(metric: MetricWrapperBase) -> str:
    found = next(iter(metric.describe()))
    name = f"{found.name}_total" if found.type == "counter" else found.name
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return f"| `{name}` | {found.type} | {labels} | {found.documentation} |"


def _reason(word: str, meaning: Meaning) -> str:
    return f"| `{word}` | {meaning.said_of} | {meaning.means} | {meaning.advice} |"


if __name__ == "__main__":
    for name, page in PAGES.items():
        (Path(sys.argv[1]) / name).write_text("\n".join(page()) + "\n", "utf-8")
