"""respond: answer the caller and end the Route."""

from isthmus_api.step import Respond
from isthmus_runtime.body import JSON, Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.http.messages import Header, Response, header
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.verb import Plain


def compile(spec: Respond, binder: Binder) -> Plain:
    """The verb of a respond step."""
    fields = tuple((n.lower().encode(), t) for n, t in binder.templates(spec.headers))
    tree = binder.tree(spec.body) if "body" in spec.written() else None

    def respond(x: Exchange) -> None:
        headers = [(name, text.header(x)) for name, text in fields]
        body = tree.body(x) if tree else x.body
        x.end(answer(body, status=spec.status, headers=headers))

    return respond


def answer(body: Body, *, status: int, headers: list[Header] | None = None) -> Response:
    """The body as an answer, with its content type where the Route gave none."""
    headers = headers or []
    if body.is_empty:
        return Response(status, headers)
    if header(headers, b"content-type") is None:
        headers.append((b"content-type", body.content_type or JSON))
    return Response(status, headers, body.json())
