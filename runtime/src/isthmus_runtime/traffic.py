"""Traffic: the application on the traffic port. Finds the Route, runs it, logs one line."""

import time
from http import HTTPStatus

from isthmus_runtime import faults, logs, metrics, tracing
from isthmus_runtime.endpoint import CalledResponse
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Head, Header, Request, Response, header
from isthmus_runtime.table import Match, NoRoute, Table


class Traffic:
    """Answers requests with the Routes of the present table.

    A request that is under way keeps the Route it started with when the table is replaced.
    """

    def __init__(self, table: Table, *, max_in_flight: int) -> None:
        self.table = table
        self._max_in_flight = max_in_flight
        self._in_flight = 0

    def admit(self, head: Head) -> int | Response:
        """The largest body that the request may have, or its answer when no Route takes it."""
        found = self.table.find(head.method, head.path)
        if isinstance(found, NoRoute):
            return self._refuse_unrouted(head, found)
        if self._in_flight >= self._max_in_flight:
            fault = Fault("Overloaded", "too many requests are under way", 503)
            return self._refuse(head, fault, (b"retry-after", b"1"), *found.route.fields(head))
        largest = found.route.max_body
        length = header(head.headers, b"content-length")
        if length is not None and int(length) > largest:
            fault = Fault("BodyTooLarge", f"the body is larger than {largest} bytes", 413)
            return self._refuse(head, fault, *found.route.fields(head))
        return largest

    async def handle(self, request: Request) -> Response:
        """Answer a request. Never fails: a fault becomes a problem document."""
        head = request.head
        found = self.table.find(head.method, head.path)
        if isinstance(found, NoRoute):  # the table was replaced since the request was admitted
            return self._refuse_unrouted(head, found)
        started = time.perf_counter()
        trace = tracing.of(head.headers)
        route = found.route
        self._in_flight += 1
        route.begin()
        fault: Fault | None = None
        try:
            answer = await route.answer(request, found.params, trace)
        except Fault as failed:
            fault = failed
            answer = faults.response(fault, route=route.name, correlation_id=trace.correlation_id)
        except Exception as failure:
            logs.error(
                "a Route failed in a way we did not expect",
                failure,
                route=route.name,
                correlationId=trace.correlation_id,
            )
            fault = Fault("InternalError", "the runtime failed; its log has the correlation id")
            fault.headers = route.fields(head)
            answer = faults.response(fault, route=route.name, correlation_id=trace.correlation_id)
        finally:
            self._in_flight -= 1
            route.end()
        answer.headers.append(trace.correlation)
        seconds = time.perf_counter() - started
        route.count(answer.status, seconds)
        _log(head, found, answer, fault, trace, seconds)
        return answer

    def refused(self, head: Head | None, answer: Response) -> Response:
        """Note an answer that the server gives by itself: to what is unsound, late or too large."""
        trace = tracing.of(head.headers if head else [])
        reason = HTTPStatus(answer.status).phrase.replace(" ", "")
        _note_refusal(head, answer.status, reason, trace)
        return Response(answer.status, [*answer.headers, trace.correlation], answer.body)

    def _refuse_unrouted(self, head: Head, found: NoRoute) -> Response:
        if not found.allowed:
            return self._refuse(head, Fault("NoRoute", "no Route takes this path", 404))
        allowed = ", ".join(found.allowed)
        fault = Fault("MethodNotAllowed", f"this path takes {allowed}", 405)
        return self._refuse(head, fault, (b"allow", allowed.encode()))

    def _refuse(self, head: Head, fault: Fault, *headers: Header) -> Response:
        trace = tracing.of(head.headers)
        _note_refusal(head, fault.status, fault.reason, trace)
        return faults.response(
            fault, correlation_id=trace.correlation_id, headers=(trace.correlation, *headers)
        )


def _note_refusal(head: Head | None, status: int, reason: str, trace: tracing.Trace) -> None:
    metrics.UNROUTED_REQUESTS.labels(str(status)).inc()
    request = {"method": head.method, "path": head.path[:200]} if head else {}
    fields = {"status": status, "reason": reason, "correlationId": trace.correlation_id}
    logs.note("info", "request refused", request | fields)


def _log(
    head: Head,
    found: Match,
    answer: Response,
    fault: Fault | None,
    trace: tracing.Trace,
    seconds: float,
) -> None:
    fields = {
        "route": found.route.name,
        "method": head.method,
        "path": head.path,
        "status": answer.status,
        "durationMs": round(seconds * 1000, 2),
        "bytes": len(answer.body),
        "traceId": trace.trace_id,
        "correlationId": trace.correlation_id,
    }
    if fault is None:
        if isinstance(answer, CalledResponse):
            fields["caller"] = answer.caller
        logs.note("info", "request", fields)
        return
    about = {
        "step": fault.step,
        "connector": fault.connector,
        "caller": fault.caller,
        "detail": fault.outward,
    }
    logs.warning("request", **fields, reason=fault.reason, **{k: v for k, v in about.items() if v})
