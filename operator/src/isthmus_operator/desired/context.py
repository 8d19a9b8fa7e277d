"""What the desired state depends on beside a Route and its plan: settings and the cluster."""

from dataclasses import dataclass
from typing import Final, Self

from isthmus_api.workload import PodTemplate
from isthmus_operator.desired.credentials import SecretKey

CLAIM_SECONDS: Final = 30
"""As a runtime has it that is told nothing."""
_SILENT: Final = PodTemplate()


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Gateway of the Gateway API."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Journal:
    """Where Routes keep their messages: a database, as pods of any namespace find it.

    `secret` holds its address, in each namespace that has such Routes; `port` is the one that pods
    connect to.
    """

    secret: SecretKey
    port: int

    def __str__(self) -> str:
        return f"{self.secret.name}/{self.secret.key}/{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `str` gave; None when that is not what this is."""
        match text.split("/"):
            case [name, key, port] if name and key and port.isdecimal():
                return cls(SecretKey(name, key), int(port))
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Context:
    """The same for all Routes.

    `image` is the runtime's. `gateway` is where Routes are exposed that name no Gateway themselves;
    `gateway_api` tells whether the cluster serves the Gateway API. Without a `journal` only Routes
    that answer over HTTP can run. `claim_seconds` is how long a message is kept for a pod that says
    nothing any more. `pod_template` is what pods have of Routes that do not say so themselves.
    """

    image: str
    pull_policy: str = "IfNotPresent"
    gateway: Gateway | None = None
    gateway_api: bool = False
    journal: Journal | None = None
    claim_seconds: int = CLAIM_SECONDS
    pod_template: PodTemplate = _SILENT
