"""OAuth 1.0: a signature over each call (RFC 5849), made when it is about to be sent.

Imported, and oauthlib with it (20 ms and 9 MB), only where a Connector signs in this way.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from oauthlib.oauth1 import Client

from isthmus_api.auth import oauth1 as model
from isthmus_runtime.connectors.auth.fixed import Fixed
from isthmus_runtime.connectors.auth.scheme import Auth, Credentials, Outgoing, Surroundings
from isthmus_runtime.http.messages import header

_FORM: Final = b"application/x-www-form-urlencoded"


def scheme(spec: model.OAuth1, around: Surroundings) -> Auth:
    """The signatures of one Connector; the Secrets are read at each call."""
    protocol = urlsplit(around.base_url).scheme

    values = (spec.consumer_key, spec.consumer_secret, spec.token, spec.token_secret)

    def read() -> tuple[str | None, ...]:
        return tuple(
            around.secrets.read(value.secret_key_ref) if value else None for value in values
        )

    def make(keys: tuple[str | None, ...]) -> Credentials:
        return Credentials(sign=_Signer(spec, protocol, around.authority, keys))

    return Fixed(read, make)


@dataclass(frozen=True, slots=True)
class _Signer:
    """Signs with the Secrets as they were read; equal to one that read the same."""

    spec: model.OAuth1 = field(compare=False)
    protocol: str
    authority: str
    keys: tuple[str | None, ...] = field(repr=False)

    def __call__(self, call: Outgoing) -> Credentials:
        host = header(call.headers, b"host")
        origin = f"{self.protocol}://{host.decode('latin-1') if host else self.authority}"
        client = Client(
            *self.keys, signature_method=self.spec.signature_method, realm=self.spec.realm
        )
        return Credentials(((b"authorization", authorization(client, origin, call)),))


def authorization(client: Client, origin: str, call: Outgoing) -> bytes:
    """The field Authorization of a call to an origin.

    Of the body, the parameters of a form are signed, and nothing of any other.
    """
    path, _, query = call.target.partition("?")
    url = f"{origin}{path}?{_plain(query)}" if query else f"{origin}{path}"
    if (header(call.headers, b"content-type") or b"").lower().startswith(_FORM):
        form = _plain(call.body.decode("utf-8", "replace"))
        fields = {"Content-Type": _FORM.decode()}
        _, signed, _ = client.sign(url, call.method, form, fields)
    else:
        _, signed, _ = client.sign(url, call.method)
    return str(signed["Authorization"]).encode("ascii")


def _plain(parameters: str) -> str:
    """The same parameters, so encoded that the library reads them: it refuses a bare '[' or '"'."""
    return urlencode(parse_qsl(parameters, keep_blank_values=True), quote_via=quote)
