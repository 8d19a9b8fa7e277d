"""Scheme: what every way to prove who we are has in common.

Auth                one way, made once for a Connector
  at_hand()         what the next call carries, where nobody must be asked for it
  credentials()     the same; may ask another system first
  refused()         whether an answer says that new credentials are worth another attempt
  in_vain()         whether an answer refuses those new ones, too
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from isthmus_api.tls import Tls
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.http.transport import Transport
from isthmus_runtime.secrets import Secrets

if TYPE_CHECKING:  # most processes share nothing, and need not read it
    from isthmus_runtime.connectors.sharing import Sharing


class Outgoing(NamedTuple):
    """A call that is about to be sent, as it will be, but for what proves who we are."""

    method: str
    target: str
    """Path and query, encoded."""
    headers: list[Header]
    body: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is added to a call: fields, and query text that is encoded already.

    Where there is `sign`, it makes them for each attempt from what is about to be sent.
    """

    headers: tuple[Header, ...] = ()
    query: str = ""
    sign: "Callable[[Outgoing], Credentials] | None" = None


class SignInFailed(Exception):
    """We cannot prove who we are; the message holds neither credential nor address.

    `passing` says whether the next attempt may do better, `refused` whether it is the credentials
    that were not taken, and `retry_after` in how many seconds the next attempt is made.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 502,
        passing: bool = False,
        refused: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.passing = passing
        self.refused = refused
        self.retry_after = retry_after

    def held(self, seconds: float) -> "SignInFailed":
        """The same, told to a call for which nobody was asked."""
        return SignInFailed(
            str(self),
            status=self.status,
            passing=self.passing,
            refused=self.refused,
            retry_after=seconds,
        )


class Auth(Protocol):
    """A way to prove who we are."""

    reads_answers: bool
    """Whether an answer with a good status may be a refusal too."""

    @property
    def is_refused(self) -> bool:
        """Whether another system refuses to let us sign in."""
        ...

    def at_hand(self) -> Credentials | None:
        """What the next call carries, where nobody must be asked for it."""
        ...

    async def credentials(self, *, deadline: float) -> Credentials:
        """What the next call carries, asked for where it is not at hand."""
        ...

    def refused(self, used: Credentials, answer: Response) -> bool:
        """Whether the answer refuses `used`, and new credentials are worth another attempt."""
        ...

    def in_vain(self, used: Credentials, answer: Response) -> bool:
        """Whether the answer refuses `used`, which are new; so newer ones are not fetched soon."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a scheme may use: the Secrets, and ways to the Connector's system and to others."""

    namespace: str
    connector: str
    secrets: Secrets
    base_url: str
    authority: str
    """What the Host header of calls says."""
    system: Transport
    """The way to the system itself."""
    reach: Callable[[str, Tls | None], Transport]
    """Opens a way to the origin of a URL; the Connector closes it with its own."""
    headers: Sequence[Header]
    """What every call to the system carries."""
    timeout: float
    """Seconds that a sign-in may take."""
    sharing: "Sharing | None" = None
    """The journal, where tokens may be shared with others through it."""


UNAUTHORIZED = 401
