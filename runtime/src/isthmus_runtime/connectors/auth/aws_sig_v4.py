"""AWS Signature Version 4: a signature over each call, made when it is about to be sent.

Imported, and AWS's own library with it (40 ms and 9 MB), only where a Connector signs in this way.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from awscrt import auth as library
from awscrt.exceptions import AwsCrtError
from awscrt.http import HttpHeaders, HttpRequest

from isthmus_api.auth import aws_sig_v4 as model
from isthmus_runtime.connectors.auth.fixed import Fixed
from isthmus_runtime.connectors.auth.scheme import (
    Auth,
    Credentials,
    Outgoing,
    SignInFailed,
    Surroundings,
)
from isthmus_runtime.http.messages import Header, header

_MADE: Final = frozenset(
    {b"authorization", b"x-amz-date", b"x-amz-content-sha256", b"x-amz-security-token"}
)
"""The fields that are a signature."""

_AS_SENT: Final = frozenset({"s3", "s3-outposts", "s3-object-lambda"})
"""Services that sign a path as it is sent; the others clean it and encode it once more."""


def scheme(spec: model.AwsSigV4, around: Surroundings) -> Auth:
    """The signatures of one Connector; the Secrets are read at each call."""

    def read() -> Keys:
        token = spec.session_token
        return Keys(
            around.secrets.read(spec.access_key_id.secret_key_ref),
            around.secrets.read(spec.secret_access_key.secret_key_ref),
            around.secrets.read(token.secret_key_ref) if token else None,
        )

    def make(keys: Keys) -> Credentials:
        return Credentials(sign=Signer(spec.region, spec.service, around.authority, keys))

    return Fixed(read, make)


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """An access key."""

    name: str
    secret: str
    session_token: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the Secrets as they were read; equal to one that read the same."""

    region: str
    service: str
    authority: str
    keys: Keys = field(repr=False)

    def __call__(self, call: Outgoing) -> Credentials:
        return self.at(datetime.now(UTC), call)

    def at(self, now: datetime, call: Outgoing) -> Credentials:
        """What a call carries that is sent at a time."""
        fields = self._signed(call)
        # Of a target alone the library would take what comes before ':/' for a scheme.
        url = f"https://{fields[0][1]}{call.target}"
        request = HttpRequest(call.method, url, HttpHeaders(fields))
        config = library.AwsSigningConfig(
            algorithm=library.AwsSigningAlgorithm.V4,
            signature_type=library.AwsSignatureType.HTTP_REQUEST_HEADERS,
            credentials_provider=library.AwsCredentialsProvider.new_static(
                self.keys.name, self.keys.secret, self.keys.session_token
            ),
            region=self.region,
            service=self.service,
            date=now,
            use_double_uri_encode=self.service not in _AS_SENT,
            should_normalize_uri_path=self.service not in _AS_SENT,
            signed_body_value=hashlib.sha256(call.body).hexdigest(),
            signed_body_header_type=library.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256,
        )
        try:
            library.aws_sign_request(request, config).result()  # made already: nothing is asked
        except AwsCrtError:
            detail = "the path and query of the call cannot be signed; percent-encode them"
            raise SignInFailed(detail) from None
        found = [(name.lower().encode(), value.encode()) for name, value in request.headers]
        return Credentials(tuple(each for each in found if each[0] in _MADE))

    def _signed(self, call: Outgoing) -> list[tuple[str, str]]:
        """What of the head is signed: others on the way may add to the rest, or change it."""
        host = header(call.headers, b"host") or self.authority.encode()
        return [_text((b"host", host)), *map(_text, _own(call))]


def _own(call: Outgoing) -> Iterator[Header]:
    for name, value in call.headers:
        if name in _MADE:
            raise SignInFailed(f"the call has a header {name.decode()} already; leave it out")
        if name == b"content-type" or name.startswith(b"x-amz-"):
            yield name, value


def _text(field: Header) -> tuple[str, str]:
    name, value = field
    try:
        return name.decode("ascii"), value.decode("ascii")
    except UnicodeDecodeError:
        detail = f"the header {name.decode('latin-1')} cannot be signed; write it in ASCII"
        raise SignInFailed(detail) from None
