"""Verifies OAuth 1.0 signatures with Authlib, which shares no code with what Isthmus signs with."""

import base64
import hmac
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from authlib.oauth1.rfc5849.base_server import BaseServer
from authlib.oauth1.rfc5849.errors import OAuth1Error
from authlib.oauth1.rfc5849.signature import generate_signature_base_string
from authlib.oauth1.rfc5849.wrapper import OAuth1Request

FORM: Final = "application/x-www-form-urlencoded"


def _is_sha256(request: Any) -> bool:
    """Authlib knows HMAC-SHA1 only; what is signed is the same."""
    key = f"{quote(request.client_secret, safe='~')}&{quote(request.token_secret or '', safe='~')}"
    text = generate_signature_base_string(request)
    digest = hmac.digest(key.encode(), text.encode(), "sha256")
    return hmac.compare_digest(base64.b64encode(digest).decode(), request.signature)


class _Holder:
    """Who signs: as a consumer, and as a token."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def get_client_secret(self) -> str:
        return self._secret

    def get_oauth_token_secret(self) -> str:
        return self._secret


class Verifier(BaseServer):  # type: ignore[misc]
    """Knows one consumer and one token, or none; a nonce is good once."""

    SUPPORTED_SIGNATURE_METHODS: Final = ("HMAC-SHA256", "HMAC-SHA1")
    SIGNATURE_METHODS: Final = {**BaseServer.SIGNATURE_METHODS, "HMAC-SHA256": _is_sha256}

    def __init__(
        self, consumer: tuple[str, str], token: tuple[str, str] | None, *, now: bool = True
    ) -> None:
        """`now` says whether signatures must be of the last minutes."""
        self.nonces: set[str] = set()
        self.realms: set[str | None] = set()
        self.methods: set[str] = set()
        self.EXPIRY_TIME = 300 if now else None
        self._consumer = consumer
        self._token = token

    def takes(self, method: str, url: str, body: bytes, fields: dict[str, str]) -> bool:
        """Whether a request is signed as it must be; `fields` are by small letters."""
        form = _plain(body.decode()) if fields.get("content-type") == FORM else None
        headers = {"Authorization": fields.get("authorization", "")}
        parts = urlsplit(url)
        uri = urlunsplit(parts._replace(query=_plain(parts.query)))
        request = OAuth1Request(method, uri, form, headers)
        name, secret = self._token or (None, "")
        if (request.client_id, request.token) != (self._consumer[0], name):
            return False
        request.client, request.credential = _Holder(self._consumer[1]), _Holder(secret)
        try:
            self.validate_timestamp_and_nonce(request)
            self.validate_oauth_signature(request)
        except OAuth1Error:
            return False
        self.realms.add(request.realm)
        self.methods.add(request.signature_method)
        return True

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """Whether a request with this nonce came before."""
        is_known = nonce in self.nonces
        self.nonces.add(nonce)
        return is_known


def _plain(parameters: str) -> str:
    """A server reads parameters whatever is encoded in them; Authlib does not."""
    return urlencode(parse_qsl(parameters, keep_blank_values=True))
