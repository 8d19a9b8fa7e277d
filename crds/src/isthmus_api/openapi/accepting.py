"""Accepting: a webhook as an operation, and the challenge of it where that has its own method."""

from typing import Final

from isthmus_api.openapi import parameters, security
from isthmus_api.openapi.answering import WITH_BODY, media_type
from isthmus_api.openapi.components import FAILURES, JSON, Components, Json
from isthmus_api.problems import Path
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_api.step import Respond
from isthmus_api.webhook import WebhookSource

_CHALLENGE: Final = ("spec", "source", "webhook", "challenge")
_MEDIA: Final = {
    "json": JSON,
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain",
}
_ACCEPTED: Final[Json] = {
    "type": "object",
    "required": ["accepted"],
    "properties": {
        "accepted": {"type": "integer", "description": "How many messages it were."},
    },
}


class Operation:
    """One webhook as an operation; what it refers to goes to `components`."""

    def __init__(
        self,
        route: Resource[RouteSpec],
        webhook: WebhookSource,
        resources: Resources,
        name: str,
        components: Components,
    ) -> None:
        self._route = route
        self._webhook = webhook
        self._resources = resources
        self._name = name
        self._components = components

    def build(self) -> Json:
        """The operation that takes messages."""
        described: Json = {"operationId": self._name}
        if found := self._parameters(of_challenge=False):
            described["parameters"] = found
        if self._webhook.method in WITH_BODY:
            described["requestBody"] = self._request_body()
        described |= security.described(self._webhook.verify, self._name, self._components)
        return {**described, "responses": self._responses()}

    def challenge(self) -> tuple[str, Json] | None:
        """The method and the operation of a challenge that has a method of its own."""
        challenge = self._webhook.challenge
        if challenge is None or not self._is_apart:
            return None
        described: Json = {"operationId": f"{self._name}-challenge"}
        if found := self._parameters(of_challenge=True):
            described["parameters"] = found
        respond = challenge.respond
        answers = {str(respond.status): _response("The answer.", media_type(respond))}
        return challenge.method or self._webhook.method, {
            **described,
            "responses": answers | FAILURES,
        }

    @property
    def _is_apart(self) -> bool:
        challenge = self._webhook.challenge
        return challenge is not None and challenge.method not in (None, self._webhook.method)

    def _parameters(self, *, of_challenge: bool) -> list[Json]:
        def where(path: Path) -> bool:
            is_of_it = path[: len(_CHALLENGE)] == _CHALLENGE
            return not self._is_apart or is_of_it is of_challenge

        return parameters.of(self._route, self._resources, where=where)

    def _request_body(self) -> Json:
        """The body; a `validate` that comes first sees it as it is, where it is not split."""
        media = _MEDIA[self._webhook.body or "json"]
        first = self._route.spec.steps[0].validate_
        if first is None or self._webhook.split or self._is_batched:
            return {"required": True, "content": {media: {}}}
        schema = self._components.schema(f"{self._name}-request", first.schema_)
        return {"required": True, "content": {media: {"schema": schema}}}

    @property
    def _is_batched(self) -> bool:
        delivery = self._route.spec.delivery
        return delivery is not None and delivery.batch is not None

    def _responses(self) -> Json:
        reply, challenge = self._webhook.reply, self._webhook.challenge
        status = reply.status if reply else 202
        schema = None if reply and "body" in reply.written() else _ACCEPTED
        said = "The messages are in the journal."
        respond = Respond(headers=reply.headers) if reply else Respond()
        responses = {str(status): _response(said, media_type(respond), schema)}
        if challenge and not self._is_apart:
            answer = _response("The answer of a challenge.", media_type(challenge.respond))
            responses.setdefault(str(challenge.respond.status), answer)
        return dict(sorted(responses.items())) | FAILURES


def _response(description: str, media: str, schema: Json | None = None) -> Json:
    content = {"schema": schema} if schema else {}
    return {"description": description, "content": {media: content}}
