"""Instruments: counters, gauges and histograms for code that one event loop runs.

prometheus_client's own take a lock and check their labels at every step, several times a request.
These are its custom collectors: a number that is added to, read when somebody scrapes.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of histogram buckets, in seconds; one more bucket has no bound."""

LONG_BOUNDS: Final = (0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
"""The same for what may take days."""


class Number:
    """A value that goes up, or up and down."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, by: float = 1) -> None:
        """Add."""
        self.value += by

    def dec(self) -> None:
        """Take one away."""
        self.value -= 1

    def set(self, value: float) -> None:
        """Replace."""
        self.value = value


class Distribution:
    """How many values fell into each bucket, and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...] = BOUNDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Add a value, in seconds."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


Child = TypeVar("Child", Number, Distribution)


class Family(Generic[Child]):
    """One metric: a child for each set of label values, made when first named."""

    def __init__(
        self,
        name: str,
        help_text: str,
        labels: tuple[str, ...],
        *,
        make: Callable[[], Child],
        write: "Callable[[Family[Child]], Metric]",
        registry: CollectorRegistry,
    ) -> None:
        self.name = name
        self.help_text = help_text
        self.label_names = labels
        self.children: dict[tuple[str, ...], Child] = {}
        self._make: Callable[[], Child] = make
        self._write: Callable[[Family[Child]], Metric] = write
        registry.register(self)

    def labels(self, *values: str) -> Child:
        """The child of these label values."""
        child = self.children.get(values)
        if child is None:
            if len(values) != len(self.label_names):
                raise ValueError(f"{self.name} has the labels {', '.join(self.label_names)}")
            child = self.children[values] = self._make()
        return child

    def clear(self) -> None:
        """Forget all children."""
        self.children.clear()

    def collect(self) -> Iterator[Metric]:
        """The metric as it is now, for a scrape."""
        yield self._write(self)


def counter(
    name: str, help_text: str, labels: tuple[str, ...], *, registry: CollectorRegistry
) -> Family[Number]:
    """A counter; `_total` is added to its name."""
    return _numbers(CounterMetricFamily, name, help_text, labels, registry)


def gauge(
    name: str, help_text: str, labels: tuple[str, ...], *, registry: CollectorRegistry
) -> Family[Number]:
    """A gauge."""
    return _numbers(GaugeMetricFamily, name, help_text, labels, registry)


def _numbers(
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
    name: str,
    help_text: str,
    labels: tuple[str, ...],
    registry: CollectorRegistry,
) -> Family[Number]:
    def write(family: Family[Number]) -> Metric:
        metric = kind(name, help_text, labels=labels)
        for values, child in family.children.items():
            metric.add_metric(values, child.value)
        return metric

    return Family(name, help_text, labels, make=Number, write=write, registry=registry)


def histogram(
    name: str,
    help_text: str,
    labels: tuple[str, ...],
    *,
    registry: CollectorRegistry,
    bounds: tuple[float, ...] = BOUNDS,
) -> Family[Distribution]:
    """A histogram of seconds."""

    def write(family: Family[Distribution]) -> Metric:
        metric = HistogramMetricFamily(name, help_text, labels=labels)
        named = [*map(str, bounds), "+Inf"]
        for values, child in family.children.items():
            totals = accumulate(child.counts)
            metric.add_metric(values, list(zip(named, totals, strict=True)), child.sum)
        return metric

    def make() -> Distribution:
        return Distribution(bounds)

    return Family(name, help_text, labels, make=make, write=write, registry=registry)
