"""Every metric of the runtime, by name. Labels are bounded: objects, steps, statuses, reasons.

Times are in seconds, sizes in bytes (https://prometheus.io/docs/practices/naming/).
"""

from prometheus_client import CollectorRegistry

from isthmus_runtime.instruments import counter, gauge, histogram

REGISTRY = CollectorRegistry()

ROUTE_REQUESTS = counter(
    "isthmus_route_requests",
    "Requests that a Route answered, by class of status.",
    ("namespace", "route", "status"),
    registry=REGISTRY,
)
ROUTE_SECONDS = histogram(
    "isthmus_route_request_duration_seconds",
    "From the whole request to the answer.",
    ("namespace", "route"),
    registry=REGISTRY,
)
ROUTE_IN_FLIGHT = gauge(
    "isthmus_route_in_flight_requests",
    "Requests under way.",
    ("namespace", "route"),
    registry=REGISTRY,
)
UNROUTED_REQUESTS = counter(
    "isthmus_unrouted_requests",
    "Requests refused before any Route saw them, by status.",
    ("status",),
    registry=REGISTRY,
)
STEP_SECONDS = histogram(
    "isthmus_step_duration_seconds",
    "One run of a step.",
    ("namespace", "route", "step"),
    registry=REGISTRY,
)
STEP_ERRORS = counter(
    "isthmus_step_errors",
    "Runs of a step that failed, by reason; handled says whether onError took over.",
    ("namespace", "route", "step", "reason", "handled"),
    registry=REGISTRY,
)
CALLS = counter(
    "isthmus_connector_calls",
    "Calls to a connector, by class of status or by reason where there was none.",
    ("namespace", "connector", "result"),
    registry=REGISTRY,
)
CALL_SECONDS = histogram(
    "isthmus_connector_call_duration_seconds",
    "One attempt of a call, from sending to the whole answer.",
    ("namespace", "connector"),
    registry=REGISTRY,
)
RETRIES = counter(
    "isthmus_connector_retries",
    "Attempts after the first.",
    ("namespace", "connector"),
    registry=REGISTRY,
)
CONNECTIONS = gauge(
    "isthmus_connector_connections",
    "Connections to a connector, by state: busy, idle; waiting counts calls without one.",
    ("namespace", "connector", "state"),
    registry=REGISTRY,
)
RATE_LIMIT_WAIT_SECONDS = histogram(
    "isthmus_connector_rate_limit_wait_seconds",
    "What calls waited for the connector's rate limit.",
    ("namespace", "connector"),
    registry=REGISTRY,
)
CACHE_REQUESTS = counter(
    "isthmus_cache_requests",
    "Look-ups in a call's cache: hit, miss, or joined a call under way.",
    ("namespace", "route", "step", "result"),
    registry=REGISTRY,
)
BUILD_INFO = gauge(
    "isthmus_runtime_build_info",
    "1; the labels say what runs.",
    ("version", "plan_version"),
    registry=REGISTRY,
)

STATUS_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


_CLASS_OF = tuple(STATUS_CLASSES[min(max(hundred, 1), 5) - 1] for hundred in range(10))


def status_class(status: int) -> str:
    """The class of a status, such as `2xx`; some systems answer 600 and more."""
    return _CLASS_OF[status // 100]
