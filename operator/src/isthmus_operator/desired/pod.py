"""The pod: one process that runs one plan, allowed as little as the restricted standard asks.

The keys of Secrets are mounted as files that may be missing, so a rotated one is read without a
restart. That they are there is what the init container is for: the kubelet starts it only when all
of them are, and until then says which one is missing.

There is no place to write to, for the process writes nothing. An emptyDir would count as data of
the node, which `kubectl drain` and cluster autoscalers do not take away without being told to.
"""

from typing import Any, Final

from isthmus_api.plan import RoutePlan
from isthmus_api.route import RouteSpec
from isthmus_api.workload import PodTemplate
from isthmus_operator.desired import amounts, config_map, credentials, journal
from isthmus_operator.desired.context import Context, Journal
from isthmus_operator.desired.credentials import SecretKey
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

_NOTHING: Final = PodTemplate()
_TOPOLOGIES: Final = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


def template(owner: Owner, spec: RouteSpec, plan: RoutePlan, context: Context) -> Manifest:
    """The pod template: nothing in it depends on how many pods there are."""
    wished = spec.pod_template or _NOTHING
    return {
        "metadata": {
            "labels": {**wished.labels, **owner.labels},
            "annotations": {**wished.annotations, PLAN_ANNOTATION: plan.hash},
        },
        "spec": _spec(owner, spec, plan, context),
    }


def _spec(owner: Owner, spec: RouteSpec, plan: RoutePlan, context: Context) -> Manifest:
    used = journal.of(plan, context)
    keys = tuple(sorted({*credentials.secrets(plan), *((used.secret,) if used else ())}))
    return {
        **_wishes(owner, spec.pod_template or _NOTHING),
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
        **({"initContainers": [_presence(spec, keys, context)]} if keys else {}),
        "containers": [_process(spec, plan, keys, context)],
        "volumes": _volumes(owner, plan, keys),
    }


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


def _presence(spec: RouteSpec, keys: tuple[SecretKey, ...], context: Context) -> Manifest:
    """Does nothing, and cannot be started while a key is missing."""
    env = [
        {
            "name": f"SECRET_{number}",
            "valueFrom": {"secretKeyRef": {"name": key.name, "key": key.key}},
        }
        for number, key in enumerate(keys)
    ]
    return {
        **_container(SECRETS_CONTAINER, spec, context),
        "command": ["python", "-c", ""],
        "env": env,
    }


def _process(
    spec: RouteSpec, plan: RoutePlan, keys: tuple[SecretKey, ...], context: Context
) -> Manifest:
    wished = spec.pod_template or _NOTHING
    settings = _settings(plan, keys, journal.of(plan, context))
    traffic = {"name": TRAFFIC, "containerPort": TRAFFIC_PORT, "protocol": "TCP"}
    secrets = [{"name": "secrets", "mountPath": SECRETS_FOLDER, "readOnly": True}]
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
            *_table_mounts(plan),
        ],
    }


def _table_mounts(plan: RoutePlan) -> list[Manifest]:
    """A folder for each ConfigMap that tables stand in, with a file a key."""
    return [
        {"name": f"table-{number}", "mountPath": f"{TABLES_FOLDER}/{name}", "readOnly": True}
        for number, name in enumerate(plan.config_maps)
    ]


def _settings(plan: RoutePlan, keys: tuple[SecretKey, ...], used: Journal | None) -> list[Manifest]:
    """What the process is told; see `isthmus_runtime.__main__`."""
    settings: dict[str, Any] = {
        "ISTHMUS_PLAN": f"{PLAN_FOLDER}/{config_map.KEY}",
        **({"ISTHMUS_SECRETS": SECRETS_FOLDER} if keys else {}),
        **({"ISTHMUS_TABLES": TABLES_FOLDER} if plan.config_maps else {}),
        **({"ISTHMUS_JOURNAL_FILE": _file(used.secret)} if used else {}),
        "ISTHMUS_PORT": TRAFFIC_PORT,
        "ISTHMUS_ADMIN_PORT": ADMIN_PORT,
        "ISTHMUS_LINGER_SECONDS": LINGER_SECONDS,
        "ISTHMUS_DRAIN_SECONDS": DRAIN_SECONDS,
    }
    return [{"name": name, "value": str(value)} for name, value in settings.items()]


def _file(key: SecretKey) -> str:
    """Where a key of a Secret is mounted."""
    return f"{SECRETS_FOLDER}/{key.name}/{key.key}"


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": ADMIN},
        "periodSeconds": period,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }


def _volumes(owner: Owner, plan: RoutePlan, keys: tuple[SecretKey, ...]) -> list[Manifest]:
    plan_volume = {"name": "plan", "configMap": {"name": config_map.name(owner.name, plan.hash)}}
    secrets = {"name": "secrets", "projected": {"sources": _sources(keys)}}
    # One that is missing keeps no pod waiting: the runtime says which, and the Route's status too.
    tables = [
        {"name": f"table-{number}", "configMap": {"name": name, "optional": True}}
        for number, name in enumerate(plan.config_maps)
    ]
    return [plan_volume, *([secrets] if keys else []), *tables]


def _sources(keys: tuple[SecretKey, ...]) -> list[Manifest]:
    """Each Secret's keys as the files `SECRET/KEY`; one that is missing keeps no pod waiting."""
    names = sorted({key.name for key in keys})
    return [
        {
            "secret": {
                "name": name,
                "optional": True,
                "items": [
                    {"key": each.key, "path": f"{name}/{each.key}"}
                    for each in keys
                    if each.name == name
                ],
            }
        }
        for name in names
    ]
