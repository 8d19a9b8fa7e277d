"""A Route whose messages go through the journal: its source, and its delivery, put together.

Nothing here is imported by a process whose Routes all answer their callers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from isthmus_api.delivery import Delivery
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.plan import RoutePlan
from isthmus_runtime.connectors.connector import Connector
from isthmus_runtime.delivery import journey
from isthmus_runtime.delivery.attempt import Attempts
from isthmus_runtime.delivery.batch import Batches
from isthmus_runtime.delivery.gathering import Batching, Gathering, Singles
from isthmus_runtime.delivery.passage import Passage
from isthmus_runtime.delivery.tally import Tally
from isthmus_runtime.delivery.worker import Attempting, Terms, Worker
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.endpoint import Endpoint, MakeGuard
from isthmus_runtime.journal.access import Access
from isthmus_runtime.journal.entries import Message, Settlement
from isthmus_runtime.secrets import NotedSecrets
from isthmus_runtime.shared_tables import NO_TABLES, SharedTables
from isthmus_runtime.sources.poll import Poll
from isthmus_runtime.sources.replacing import Replacing
from isthmus_runtime.sources.room import Room
from isthmus_runtime.sources.schedule import Schedule
from isthmus_runtime.sources.source import Fed, Source
from isthmus_runtime.sources.webhook import Webhook
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.chain import Compiler
from isthmus_runtime.stores import Stores

_LAST_WRITES: Final = 30.0
"""Seconds that a Route which is replaced has, after its last attempt, to settle it."""


class JournalledRoute:
    """One loaded plan. A webhook takes requests before it is started, and answers 503 as long as
    the journal is not open."""

    def __init__(
        self,
        plan: RoutePlan,
        connectors: Mapping[str, Connector],
        *,
        access: Access,
        secrets: NotedSecrets,
        owner: str,
        guarding: MakeGuard,
        claim_seconds: float = 30.0,
        tables: SharedTables = NO_TABLES,
    ) -> None:
        self.plan = plan
        self.name = f"{plan.namespace}/{plan.name}"
        self._access = access
        self._owner = owner
        self._claim_seconds = claim_seconds
        self._secrets = secrets
        self._guarding = guarding
        self._spec = plan.delivery or Delivery()
        self._binder = Binder()
        self._variables: dict[str, Any] = {
            "route": {"name": plan.name, "namespace": plan.namespace},
            "env": plan.env,
        }
        self._drafter = Drafter(self.name, plan.message, self._binder, self._variables)
        self._connectors = connectors
        self._room = Room(self.name, self._spec.max_backlog)
        self._compiler = Compiler(
            plan,
            {name: journey.NotedSystem(system) for name, system in connectors.items()},
            noting=journey.Noting,
            stores=Stores(plan.namespace, access),
            tables=tables,
        )
        self._passage = Passage(plan, self._compiler, secrets=secrets.values)
        self._source = self._make_source()  # after the steps: what they read of a request is kept
        self._attempts = self._attempting()
        self._worker: Worker | None = None

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """What callers reach of it."""
        return self._source.endpoints if isinstance(self._source, Webhook) else ()

    def start(self) -> None:
        """Begin to accept and to deliver; the journal must be open."""
        self._worker = Worker(
            self._terms(),
            self._access(),
            self._one_at_a_time(),
            self._gathering(),
            Tally(self.plan.namespace, self.plan.name),
        )
        self._worker.start()
        self._source.start()

    @property
    def drafter(self) -> Drafter:
        """What makes its messages."""
        return self._drafter

    async def attempt(self, messages: Sequence[Message]) -> list[Settlement]:
        """Take messages through the steps once; how each is settled. Nothing is written."""
        return await self._attempts.attempt(messages)

    async def stop_source(self) -> None:
        """Accept nothing more."""
        await self._source.stop()

    async def stop(self, grace: float) -> None:
        """Accept and claim nothing more, and let what is under way end within `grace` seconds."""
        await self.stop_source()
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop(grace)

    @property
    def in_flight(self) -> int:
        """How many messages are claimed and not settled yet."""
        return self._worker.in_flight if self._worker else 0

    async def quiet(self) -> None:
        """Wait until no request is under way, and end what else is."""
        for endpoint in self.endpoints:
            await endpoint.quiet()
        await self.stop(self._spec.timeout.seconds + _LAST_WRITES)

    def status(self) -> dict[str, Any]:
        """What the status page tells of it."""
        return {"source": self._source.status(), "inFlight": self.in_flight}

    def _make_source(self) -> Source:
        source = self.plan.source
        if source.webhook:
            return Webhook(
                self.plan,
                source.webhook,
                journal=self._access,
                guard=self._guarding(self.plan, self._binder) if source.is_guarded else None,
                binder=self._binder,
                drafter=self._drafter,
                stored=self._compiler.binder.request_fields,
                room=self._room,
            )
        if source.schedule:
            return Schedule(
                self.plan.namespace,
                self.plan.name,
                source.schedule,
                journal=self._access,
                binder=self._binder,
                drafter=self._drafter,
                variables=self._variables,
            )
        if source.poll:
            return Poll(
                self.plan,
                source.poll,
                journal=self._access,
                system=self._connectors[source.poll.call.connector],
                binder=self._binder,
                drafter=self._drafter,
                variables=self._variables,
                room=self._room,
                owner=self._owner,
            )
        if source.route:
            return Fed(source.route.name)
        raise TypeError(f"the source of {self.name} is none of a journal")

    def _attempting(self) -> Attempts:
        plan, batch = self.plan, self._spec.batch
        failures = (
            self._compiler.binder.template(batch.failures) if batch and batch.failures else None
        )
        detects = isinstance(self._source, Poll) and self._source.notes
        if batch is None:
            return Attempts(
                plan,
                self._passage,
                drafter=self._drafter,
                feeds=[self._feed(name) for name in plan.feeds],
                detects_changes=detects,
            )
        return Batches(
            plan,
            self._passage,
            drafter=self._drafter,
            feeds=(),  # the result of a batch belongs to no single message
            detects_changes=detects,
            failures=failures,
        )

    def _feed(self, name: str) -> Drafter:
        """What drafts the messages of a Route that this one feeds."""
        namespace, spec = self.plan.namespace, self.plan.feeds[name]
        variables = {"route": {"name": name, "namespace": namespace}, "env": spec.env}
        try:
            return Drafter(f"{namespace}/{name}", spec.message, Binder(), variables)
        except ExpressionError:  # its mistake: its messages wait for it, and are read there again
            return Drafter(f"{namespace}/{name}", None, Binder(), variables)

    def _one_at_a_time(self) -> Attempting:
        """What attempts messages, where a newer one of a schedule replaces an older one."""
        schedule = self.plan.source.schedule
        if schedule is None or schedule.overlap != "replace" or self._spec.batch:
            return self._attempts
        return Replacing(self._attempts, self.name, self._access())

    def _gathering(self) -> Gathering:
        batch = self._spec.batch
        if batch is None:
            return Singles()
        return Batching(count=batch.count, size=batch.size.bytes, wait=batch.wait.seconds)

    def _terms(self) -> Terms:
        schedule = self.plan.source.schedule
        waits = schedule is not None and schedule.overlap == "queue"
        return Terms(
            route=self.name,
            owner=self._owner,
            places=self._spec.concurrency,
            serial=self._spec.order == "key" or self._drafter.is_versioned or waits,
            notes=self._attempts.notes,
            composed=self._spec.batch is not None,
            lease=self._claim_seconds,
            extended_every=self._claim_seconds / 3,
        )
