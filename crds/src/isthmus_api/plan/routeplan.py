"""RoutePlan: everything a runtime needs to run one Route, except secrets.

It is the only contract between the operator and the runtime. Its canonical JSON is hashed, and the
hash decides whether pods roll: so it holds what changes behaviour, and nothing else (no tests, no
replica count, no field that equals its default).
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Literal, Self

import orjson
from pydantic import Field, ValidationError

from isthmus_api.connector import ConnectorSpec, HttpTransport
from isthmus_api.delivery import Delivery
from isthmus_api.mapping import Expression, JsonSchema
from isthmus_api.message import Message
from isthmus_api.model import FreeFormObject, Items, Model, Name, Variable
from isthmus_api.privacy import Privacy
from isthmus_api.retention import Retention
from isthmus_api.route import RouteSpec
from isthmus_api.shared_table import SharedTable
from isthmus_api.source import Source
from isthmus_api.step import BranchName, Step

PLAN_VERSION: Final = 1


class UnreadablePlan(Exception):
    """A plan that this version cannot run; the message says what to do."""


class PlannedMapping(Model):
    """What running a Mapping needs."""

    expression: Expression
    tables: dict[Variable, FreeFormObject] = Field({})
    shared: dict[Variable, SharedTable] = Field({})
    """The tables whose rows stand in ConfigMaps."""
    input: JsonSchema | None = Field(None)
    """Only where messages are held to it; so is `output`."""
    output: JsonSchema | None = Field(None)


class PlannedFeed(Model):
    """What making a message for another Route needs: its key and version are read where it is
    accepted, and that is here."""

    message: Message | None = Field(None)
    env: dict[Variable, str] = Field({})


def _at_work(source: Source) -> Source:
    """A source without what is there for readers of the manifest alone."""
    if source.http is None or not source.http.open:
        return source
    return source.model_copy(update={"http": source.http.model_copy(update={"open": False})})


class RoutePlan(Model):
    """One Route with everything it refers to."""

    version: Literal[1] = Field(PLAN_VERSION)
    namespace: str
    name: str
    source: Source
    env: dict[Variable, str] = Field({})
    steps: Items[Step]
    branches: dict[BranchName, Items[Step]] = Field({})
    connectors: dict[Name, ConnectorSpec] = Field({})
    mappings: dict[Name, PlannedMapping] = Field({})
    message: Message | None = Field(None)
    delivery: Delivery | None = Field(None)
    retention: Retention | None = Field(None)
    privacy: Privacy | None = Field(None)
    feeds: dict[Name, PlannedFeed] = Field({})
    """The Routes of the namespace whose source is this one."""

    @property
    def needs_journal(self) -> bool:
        """Whether messages, or what steps remember, must outlive the process."""
        lists = (self.steps, *self.branches.values())
        uses_store = any(step.remember or step.lookup for steps in lists for step in steps)
        return self.source.is_asynchronous or uses_store

    @property
    def shares_with_others(self) -> bool:
        """Whether a journal would let it share limits or tokens of Connectors with others. It runs
        without one, too."""
        found = (spec.http for spec in self.connectors.values())
        return any(http and (http.rate_limit or _shares_token(http)) for http in found)

    @property
    def config_maps(self) -> tuple[str, ...]:
        """The ConfigMaps that its tables stand in, by name."""
        tables = (each for used in self.mappings.values() for each in used.shared.values())
        return tuple(sorted({part.name for table in tables for part in table.config_maps}))

    @classmethod
    def of(
        cls,
        spec: RouteSpec,
        *,
        namespace: str,
        name: str,
        connectors: dict[str, ConnectorSpec],
        mappings: dict[str, PlannedMapping],
        feeds: Mapping[str, PlannedFeed] | None = None,
    ) -> Self:
        """Join a Route with what it refers to."""
        return cls(
            version=PLAN_VERSION,
            namespace=namespace,
            name=name,
            source=_at_work(spec.source),
            env=spec.env,
            steps=spec.steps,
            branches=spec.branches,
            connectors=connectors,
            mappings=mappings,
            message=spec.message,
            delivery=spec.delivery,
            retention=spec.retention,
            privacy=spec.privacy,
            feeds=dict(feeds or {}),
        )

    def to_json(self) -> bytes:
        """The canonical JSON: sorted keys, no field that equals its default."""
        return self._json

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read a plan; `UnreadablePlan` when it is not one, or from a newer version."""
        try:
            plain: Any = orjson.loads(text)
        except orjson.JSONDecodeError as fault:
            raise UnreadablePlan(f"the plan is not JSON: {fault}") from fault
        version = plain.get("version") if isinstance(plain, dict) else None
        if isinstance(version, int) and version > PLAN_VERSION:
            raise UnreadablePlan(
                f"the plan has version {version}; this runtime reads version {PLAN_VERSION} and "
                "older. Use a newer runtime image, or an older operator."
            )
        try:
            return cls.model_validate(plain)
        except ValidationError as fault:
            raise UnreadablePlan(f"the plan is not valid: {fault}") from fault

    @cached_property
    def _json(self) -> bytes:
        plain = {**self.canonical(), "version": self.version}
        text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return text.encode()

    @cached_property
    def hash(self) -> str:
        """A short name for exactly this plan."""
        return hashlib.sha256(self.to_json()).hexdigest()[:16]


def _shares_token(http: HttpTransport) -> bool:
    oauth = http.auth and http.auth.oauth2
    return bool(oauth and oauth.shared_token)
