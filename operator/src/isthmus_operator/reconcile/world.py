"""The world as a reconcile sees it: what is declared, what runs, and the ways to act on it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from isthmus_api.resources import Key
from isthmus_operator.autoscalers import Autoscalers
from isthmus_operator.children import Children
from isthmus_operator.contracts import Contracts
from isthmus_operator.declared import Declarations
from isthmus_operator.desired import Context
from isthmus_operator.kube import Client, kinds
from isthmus_operator.live import MissingSecret
from isthmus_operator.reconcile.report import Reporter
from isthmus_operator.sightings import Sightings
from isthmus_operator.verdicts import Verdicts

Secrets = frozenset[MissingSecret] | None
"""What the pods of a Route tell of its Secrets: what is missing, or None before any pod told."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a reconcile reads and writes."""

    client: Client
    declared: Declarations
    children: Children
    autoscalers: Autoscalers
    verdicts: Verdicts
    contracts: Contracts
    sightings: Sightings
    reporter: Reporter
    settings: Context
    wake: Callable[[Key], None]
    secrets: dict[Key, Secrets] = field(default_factory=dict)
    """By Route; the one thing that Connectors learn from Routes."""

    @property
    def context(self) -> Context:
        """What the desired state depends on beside the Routes, as it is now."""
        return replace(self.settings, gateway_api=self.children.served(kinds.HTTP_ROUTES.kind))

    def heard_of_secrets(self, route: Key, told: Secrets) -> None:
        """Take in what a Route's pods tell, and wake its Connectors when that is news."""
        if self.secrets.get(route) == told:
            return
        if told is None:
            self.secrets.pop(route, None)
        else:
            self.secrets[route] = told
        for user in self.declared.used_by(route):
            self.wake(user)
