"""Every metric of the runtime, by name. Labels are bounded: objects, steps, statuses, reasons.

Times are in seconds, sizes in bytes (https://prometheus.io/docs/practices/naming/).
"""

from prometheus_client import CollectorRegistry

from isthmus_runtime.instruments import LONG_BOUNDS, Family, Number, counter, gauge, histogram

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
ROUTE_REFUSALS = counter(
    "isthmus_route_refusals",
    "Requests that did not show who sent them, or were not let in, by reason.",
    ("namespace", "route", "reason"),
    registry=REGISTRY,
)
CALLER_REQUESTS = counter(
    "isthmus_route_caller_requests",
    "Requests that a Route answered, by the name that its manifest has for the caller.",
    ("namespace", "route", "caller", "status"),
    registry=REGISTRY,
)
JWKS_FETCHES = counter(
    "isthmus_jwks_fetches",
    "Fetches of the keys that callers' tokens are signed with: fetched, or failed.",
    ("result",),
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
SCHEMA_MISMATCHES = counter(
    "isthmus_schema_mismatches",
    "Messages that did not fit a Mapping's schema: at its input or output, rejected or warned of.",
    ("namespace", "route", "step", "mapping", "side", "policy"),
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
SIGN_INS = counter(
    "isthmus_connector_sign_ins",
    "Times that a token or a session was wanted: done, failed, or refused for the credentials.",
    ("namespace", "connector", "result"),
    registry=REGISTRY,
)
SIGN_IN_REFUSED = gauge(
    "isthmus_connector_sign_in_refused",
    "1 while the credentials for a token or a session are refused.",
    ("namespace", "connector"),
    registry=REGISTRY,
)
HEDGES = counter(
    "isthmus_connector_hedges",
    "Second attempts at reads that were slow: won, lost, or refused by a limit or the circuit.",
    ("namespace", "connector", "result"),
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
RATE_LIMIT_WAITING = gauge(
    "isthmus_connector_rate_limit_waiting",
    "Calls that wait for the connector's rate limit now.",
    ("namespace", "connector"),
    registry=REGISTRY,
)
COUNTED_ALONE = counter(
    "isthmus_connector_rate_limit_alone",
    "Calls that this process alone counted, for the journal was away.",
    ("namespace", "connector"),
    registry=REGISTRY,
)
PAUSES = counter(
    "isthmus_connector_pauses",
    "Times that an answer to this process asked for no more calls for a while.",
    ("namespace", "connector"),
    registry=REGISTRY,
)
PAUSED_SECONDS = gauge(
    "isthmus_connector_paused_seconds",
    "For how long calls are still held back because the connector asked for it.",
    ("namespace", "connector"),
    registry=REGISTRY,
)
CIRCUIT = gauge(
    "isthmus_connector_circuit",
    "1 for the state that the connector's circuit is in, in this process, and 0 for the others.",
    ("namespace", "connector", "state"),
    registry=REGISTRY,
)
CIRCUIT_CHANGES = counter(
    "isthmus_connector_circuit_changes",
    "Times that the connector's circuit came into a state, in this process.",
    ("namespace", "connector", "state"),
    registry=REGISTRY,
)
SCHEMA_DRIFT = gauge(
    "isthmus_connector_schema_drift",
    "Fields of answers that are not as the connector's contract says: new, missing, retyped.",
    ("namespace", "connector", "operation", "drift"),
    registry=REGISTRY,
)
CACHE_REQUESTS = counter(
    "isthmus_cache_requests",
    "Look-ups in a call's cache: hit, miss, joined a call under way, revalidated, or stale.",
    ("namespace", "route", "step", "result"),
    registry=REGISTRY,
)
MESSAGES_ACCEPTED = counter(
    "isthmus_messages_accepted",
    "Messages that are safe in the journal, by their Route.",
    ("namespace", "route"),
    registry=REGISTRY,
)
MESSAGES_SETTLED = counter(
    "isthmus_messages_settled",
    "Attempts that were settled, by the state they led to and its reason.",
    ("namespace", "route", "state", "reason"),
    registry=REGISTRY,
)
MESSAGES_IN_FLIGHT = gauge(
    "isthmus_messages_in_flight",
    "Messages that an attempt is made for.",
    ("namespace", "route"),
    registry=REGISTRY,
)
MESSAGES_BACKLOG = gauge(
    "isthmus_messages_backlog",
    "Messages in the journal that still have to be worked on, of all replicas.",
    ("namespace", "route"),
    registry=REGISTRY,
)
MESSAGES_OVERDUE_SECONDS = gauge(
    "isthmus_messages_overdue_seconds",
    "For how long the message waits that is due the longest; 0 while all are taken at once.",
    ("namespace", "route"),
    registry=REGISTRY,
)
ACCEPT_SECONDS = histogram(
    "isthmus_messages_accept_duration_seconds",
    "From what a source found to its messages being safe in the journal.",
    ("namespace", "route"),
    registry=REGISTRY,
)
ATTEMPT_SECONDS = histogram(
    "isthmus_messages_attempt_duration_seconds",
    "One attempt, from its first step to its last.",
    ("namespace", "route"),
    registry=REGISTRY,
)
DELIVERY_LAG_SECONDS = histogram(
    "isthmus_messages_delivery_lag_seconds",
    "From acceptance to the end of the attempt that delivered the message.",
    ("namespace", "route"),
    registry=REGISTRY,
    bounds=LONG_BOUNDS,
)
SCHEDULE_TIMES = counter(
    "isthmus_schedule_times",
    "Times of a schedule: fired, skipped as one before was under way, or missed for good.",
    ("namespace", "route", "result"),
    registry=REGISTRY,
)
POLL_RUNS = counter(
    "isthmus_poll_runs",
    "Runs of a poll, by how they ended: done, or failed.",
    ("namespace", "route", "result"),
    registry=REGISTRY,
)
BUILD_INFO = gauge(
    "isthmus_runtime_build_info",
    "1; the labels say what runs.",
    ("version", "plan_version"),
    registry=REGISTRY,
)


def by_status(family: Family[Number], *labels: str) -> tuple[Number, ...]:
    """The children of a counter for each class of status, such as `2xx`, to be found at the status
    divided by 100; some systems answer 600 and more."""
    classes = [family.labels(*labels, f"{hundred}xx") for hundred in range(1, 6)]
    return (classes[0], *classes, *[classes[-1]] * 4)
