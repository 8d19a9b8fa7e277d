"""AWS Signature Version 4: a signature over each call, of an access key."""

from typing import Annotated

from pydantic import Field

from isthmus_api.model import Model, SecretValue

_Scope = Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=64)]


class AwsSigV4(Model):
    """A signature over each call, as services of AWS and what is made after them want it.

    It is made anew for each attempt, over method, path, query, body, and the headers Host,
    Content-Type and X-Amz-…; it is sent in the header Authorization.
    """

    access_key_id: SecretValue = Field(description="The name of the access key.")
    secret_access_key: SecretValue = Field(description="The secret of the access key.")
    session_token: SecretValue | None = Field(
        None, description="The token that belongs to a temporary access key."
    )
    region: _Scope = Field(description="The region that is signed for, such as eu-west-1.")
    service: _Scope = Field(
        description="The service that is signed for, such as execute-api, es or s3."
    )
