"""What can go wrong when a client sends a request.

    ClientError                 every one says `sent`: might the peer have got the request?
      ClientClosed              the client was closed before
      ConnectFailed             no connection, or no TLS; nothing was sent
        Untrusted               the peer's certificate is not one that we trust
        ProxyRefused            the proxy did not let us through
      TlsUnusable               what TLS begins with cannot be had or used; nothing was sent
      DeadlineExceeded          `phase` says what took too long: pool, connect or response
      ConnectionBroken          closed before the response, or in the middle of it
      MalformedResponse         what came back is not sound HTTP
      ResponseTooLarge          more came back than `limit` bytes

`heads.UnsafeHeader` is a ValueError and no ClientError: the caller's request was wrong, not the
network.
"""

from typing import Final, Literal

Phase = Literal["pool", "connect", "response"]


class ClientError(Exception):
    """A request that got no response."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent: Final = sent


class ClientClosed(ClientError):
    """The client was closed; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("the client is closed", sent=False)


class ConnectFailed(ClientError):
    """There was no connection to be had; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=False)


class Untrusted(ConnectFailed):
    """The peer's certificate is not one that we trust; `reason` says why without naming it."""

    def __init__(self, said: str) -> None:
        super().__init__(f"the certificate is not trusted: {said}")
        self.reason: Final = said.partition(",")[0]


class ProxyRefused(ConnectFailed):
    """The proxy did not let us through; the message names no address."""


class TlsUnusable(ClientError):
    """Our own certificates, or whom we trust, cannot be had or used; the message says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=False)


class DeadlineExceeded(ClientError):
    """The deadline passed while waiting for a free connection, a new one, or the response."""

    def __init__(self, phase: Phase) -> None:
        super().__init__(f"the deadline passed in phase {phase}", sent=phase == "response")
        self.phase: Final = phase


class ConnectionBroken(ClientError):
    """The connection closed after `received` bytes of a response that is not complete."""

    def __init__(self, received: int, cause: str = "") -> None:
        reason = f": {cause}" if cause else ""
        super().__init__(f"the connection closed after {received} bytes{reason}", sent=True)
        self.received: Final = received


class MalformedResponse(ClientError):
    """The peer does not speak sound HTTP, or its body does not decode."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=True)


class ResponseTooLarge(ClientError):
    """Head or body, as sent or decoded, exceeds the limit; the connection was closed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the response is larger than {limit} bytes", sent=True)
        self.limit: Final = limit
