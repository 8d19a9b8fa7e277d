"""Verification: who may call a Route. Sources `http` and `webhook` share it."""

from pydantic import Field

from isthmus_api.model import Model
from isthmus_api.proofs import (
    ApiKeys,
    BasicUsers,
    BearerTokens,
    ClientCertificate,
    Hmac,
    Jwt,
    Networks,
)
from isthmus_api.rules import at_least_one_of, at_most_one_of


class Verification(Model):
    """What must hold of a request before it is taken: everything that is given here.

    Who shows nothing, or something wrong, gets 401; who may not call all the same, 403.
    """

    rules = (
        at_least_one_of(
            "hmac", "jwt", "bearer", "basic", "apiKey", "clientCertificate", "allowFrom"
        ),
        at_most_one_of("jwt", "bearer", "basic"),
    )

    hmac: Hmac | None = Field(None, description="A signature over the request.")
    jwt: Jwt | None = Field(None, description="A signed token.")
    bearer: BearerTokens | None = Field(None, description="A fixed bearer token.")
    basic: BasicUsers | None = Field(None, description="HTTP Basic.")
    api_key: ApiKeys | None = Field(None, description="A key in a header or in the query.")
    client_certificate: ClientCertificate | None = Field(
        None, description="A client certificate that an ingress verified."
    )
    allow_from: Networks | None = Field(
        None, description="Addresses that requests may come from; others get 403."
    )

    @property
    def caller_fields(self) -> frozenset[str]:
        """What `$request.caller` holds of whom this lets in."""
        named = (self.bearer, self.basic, self.api_key, self.client_certificate, self.jwt)
        known = {"name"} if any(named) else set()
        return frozenset(known | ({"claims"} if self.jwt else set()))
