"""Workload: what a Route says about its pods, beside what runs in them.

Nothing here is part of the plan: it changes where and how large pods are, never what they answer.
The words are those of Kubernetes' own Pod, as far as a Route needs them.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from isthmus_api.model import ConfigMapKeyRef, Items, Model, ObjectName, SecretKeyRef
from isthmus_api.quantities import Cpu, Size
from isthmus_api.rules import Rule, ValueRule, exactly_one_of

RESERVED: Final = (
    "isthmus.dev/",
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "argocd.argoproj.io/",
    "kubectl.kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/",
    "meta.helm.sh/",
)
"""How the keys begin by which the operator and deployment tools know what is theirs."""

_PREFIX: Final = r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
_WORD: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"

LabelKey = Annotated[str, Field(pattern=f"^{_PREFIX}{_WORD}$", max_length=317)]
"""The key of a label or an annotation, as Kubernetes allows it."""

LabelValue = Annotated[
    str, Field(pattern=f"^({_WORD})?$", max_length=63, description="The value of a label.")
]
"""The value of a label, as Kubernetes allows it."""

_FREE_KEYS: Final = ValueRule(
    cel=f"self.all(key, !{list(RESERVED)}.exists(reserved, key.startsWith(reserved)))",
    message=f"keys may not begin with {', '.join(RESERVED[:-1])} or {RESERVED[-1]}",
    hint="remove the key: the operator and deployment tools know by it what is theirs",
    holds=lambda keys: not any(key.startswith(RESERVED) for key in keys),
)

Labels = Annotated[dict[LabelKey, LabelValue], _FREE_KEYS]
"""Labels that belong neither to the operator nor to a deployment tool."""

Annotations = Annotated[
    dict[LabelKey, Annotated[str, Field(max_length=4096, description="A value.")]], _FREE_KEYS
]
"""Annotations that belong neither to the operator nor to a deployment tool."""


class Amounts(Model):
    """Amounts of CPU and memory."""

    cpu: Cpu | None = Field(None, description="CPU, such as 100m or 2.")
    memory: Size | None = Field(None, description="Memory, such as 128Mi.")


def _in_order(name: str, amount: str) -> Rule:
    """The requested amount fits below the limit; Kubernetes takes no pod where it does not."""
    requested, limit = f"self.requests.{name}", f"self.limits.{name}"
    both = f"has(self.requests) && has({requested}) && has(self.limits) && has({limit})"

    def holds(written: dict[str, Any]) -> bool:
        amounts = [getattr(written.get(which), name, None) for which in ("requests", "limits")]
        low, high = (getattr(found, amount) if found else None for found in amounts)
        return low is None or high is None or low <= high

    return Rule(
        cel=f"!({both}) || quantity({requested}).compareTo(quantity({limit})) <= 0",
        message=f"requests.{name} may not be more than limits.{name}",
        holds=holds,
        fields=("requests", "limits"),
    )


class PodResources(Model):
    """CPU and memory of each pod."""

    rules = (_in_order("cpu", "millis"), _in_order("memory", "bytes"))

    requests: Amounts | None = Field(
        None,
        description="What the scheduler sets aside: 100m of CPU and 128Mi of memory where nothing "
        "is written, or the limit where that is less.",
    )
    limits: Amounts | None = Field(
        None,
        description="The most a pod may use: 256Mi of memory where nothing is written, or the "
        "request where that is more. CPU has no limit of its own accord.",
    )


class Toleration(Model):
    """Lets pods onto nodes with a taint."""

    rules = (
        Rule(
            cel="has(self.key) || (has(self.operator) && self.operator == 'Exists')",
            message="without a key the operator must be Exists",
            holds=lambda written: "key" in written or written.get("operator") == "Exists",
            fields=("key", "operator"),
        ),
        Rule(
            cel="!has(self.value) || !has(self.operator) || self.operator != 'Exists'",
            message="value belongs to the operator Equal only",
            holds=lambda written: "value" not in written or written.get("operator") != "Exists",
            fields=("value", "operator"),
        ),
        Rule(
            cel="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            message="tolerationSeconds belongs to the effect NoExecute only",
            holds=lambda written: (
                "tolerationSeconds" not in written or written.get("effect") == "NoExecute"
            ),
            fields=("tolerationSeconds", "effect"),
        ),
    )

    key: LabelKey | None = Field(None, description="Key of the taint; left out, any.")
    operator: Literal["Equal", "Exists"] | None = Field(
        None, description="How the value is compared; Equal by default."
    )
    value: LabelValue | None = Field(None, description="Value of the taint.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="Effect of the taint; left out, any."
    )
    toleration_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = Field(
        None, description="Seconds that a pod stays after the taint came; left out, for ever."
    )


class ImagePullSecret(Model):
    """A Secret that the image is pulled with."""

    name: ObjectName = Field(description="Name of the Secret.")


class EnvSource(Model):
    """Where the value of an environment variable comes from."""

    rules = (exactly_one_of("secretKeyRef", "configMapKeyRef"),)

    secret_key_ref: SecretKeyRef | None = Field(None, description="A key of a Secret.")
    config_map_key_ref: ConfigMapKeyRef | None = Field(None, description="A key of a ConfigMap.")


_FREE_NAME: Final = ValueRule(
    cel="!self.startsWith('ISTHMUS_')",
    message="names that begin with ISTHMUS_ are set by the operator",
    hint="choose another name",
    holds=lambda name: not name.startswith("ISTHMUS_"),
)


class EnvVar(Model):
    """An environment variable of the process. Expressions read `$env`, which is `spec.env`."""

    rules = (exactly_one_of("value", "valueFrom"),)

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128), _FREE_NAME] = (
        Field(description="Name of the variable.")
    )
    value: Annotated[str, Field(max_length=4096)] | None = Field(None, description="The value.")
    value_from: EnvSource | None = Field(None, description="Where the value comes from.")


_NAMES_ONCE: Final = ValueRule(
    cel="self.all(one, self.exists_one(other, other.name == one.name))",
    message="a name may stand once only",
    hint="remove one of the two",
    holds=lambda items: len({item.name for item in items}) == len(items),
)


class PodTemplate(Model):
    """What pods have beside what the operator gives them. The operator's own fields win."""

    labels: Labels = Field({}, max_length=32, description="Labels of the pods.")
    annotations: Annotations = Field({}, max_length=32, description="Annotations of the pods.")
    node_selector: dict[LabelKey, LabelValue] = Field(
        {}, max_length=32, description="Labels that a node must have."
    )
    tolerations: Items[Toleration] = Field(
        (), max_length=32, description="Taints of nodes that keep no pod away."
    )
    topology_spread: bool = Field(
        True, description="Spread the pods over nodes and zones as far as there is room."
    )
    priority_class_name: ObjectName | None = Field(
        None, description="The PriorityClass of the pods."
    )
    image_pull_secrets: Annotated[Items[ImagePullSecret], _NAMES_ONCE] = Field(
        (), max_length=8, description="Secrets that the image is pulled with."
    )
    env: Annotated[Items[EnvVar], _NAMES_ONCE] = Field(
        (), max_length=64, description="Environment variables of the process."
    )
