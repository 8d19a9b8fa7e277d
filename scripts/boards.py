"""What the dashboards of the chart show: rows of panels, each with what it asks Prometheus for."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over time."""

    title: str
    query: str
    legend: str
    unit: str = "short"


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard; a variable lets a viewer choose values of a label of a metric."""

    name: str
    title: str
    variables: dict[str, str]
    """The label that is chosen from, and the metric that has it."""
    rows: dict[str, tuple[Panel, ...]]


def _quantile(metric: str, by: str, where: str) -> str:
    rate = f"rate({metric}_bucket{{{where}}}[$__rate_interval])"
    return f"histogram_quantile(0.95, sum by (le, {by}) ({rate}))"


def _rate(metric: str, by: str, where: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{where}}}[$__rate_interval]))"


_OPERATOR: Final = 'namespace=~"$namespace"'
_ROUTE: Final = 'namespace=~"$namespace",route=~"$route"'
_CONNECTOR: Final = 'namespace=~"$namespace"'

OPERATOR: Final = Board(
    "isthmus-operator",
    "Isthmus: operator",
    {"namespace": "isthmus_operator_build_info"},
    {
        "What people see": (
            Panel(
                "Objects that a person has to mend",
                f'max by (kind) (isthmus_operator_resources{{{_OPERATOR},condition="stalled"}})',
                "{{kind}}",
            ),
            Panel(
                "Objects",
                f"max by (kind, condition) (isthmus_operator_resources{{{_OPERATOR}}})",
                "{{kind}} {{condition}}",
            ),
        ),
        "Work": (
            Panel(
                "Reconciles a second",
                _rate("isthmus_operator_reconcile_total", "kind, result", _OPERATOR),
                "{{kind}} {{result}}",
                "ops",
            ),
            Panel(
                "Time of a reconcile, 95 %",
                _quantile("isthmus_operator_reconcile_duration_seconds", "kind", _OPERATOR),
                "{{kind}}",
                "s",
            ),
            Panel(
                "Resources that wait",
                f"max by (namespace) (isthmus_operator_queue_depth{{{_OPERATOR}}})",
                "{{namespace}}",
            ),
            Panel(
                "Errors a second, by whose they are to mend",
                _rate("isthmus_operator_reconcile_errors_total", "kind, class", _OPERATOR),
                "{{kind}} {{class}}",
                "ops",
            ),
        ),
        "API server": (
            Panel(
                "Requests a second",
                _rate("isthmus_operator_api_requests_total", "verb, code", _OPERATOR),
                "{{verb}} {{code}}",
                "reqps",
            ),
            Panel(
                "Time of a request, 95 %",
                _quantile("isthmus_operator_api_request_duration_seconds", "verb", _OPERATOR),
                "{{verb}}",
                "s",
            ),
            Panel(
                "Silence of watches",
                f"max by (kind) (isthmus_operator_watch_silence_seconds{{{_OPERATOR}}})",
                "{{kind}}",
                "s",
            ),
            Panel(
                "Who leads",
                f"sum by (namespace, pod) (isthmus_operator_leader{{{_OPERATOR}}})",
                "{{pod}}",
            ),
        ),
    },
)

ROUTES: Final = Board(
    "isthmus-routes",
    "Isthmus: Routes",
    {
        "namespace": "isthmus_step_duration_seconds_count",
        "route": "isthmus_step_duration_seconds_count",
    },
    {
        "Requests": (
            Panel(
                "Requests a second",
                _rate("isthmus_route_requests_total", "namespace, route, status", _ROUTE),
                "{{route}} {{status}}",
                "reqps",
            ),
            Panel(
                "Time of a request, 95 %",
                _quantile("isthmus_route_request_duration_seconds", "namespace, route", _ROUTE),
                "{{route}}",
                "s",
            ),
            Panel(
                "Requests under way",
                f"sum by (namespace, route) (isthmus_route_in_flight_requests{{{_ROUTE}}})",
                "{{route}}",
            ),
            Panel(
                "Refused callers a second",
                _rate("isthmus_route_refusals_total", "route, reason", _ROUTE),
                "{{route}} {{reason}}",
                "reqps",
            ),
        ),
        "Steps": (
            Panel(
                "Time of a step, 95 %",
                _quantile("isthmus_step_duration_seconds", "route, step", _ROUTE),
                "{{route}} {{step}}",
                "s",
            ),
            Panel(
                "Failed steps a second",
                _rate("isthmus_step_errors_total", "route, step, reason, handled", _ROUTE),
                "{{route}} {{step}} {{reason}} handled={{handled}}",
                "ops",
            ),
        ),
        "Systems": (
            Panel(
                "Calls a second",
                _rate("isthmus_connector_calls_total", "connector, result", _CONNECTOR),
                "{{connector}} {{result}}",
                "reqps",
            ),
            Panel(
                "Time of a call, 95 %",
                _quantile("isthmus_connector_call_duration_seconds", "connector", _CONNECTOR),
                "{{connector}}",
                "s",
            ),
            Panel(
                "Connections",
                f"sum by (connector, state) (isthmus_connector_connections{{{_CONNECTOR}}})",
                "{{connector}} {{state}}",
            ),
            Panel(
                "Circuits that are not closed",
                "max by (connector, state) "
                f'(isthmus_connector_circuit{{{_CONNECTOR},state!="closed"}})',
                "{{connector}} {{state}}",
            ),
        ),
        "Messages": (
            Panel(
                "Accepted a second",
                _rate("isthmus_messages_accepted_total", "route", _ROUTE),
                "{{route}}",
                "ops",
            ),
            Panel(
                "Attempts a second, by what became of them",
                _rate("isthmus_messages_settled_total", "route, state", _ROUTE),
                "{{route}} {{state}}",
                "ops",
            ),
            Panel(
                "Messages that have to be worked on",
                f"max by (namespace, route) (isthmus_messages_backlog{{{_ROUTE}}})",
                "{{route}}",
            ),
            Panel(
                "For how long one that is due waits",
                f"max by (namespace, route) (isthmus_messages_overdue_seconds{{{_ROUTE}}})",
                "{{route}}",
                "s",
            ),
            Panel(
                "From acceptance to delivery, 95 %",
                _quantile("isthmus_messages_delivery_lag_seconds", "namespace, route", _ROUTE),
                "{{route}}",
                "s",
            ),
            Panel(
                "Runs of polls a second",
                _rate("isthmus_poll_runs_total", "route, result", _ROUTE),
                "{{route}} {{result}}",
                "ops",
            ),
        ),
    },
)
BOARDS: Final = (OPERATOR, ROUTES)
