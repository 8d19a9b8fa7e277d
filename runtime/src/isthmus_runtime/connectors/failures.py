"""Failures: what a call to one system can come to but a good answer, as faults with their class.

The texts are for callers and logs: they name the Connector, never an address or a secret.
"""

from typing import Final

from isthmus_runtime.connectors import auth, backoff
from isthmus_runtime.connectors.limits.lines import NoTurn
from isthmus_runtime.faults import Upstream
from isthmus_runtime.http import errors
from isthmus_runtime.http.messages import Response, header
from isthmus_runtime.secrets import MissingSecret

_PHASES: Final = {
    "connect": "while connecting",
    "pool": "while waiting for a free connection",
    "response": "while waiting for its answer",
}


class Failures:
    """Makes the faults of one Connector."""

    def __init__(self, connector: str) -> None:
        self._name = connector

    def of_status(self, answer: Response) -> Upstream:
        """It answered, and not with 2xx."""
        return Upstream(
            "UnexpectedStatus",
            f"{self._name} answered {answer.status}",
            connector=self._name,
            answered=answer.status,
            answer=answer,
            passing=answer.status in backoff.PASSING,
            retry_after=backoff.retry_after(header(answer.headers, b"retry-after")),
        )

    def of_client(self, error: errors.ClientError) -> Upstream:
        """There is no answer."""
        name = self._name
        match error:
            case errors.Untrusted():
                detail = f"{name} cannot be reached: its certificate is not trusted"
                return self._fault("Untrusted", f"{detail} ({error.reason})", sent=False)
            case errors.ProxyRefused():
                detail = f"{name} cannot be reached: {error}"
                return self._fault("ProxyRefused", detail, passing=True, sent=False)
            case errors.TlsUnusable():
                detail = f"{name} cannot be reached: {error}"
                return self._fault("TlsUnusable", detail, sent=False)
            case errors.ConnectFailed() | errors.ClientClosed():
                detail = f"{name} cannot be reached"
                return self._fault("ConnectFailed", detail, passing=True, sent=False)
            case errors.DeadlineExceeded():
                detail = f"{name} did not answer in time ({_PHASES[error.phase]})"
                return self._fault("Timeout", detail, status=504, passing=True, sent=error.sent)
            case errors.ConnectionBroken():
                detail = f"{name} closed the connection before its answer was whole"
                return self._fault("ConnectionBroken", detail, passing=True, sent=error.sent)
            case errors.ResponseTooLarge():
                detail = f"{name} answered more than {error.limit} bytes"
                return self._fault("ResponseTooLarge", detail, sent=error.sent)
            case _:
                detail = f"{name} answered what cannot be read: {error}"
                return self._fault("InvalidAnswer", detail, sent=error.sent)

    def of_limit(self, error: NoTurn) -> Upstream:
        """The rate limit did not let it go."""
        detail = f"the rate limit of {self._name} {error}"
        return self._fault("RateLimited", detail, status=503, sent=False, retry_after=error.wait)

    def of_credentials(self, error: MissingSecret | auth.SignInFailed) -> Upstream:
        """There is nothing to sign in with, or no way to."""
        if isinstance(error, auth.SignInFailed):
            return self.of_sign_in(error, sent=False)
        detail = f"{self._name} cannot sign in: {error}"
        return self._fault("SecretMissing", detail, sent=False)

    def of_sign_in(self, error: auth.SignInFailed, *, sent: bool) -> Upstream:
        """It was not known who we are."""
        return self._fault(
            "SignInFailed",
            f"{self._name} cannot sign in: {error}",
            status=error.status,
            passing=error.passing,
            sent=sent,
            retry_after=error.retry_after,
        )

    def of_session(self) -> Upstream:
        """It refuses the session that it has just given."""
        detail = f"{self._name} does not take the session that it has just given"
        return self._fault("SignInFailed", detail, sent=True)

    def _fault(
        self,
        reason: str,
        detail: str,
        *,
        status: int = 502,
        passing: bool = False,
        sent: bool,
        retry_after: float | None = None,
    ) -> Upstream:
        return Upstream(
            reason,
            detail,
            connector=self._name,
            status=status,
            passing=passing,
            sent=sent,
            retry_after=retry_after,
        )
