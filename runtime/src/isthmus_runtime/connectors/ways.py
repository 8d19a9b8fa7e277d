"""Ways: the client that reaches an origin, with the TLS and the proxy that a Connector names."""

from isthmus_api.connector import HttpTransport
from isthmus_api.proxy import Proxy
from isthmus_api.tls import Tls
from isthmus_runtime import logs
from isthmus_runtime.connectors.auth.fixed import basic_header
from isthmus_runtime.http import dialling, errors, tls
from isthmus_runtime.http.client import Client
from isthmus_runtime.http.forwarding import Forwarded
from isthmus_runtime.http.limits import ClientLimits
from isthmus_runtime.http.origins import Origin
from isthmus_runtime.http.transport import Transport
from isthmus_runtime.secrets import MissingSecret, Secrets


def to(
    url: str, secured: Tls | None, spec: HttpTransport, secrets: Secrets, *, connector: str
) -> tuple[Transport, Client]:
    """What sends to the origin of a URL, and the client that it does so with."""
    origin = Origin.of(url)
    limits = ClientLimits(
        max_connections=spec.max_connections,
        connect_timeout=spec.connect_timeout.seconds,
        max_age=spec.max_connection_age.seconds,
        max_response_bytes=spec.max_response_size.bytes,
    )
    secure = _tls(secured, secrets, connector) if origin.scheme == "https" else None
    proxy = spec.proxy
    if proxy is None or not proxy.carries(url):
        client = Client(origin, limits=limits, tls=secure)
        return client, client
    authorization = _authorization(proxy, secrets)
    by = Origin.of(proxy.url)
    if secure:
        tunnel = dialling.Tunnel(origin, secure, by, authorization)
        client = Client(origin, limits=limits, dial=tunnel)
        return client, client
    client = Client(by, limits=limits)
    return Forwarded(origin, client, authorization), client


def _tls(spec: Tls | None, secrets: Secrets, connector: str) -> tls.Tls:
    if spec is None:
        return tls.Given()

    def complain() -> None:
        logs.warning(
            "certificates have changed and cannot be used; new connections use the ones before",
            connector=connector,
        )

    return tls.Rotating(
        lambda: _files(spec, secrets),
        server_name=spec.server_name,
        minimum=spec.min_version,
        complain=complain,
    )


def _files(spec: Tls, secrets: Secrets) -> tls.Files:
    ca, own = spec.ca_bundle, spec.client_certificate
    trusted = ca and (ca.config_map_key_ref or ca.secret_key_ref)
    try:
        return tls.Files(
            ca=_lines(secrets.read(trusted)) if trusted else None,
            certificate=_lines(secrets.read(own.certificate.secret_key_ref)) if own else None,
            private_key=_lines(secrets.read(own.private_key.secret_key_ref)) if own else None,
        )
    except MissingSecret as error:
        raise errors.TlsUnusable(str(error)) from error


def _lines(pem: str) -> str:
    """PEM, also where it had to be written on one line."""
    return pem.replace("\\n", "\n")


def _authorization(proxy: Proxy, secrets: Secrets) -> dialling.Authorization:
    auth = proxy.auth
    if auth is None:
        return lambda: None

    def read() -> bytes:
        try:
            username = secrets.read(auth.username.secret_key_ref)
            password = secrets.read(auth.password.secret_key_ref)
        except MissingSecret as error:
            raise errors.ProxyRefused(str(error)) from error
        return basic_header(username, password)[1]

    return read
