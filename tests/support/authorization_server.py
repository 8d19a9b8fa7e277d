"""An authorization server of others' make (Authlib), on a real socket.

It knows one client, `shop` with the secret `s3cr:et`, and one user, `anna` with `p&ss wörd`.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer as Issuer
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.models import ClientMixin
from authlib.oauth2.rfc7523 import JWTBearerGrant
from flask import Flask, Response, request
from joserfc.jwk import import_key
from werkzeug.serving import make_server

USER, PASSWORD = "anna", "p&ss wörd"
CLIENT, SECRET = "shop", "s3cr:et"


class Client(ClientMixin):  # type: ignore[misc]
    """The one client; `method` is the way in which it must prove itself."""

    def __init__(self, method: str) -> None:
        self.method = method

    def get_client_id(self) -> str:
        return CLIENT

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(each for each in (scope or "").split() if each in ("read", "write"))

    def check_client_secret(self, secret: str) -> bool:
        return secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == self.method

    def check_grant_type(self, grant_type: str) -> bool:
        return True


@dataclass
class Issued:
    """A token that was given."""

    document: Mapping[str, Any]
    user: str | None
    scope: str
    revoked: bool = False

    def check_client(self, client: Client) -> bool:
        return True

    def get_scope(self) -> str:
        return self.scope


@dataclass
class AuthorizationServer:
    """The server; it keeps the tokens it gave and the forms it got."""

    client: Client
    public_key: str | None = None
    algorithm: str = "RS256"
    rotates: bool = True
    life: int = 3600
    port: int = 0
    issued: list[Issued] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    """The refresh tokens that it gave, the last of which is good; those before are not."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    @property
    def good(self) -> set[str]:
        """What calls may carry in Authorization."""
        return {f"Bearer {each.document['access_token']}" for each in self.issued}

    def start(self) -> None:
        application = Flask("authorization-server")
        application.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
        application.config["OAUTH2_TOKEN_EXPIRES_IN"] = dict.fromkeys(
            ("client_credentials", "password", "refresh_token", JWTBearerGrant.GRANT_TYPE),
            self.life,
        )
        issuer = Issuer(application, query_client=self._client, save_token=self._save)
        issuer.register_grant(_authenticated(grants.ClientCredentialsGrant))
        issuer.register_grant(_password())
        issuer.register_grant(_refresh(self))
        if self.public_key:
            issuer.register_grant(_jwt(self))

        @application.post("/token")
        def token() -> Response:
            self.forms.append(request.form.to_dict())
            answer: Response = issuer.create_token_response()
            return answer

        self._server = make_server("127.0.0.1", 0, application, threaded=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _client(self, client_id: str) -> Client | None:
        return self.client if client_id == CLIENT else None

    def _save(self, document: Mapping[str, Any], asked: Any) -> None:
        self.issued.append(Issued(document, asked.user, document.get("scope", "")))
        if "refresh_token" in document:
            self.refreshed.append(document["refresh_token"])


_METHODS = ["client_secret_basic", "client_secret_post", "none"]


def _authenticated(grant: type[Any]) -> type[Any]:
    return type(grant.__name__, (grant,), {"TOKEN_ENDPOINT_AUTH_METHODS": _METHODS})


def _password() -> type[Any]:
    class Password(grants.ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = _METHODS

        def authenticate_user(self, username: str, password: str) -> str | None:
            return USER if (username, password) == (USER, PASSWORD) else None

    return Password


def _refresh(server: AuthorizationServer) -> type[Any]:
    class Refresh(grants.RefreshTokenGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = _METHODS
        INCLUDE_NEW_REFRESH_TOKEN = server.rotates

        def authenticate_refresh_token(self, token: str) -> Issued | None:
            good = server.refreshed[-1:] if server.rotates else server.refreshed
            return Issued({}, USER, "read write") if token in good else None

        def authenticate_user(self, credential: Issued) -> str | None:
            return credential.user

        def revoke_old_credential(self, credential: Issued) -> None:
            credential.revoked = True

    return Refresh


def _jwt(server: AuthorizationServer) -> type[Any]:
    class Jwt(JWTBearerGrant):  # type: ignore[misc]
        def resolve_issuer_client(self, issuer: str) -> Client | None:
            return server.client if issuer == CLIENT else None

        def resolve_client_public_key(self, client: Client) -> Any:
            key = server.public_key or ""
            return import_key(key, "EC") if server.algorithm == "ES256" else import_key(key, "RSA")

        def get_audiences(self) -> list[str]:
            return [server.url]

        def authenticate_user(self, subject: str) -> str | None:
            return subject if subject in (CLIENT, USER) else None

        def has_granted_permission(self, client: Client, user: str) -> bool:
            return True

    return Jwt
