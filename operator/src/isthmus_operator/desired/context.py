"""What the desired state depends on beside a Route and its plan: settings and the cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Gateway of the Gateway API."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Context:
    """The same for all Routes.

    `image` is the runtime's. `gateway` is where Routes are exposed that name no Gateway themselves;
    `gateway_api` tells whether the cluster serves the Gateway API.
    """

    image: str
    pull_policy: str = "IfNotPresent"
    gateway: Gateway | None = None
    gateway_api: bool = False
