"""Loads: what two looks at the metrics of pods tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_cli import loads
from isthmus_cli.loads import Load, Look

METRICS = """\
# HELP isthmus_route_requests_total Requests that a Route answered, by class of status.
# TYPE isthmus_route_requests_total counter
isthmus_route_requests_total{namespace="shop",route="it",status="2xx"} 30.0
isthmus_route_requests_total{namespace="shop",route="it",status="5xx"} 10.0
# TYPE isthmus_route_request_duration_seconds histogram
isthmus_route_request_duration_seconds_bucket{namespace="shop",route="it",le="0.1"} 20.0
isthmus_route_request_duration_seconds_bucket{namespace="shop",route="it",le="+Inf"} 40.0
isthmus_route_request_duration_seconds_count{namespace="shop",route="it"} 40.0
isthmus_route_request_duration_seconds_sum{namespace="shop",route="it"} 4.0
# TYPE isthmus_route_in_flight_requests gauge
isthmus_route_in_flight_requests{namespace="shop",route="it"} 3.0
# TYPE isthmus_messages_settled_total counter
isthmus_messages_settled_total{namespace="shop",route="it",state="dead",reason="A"} 2.0
isthmus_messages_settled_total{namespace="shop",route="it",state="dead",reason="B"} 4.0
isthmus_messages_settled_total{namespace="shop",route="it",state="finished",reason=""} 8.0
# TYPE isthmus_messages_backlog gauge
isthmus_messages_backlog{namespace="shop",route="it"} 70.0
"""


def test_the_metrics_of_a_pod_are_read_and_rates_made_of_two_looks() -> None:
    load = loads.between(Look(at=10), loads.look(METRICS, at=12))

    assert (load.requests, load.errors) == (20, 5)
    assert (load.messages, load.failures) == (7, 3)
    assert (load.in_flight, load.backlog) == (3, 70)
    assert load.request_p99 == 0.1  # the largest bound that is finite
    assert load.attempt_p99 is None


def test_what_does_not_move_has_no_times() -> None:
    look = loads.look(METRICS, at=1)

    load = loads.between(look, Look(2, look.requests, look.request_seconds, look.settled))

    assert (load.requests, load.messages, load.request_p99) == (0, 0, None)


def test_a_process_that_began_anew_counts_from_its_start() -> None:
    before = Look(at=0, requests={"2xx": 100, "5xx": 7})
    after = Look(at=2, requests={"2xx": 10})

    load = loads.between(before, after)

    assert (load.requests, load.errors) == (5, 0)


def test_pods_are_summed_but_for_what_each_knows_of_all() -> None:
    one = Load(requests=1, in_flight=1, backlog=5, request_seconds={"0.1": 99, "+Inf": 99})
    two = Load(requests=2, in_flight=2, backlog=6, request_seconds={"0.1": 0, "+Inf": 99})

    both = loads.together([one, two, Load()])

    assert (both.requests, both.in_flight, both.backlog) == (3, 3, 6)
    assert both.request_seconds == {"0.1": 99, "+Inf": 198}
    assert loads.together([]) == Load()


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({}, None),
        ({"0.1": 0.0, "+Inf": 0.0}, None),
        ({"0.1": 99.0, "0.5": 100.0, "+Inf": 100.0}, 0.1),
        ({"0.1": 98.0, "0.5": 100.0, "+Inf": 100.0}, 0.5),
        ({"0.1": 0.0, "+Inf": 1.0}, 0.1),
        ({"+Inf": 1.0}, None),
    ],
)
def test_a_quantile_is_the_bound_of_its_bucket(
    buckets: dict[str, float], expected: float | None
) -> None:
    assert loads.quantile(buckets, 0.99) == expected


@given(
    st.lists(st.floats(0.001, 99, allow_nan=False), min_size=1, max_size=200),
    st.floats(0.1, 60),
)
def test_a_quantile_is_never_below_what_was_measured(times: list[float], seconds: float) -> None:
    bounds = [0.01, 0.1, 1.0, 10.0, 100.0]
    counts = {str(bound): float(sum(t <= bound for t in times)) for bound in bounds}
    buckets = counts | {"+Inf": float(len(times))}
    load = loads.between(Look(0), Look(seconds, request_seconds=buckets))

    measured = sorted(times)[max(0, -(-len(times) * 99 // 100) - 1)]

    assert load.request_p99 == next(bound for bound in bounds if measured <= bound)
