"""The pod: one process that runs one plan, allowed as little as the restricted standard asks.

The keys of Secrets are mounted as files that may be missing, so a rotated one is read without a
restart. That they are there is what the init container is for: the kubelet starts it only when all
of them are, and until then says which one is missing. A journal that is only used to share limits
is waited for by nobody.

There is no place to write to, for the process writes nothing. An emptyDir would count as data of
the node, which `kubectl drain` and cluster autoscalers do not take away without being told to.
"""

from typing import Any, Final

from isthmus_api.plan import RoutePlan
from isthmus_api.route import RouteSpec
from isthmus_api.workload import PodTemplate
from isthmus_operator.desired import amounts, config_map, contracts, credentials, journal
from isthmus_operator.desired.context import CLAIM_SECONDS, Context, Journal
from isthmus_operator.desired.credentials import Key
from isthmus_operator.desired.manifest import PLAN_ANNOTATION, Manifest, Owner

TRAFFIC: Final = "http"
TRAFFIC_PORT: Final = 8080
ADMIN: Final = "admin"
ADMIN_PORT: Final = 9090

LINGER_SECONDS: Final = 5
"""The process goes on accepting for so long after SIGTERM, until nobody sends to it any more."""
DRAIN_SECONDS: Final = 20
GRACE_SECONDS: Final = LINGER_SECONDS + DRAIN_SECONDS + 5

PLAN_FOLDER: Final = "/etc/isthmus/plan"
SECRETS_FOLDER: Final = "/etc/isthmus/secrets"
TABLES_FOLDER: Final = "/etc/isthmus/tables"
USER: Final = 65532
CONTAINER: Final = "route"
SECRETS_CONTAINER: Final = "secrets"

_TOPOLOGIES: Final = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


def template(owner: Owner, spec: RouteSpec, plan: RoutePlan, context: Context) -> Manifest:
    """The pod template: nothing in it depends on how many pods there are."""
    wished = _wished(spec, context)
    return {
        "metadata": {
            "labels": {**wished.labels, **owner.labels},
            "annotations": {**wished.annotations, PLAN_ANNOTATION: plan.hash},
        },
        "spec": _spec(owner, spec, plan, context),
    }


def _spec(owner: Owner, spec: RouteSpec, plan: RoutePlan, context: Context) -> Manifest:
    used = journal.of(plan, context)
    named = credentials.secrets(plan)
    own: set[Key] = {used.secret} if used else set()
    keys = credentials.in_order({*named, *own})
    needed = keys if plan.needs_journal else named
    return {
        **_wishes(owner, _wished(spec, context)),
        "serviceAccountName": owner.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"initContainers": [_presence(spec, needed, context)]} if needed else {}),
        "containers": [_process(spec, plan, keys, context)],
        "volumes": _volumes(owner, plan, keys),
    }


def _wished(spec: RouteSpec, context: Context) -> PodTemplate:
    """The Route's pod template; of what it does not write, that of all Routes."""
    own, common = spec.pod_template, context.pod_template
    if own is None:
        return common
    return common.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def _wishes(owner: Owner, wished: PodTemplate) -> Manifest:
    """What the Route asks for, as a pod says it; what it does not ask for is left out."""
    tolerations = [toleration.canonical() for toleration in wished.tolerations]
    pull_secrets = [secret.canonical() for secret in wished.image_pull_secrets]
    spread = [_spread(owner, key) for key in _TOPOLOGIES] if wished.topology_spread else []
    asked = {
        "nodeSelector": wished.node_selector,
        "tolerations": tolerations,
        "priorityClassName": wished.priority_class_name,
        "imagePullSecrets": pull_secrets,
        "topologySpreadConstraints": spread,
    }
    return {name: value for name, value in asked.items() if value}


def _spread(owner: Owner, topology: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": topology,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": owner.match},
    }


def _container(name: str, spec: RouteSpec, context: Context) -> Manifest:
    return {
        "name": name,
        "image": context.image,
        "imagePullPolicy": context.pull_policy,
        "resources": amounts.of(spec.resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _presence(spec: RouteSpec, keys: tuple[Key, ...], context: Context) -> Manifest:
    """Does nothing, and cannot be started while a key is missing."""
    env = [
        {
            "name": f"SECRET_{number}",
            "valueFrom": key.env(),
        }
        for number, key in enumerate(keys)
    ]
    return {
        **_container(SECRETS_CONTAINER, spec, context),
        "command": ["python", "-c", ""],
        "env": env,
    }


def _process(spec: RouteSpec, plan: RoutePlan, keys: tuple[Key, ...], context: Context) -> Manifest:
    wished = _wished(spec, context)
    settings = _settings(keys, journal.of(plan, context), plan, context)
    traffic = {"name": TRAFFIC, "containerPort": TRAFFIC_PORT, "protocol": "TCP"}
    secrets = [{"name": "secrets", "mountPath": SECRETS_FOLDER, "readOnly": True}]
    documents = [{"name": "contracts", "mountPath": contracts.FOLDER, "readOnly": True}]
    return {
        **_container(CONTAINER, spec, context),
        "env": [*settings, *(variable.canonical() for variable in wished.env)],
        "ports": [
            *((traffic,) if plan.source.endpoint else ()),
            {"name": ADMIN, "containerPort": ADMIN_PORT, "protocol": "TCP"},
        ],
        # Until it has started it is asked every second, so that Ready comes within one.
        "startupProbe": _probe("/livez", period=1, failures=60),
        "readinessProbe": _probe("/readyz", period=2, failures=2),
        "livenessProbe": _probe("/livez", period=10, failures=3),
        "volumeMounts": [
            {"name": "plan", "mountPath": PLAN_FOLDER, "readOnly": True},
            *(secrets if keys else ()),
            *(documents if contracts.named(plan) else ()),
            *_table_mounts(plan),
        ],
    }


def _table_mounts(plan: RoutePlan) -> list[Manifest]:
    """A folder for each ConfigMap that tables stand in, with a file a key."""
    return [
        {"name": f"table-{number}", "mountPath": f"{TABLES_FOLDER}/{name}", "readOnly": True}
        for number, name in enumerate(plan.config_maps)
    ]


def _settings(
    keys: tuple[Key, ...], used: Journal | None, plan: RoutePlan, context: Context
) -> list[Manifest]:
    """What the process is told; see `isthmus_runtime.__main__`."""
    settings: dict[str, Any] = {
        "ISTHMUS_PLAN": f"{PLAN_FOLDER}/{config_map.KEY}",
        **({"ISTHMUS_SECRETS": SECRETS_FOLDER} if keys else {}),
        **({"ISTHMUS_CONTRACTS": contracts.FOLDER} if contracts.named(plan) else {}),
        **({"ISTHMUS_TABLES": TABLES_FOLDER} if plan.config_maps else {}),
        **(_journal(used, context) if used else {}),
        "ISTHMUS_PORT": TRAFFIC_PORT,
        "ISTHMUS_ADMIN_PORT": ADMIN_PORT,
        "ISTHMUS_LINGER_SECONDS": LINGER_SECONDS,
        "ISTHMUS_DRAIN_SECONDS": DRAIN_SECONDS,
    }
    return [{"name": name, "value": str(value)} for name, value in settings.items()]


def _journal(used: Journal, context: Context) -> dict[str, Any]:
    """What a runtime has by itself is not said, so that a setting that is new rolls no pod."""
    settings: dict[str, Any] = {"ISTHMUS_JOURNAL_FILE": _file(used.secret)}
    if context.claim_seconds != CLAIM_SECONDS:
        settings["ISTHMUS_CLAIM_SECONDS"] = context.claim_seconds
    return settings


def _file(key: Key) -> str:
    """Where a key of a Secret is mounted."""
    return f"{SECRETS_FOLDER}/{key.folder}/{key.key}"


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": ADMIN},
        "periodSeconds": period,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }


def _volumes(owner: Owner, plan: RoutePlan, keys: tuple[Key, ...]) -> list[Manifest]:
    plan_volume = {"name": "plan", "configMap": {"name": config_map.name(owner.name, plan.hash)}}
    secrets = {"name": "secrets", "projected": {"sources": _sources(keys)}}
    named = contracts.named(plan)
    documents = {"name": "contracts", "projected": {"sources": contracts.sources(named)}}
    # One that is missing keeps no pod waiting: the runtime says which, and the Route's status too.
    tables = [
        {"name": f"table-{number}", "configMap": {"name": name, "optional": True}}
        for number, name in enumerate(plan.config_maps)
    ]
    return [
        plan_volume,
        *([secrets] if keys else []),
        *([documents] if named else []),
        *tables,
    ]


def _sources(keys: tuple[Key, ...]) -> list[Manifest]:
    """Keys as the files `FOLDER/KEY`; one that is missing keeps no pod waiting."""
    folders = {key.folder: key for key in keys}
    return [
        one.projection(
            [
                {"key": each.key, "path": f"{folder}/{each.key}"}
                for each in keys
                if each.folder == folder
            ]
        )
        for folder, one in sorted(folders.items())
    ]
