"""OAuth 1.0: a signature over each call, of two pairs of a key and a secret."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.model import Model, SecretValue
from isthmus_api.rules import needs


class OAuth1(Model):
    """A signature over method, address and parameters of each call (RFC 5849).

    It is made anew for each attempt, with a time and a nonce of its own, and sent in the header
    Authorization. Without a token the consumer signs for itself.
    """

    rules = (needs("token", "tokenSecret"), needs("tokenSecret", "token"))

    consumer_key: SecretValue = Field(description="The key of the consumer, who calls.")
    consumer_secret: SecretValue = Field(description="The secret of the consumer.")
    token: SecretValue | None = Field(None, description="The access token.")
    token_secret: SecretValue | None = Field(None, description="The secret of the access token.")
    signature_method: Literal["HMAC-SHA256", "HMAC-SHA1"] = Field(
        "HMAC-SHA256", description="How it is signed; RFC 5849 itself knows HMAC-SHA1 only."
    )
    realm: Annotated[str, Field(pattern=r"^[ !#-\[\]-~]+$", max_length=256)] | None = Field(
        None, description="The realm, such as the account id that NetSuite wants."
    )
