"""Auth: the ways to prove to a system who we are. Credentials come from Secrets only."""

from pydantic import Field

from isthmus_api.auth.aws_sig_v4 import AwsSigV4
from isthmus_api.auth.fixed import ApiKeyAuth, BasicAuth, BearerAuth
from isthmus_api.auth.hmac import HmacAuth
from isthmus_api.auth.oauth1 import OAuth1
from isthmus_api.auth.oauth2 import OAuth2
from isthmus_api.auth.session import Session
from isthmus_api.model import Model
from isthmus_api.rules import exactly_one_of

__all__ = [
    "ApiKeyAuth",
    "Auth",
    "AwsSigV4",
    "BasicAuth",
    "BearerAuth",
    "HmacAuth",
    "OAuth1",
    "OAuth2",
    "Session",
]


class Auth(Model):
    """How to prove who we are. Credentials come from Secrets only."""

    rules = (
        exactly_one_of(
            *("basic", "bearer", "apiKey", "oauth2", "session", "hmac", "oauth1", "awsSigV4")
        ),
    )

    basic: BasicAuth | None = Field(None, description="HTTP Basic.")
    bearer: BearerAuth | None = Field(None, description="A fixed bearer token.")
    api_key: ApiKeyAuth | None = Field(None, description="A key in a header or in the query.")
    oauth2: OAuth2 | None = Field(None, description="A token of an authorization server.")
    session: Session | None = Field(
        None, description="A log-in call, whose answer lets the calls after it in."
    )
    hmac: HmacAuth | None = Field(None, description="A signature over each call.")
    oauth1: OAuth1 | None = Field(None, description="An OAuth 1.0 signature over each call.")
    aws_sig_v4: AwsSigV4 | None = Field(None, description="An AWS signature over each call.")
