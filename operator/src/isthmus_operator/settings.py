"""The operator's settings, read once from its environment."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from pydantic import ValidationError

from isthmus_api.workload import PodTemplate
from isthmus_operator.desired import Context, Gateway, Journal, SecretKey
from isthmus_operator.desired.context import CLAIM_SECONDS
from isthmus_operator.logs import LEVELS

PREFIX: Final = "ISTHMUS_"
PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
CLAIM_SECONDS_RANGE: Final = 5, 3600
"""As a runtime takes it."""
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_SECRET_KEY: Final = re.compile(r"(?!\.{1,2}\Z)[-._a-zA-Z0-9]{1,253}")
_SERVICE_LINK: Final = re.compile(
    r".*(_SERVICE_(HOST|PORT)(_.*)?|_PORT(_[0-9]+_(TCP|UDP|SCTP).*)?)"
)
_LINK_VALUE: Final = re.compile(r"(tcp|udp|sctp)://")
_LINK_REMEDY: Final = (
    "this comes from a Service of this namespace; write `enableServiceLinks: false` into the pod, "
    "or give the Service another name"
)
_MAX_SHOWN: Final = 80
_EACH_ROUTES_OWN: Final = ("topology_spread", "env")
"""The API server writes the first into every podTemplate, so no Route would inherit it."""

Value = TypeVar("Value")


class WrongSettings(Exception):
    """The environment is not usable; each line of the message names a variable and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator's environment says."""

    runtime_image: str
    """The image that Routes run in."""
    namespace: str
    """Where the operator itself lives, and its Lease."""
    pod: str
    runtime_pull_policy: str
    runtime_pod_template: PodTemplate
    """What pods have of Routes that do not say so themselves."""
    namespaces: tuple[str, ...]
    """The namespaces to serve; empty: all."""
    lease: str
    port: int
    """/livez, /readyz, /metrics."""
    workers: int
    gateway: tuple[str, str] | None
    """Namespace and name of the Gateway that HTTPRoutes attach to."""
    journal_secret: tuple[str, str] | None
    """Name and key of the Secret that holds the journal's address, in each Route's namespace."""
    journal_port: int
    """The port that pods connect to for the journal."""
    claim_seconds: int
    """How long a message is kept for a pod that says nothing any more."""
    log_level: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The settings; `WrongSettings` tells all that is wrong at once."""
        read = _Reader(environment)
        settings = cls(
            runtime_image=read("RUNTIME_IMAGE", image),
            namespace=read("NAMESPACE", _namespace),
            pod=read("POD", _name),
            runtime_pull_policy=read("RUNTIME_PULL_POLICY", pull_policy, "IfNotPresent"),
            runtime_pod_template=read("RUNTIME_POD_TEMPLATE", pod_template, ""),
            namespaces=read("NAMESPACES", _namespaces, ""),
            lease=read("LEASE", _name, "isthmus-operator"),
            port=read("PORT", _between(1, 65535), "9090"),
            workers=read("WORKERS", _between(1, 256), "16"),
            gateway=read("GATEWAY", gateway, ""),
            journal_secret=read("JOURNAL_SECRET", secret_key, ""),
            journal_port=read("JOURNAL_PORT", _between(1, 65535), "5432"),
            claim_seconds=read("CLAIM_SECONDS", _between(*CLAIM_SECONDS_RANGE), str(CLAIM_SECONDS)),
            log_level=read("LOG_LEVEL", _level, "INFO"),
        )
        read.finish()
        return settings

    def context(self, *, gateway_api: bool = False) -> Context:
        """What the desired state depends on; whether there is a Gateway API the cluster tells."""
        secret = self.journal_secret
        return Context(
            image=self.runtime_image,
            pull_policy=self.runtime_pull_policy,
            pod_template=self.runtime_pod_template,
            gateway=Gateway(*self.gateway) if self.gateway else None,
            gateway_api=gateway_api,
            journal=Journal(SecretKey(*secret), self.journal_port) if secret else None,
            claim_seconds=self.claim_seconds,
        )


class _Reader:
    """Reads variables one by one, and remembers what was wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known: set[str] = set()
        self._wrong: list[str] = []

    def __call__(
        self, name: str, parse: Callable[[str], Value], default: str | None = None
    ) -> Value:
        variable = PREFIX + name
        self._known.add(variable)
        text = self._environment.get(variable, "").strip() or default
        try:
            return parse(text or "")
        except ValueError as error:
            said = "is not set" if text is None else f"is {_shown(text)}"
            linked = f" ({_LINK_REMEDY})" if text and _LINK_VALUE.match(text) else ""
            self._wrong.append(f"{variable} {said}: write {error}{linked}")
            return None  # type: ignore[return-value] # `finish` raises before anyone sees it

    def finish(self) -> None:
        """Raise what was found, unknown variables included."""
        unknown = sorted(
            name
            for name in self._environment
            if name.startswith(PREFIX) and name not in self._known
        )
        self._wrong += [_unknown(name, self._known) for name in unknown]
        if self._wrong:
            raise WrongSettings("\n".join(self._wrong))


def _unknown(variable: str, known: set[str]) -> str:
    if _SERVICE_LINK.fullmatch(variable):
        return f"{variable}: {_LINK_REMEDY}"
    return f"{variable} is no setting: remove it; there are {', '.join(sorted(known))}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…")


def image(text: str) -> str:
    """An image; `ValueError` says what to write, as those below do."""
    if not text or re.search(r"\s", text):
        raise ValueError("the image that Routes run in, such as isthmus-runtime:0.1.0")
    return text


def _namespace(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError("the operator's own namespace, from the field metadata.namespace")
    return text


def _name(text: str) -> str:
    if not _SUBDOMAIN.fullmatch(text):
        raise ValueError("the name of an object: small letters, digits, dashes and dots")
    return text


def _namespaces(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(each.strip() for each in text.split(","))) if text else ()
    if not all(_LABEL.fullmatch(name) for name in names):
        raise ValueError("namespaces with commas between, such as shop,erp; nothing means all")
    return names


def gateway(text: str) -> tuple[str, str] | None:
    """Namespace and name of a Gateway."""
    namespace, _, name = text.partition("/")
    if text and not (_LABEL.fullmatch(namespace) and _SUBDOMAIN.fullmatch(name)):
        raise ValueError("namespace/name of a Gateway, such as edge/public, or nothing")
    return (namespace, name) if text else None


def secret_key(text: str) -> tuple[str, str] | None:
    """Name and key of a Secret."""
    name, _, key = text.partition("/")
    if text and not (_SUBDOMAIN.fullmatch(name) and _SECRET_KEY.fullmatch(key)):
        raise ValueError("name/key of a Secret, such as journal/dsn, or nothing")
    return (name, key) if text else None


def pull_policy(text: str) -> str:
    """When an image is pulled."""
    if text not in PULL_POLICIES:
        raise ValueError(f"one of {', '.join(PULL_POLICIES)}")
    return text


def pod_template(text: str) -> PodTemplate:
    """What pods have of Routes that do not say so themselves, as JSON."""
    try:
        found = PodTemplate.model_validate_json(text or "{}")
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(each) for each in wrong["loc"])
        raise ValueError(f"{_POD_TEMPLATE} ({field or 'the text'}: {wrong['msg']})") from error
    if found.model_fields_set.intersection(_EACH_ROUTES_OWN):
        raise ValueError(f"{_POD_TEMPLATE} (topologySpread and env are each Route's own)")
    return found


_POD_TEMPLATE: Final = (
    'JSON as in spec.podTemplate of a Route, such as {"priorityClassName": "shop"}, or nothing'
)


def _level(text: str) -> str:
    if text.upper() not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return text.upper()


def _between(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse
