"""What the roles of an installed chart let the operator and people do, on a real API server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from control_plane import ControlPlane

from isthmus_operator.installation import examine
from isthmus_operator.kube import Access, Client, Forbidden, NotFound
from isthmus_operator.kube.kinds import (
    AUTOSCALERS,
    BUDGETS,
    CHILDREN,
    CONFIG_MAPS,
    CONNECTORS,
    DEPLOYMENTS,
    EVENTS,
    HTTP_ROUTES,
    INGRESSES,
    LEASES,
    NETWORK_POLICIES,
    OURS,
    PODS,
    ROUTES,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)
from isthmus_operator.lease import Lease
from isthmus_operator.settings import Settings

API_VERSION = "isthmus.dev/v1alpha1"
ROUTE = f"""\
apiVersion: {API_VERSION}
kind: Route
metadata: {{name: search}}
spec:
  source: {{http: {{path: /search}}}}
  steps: [{{call: {{connector: shop}}}}]
"""


@dataclass(frozen=True)
class Operator:
    """An installed operator's account."""

    namespace: str
    account: str
    lease: str = "isthmus-operator"

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.account}"


EVERY = Operator("all-seeing", "isthmus-operator")
TEAM = Operator("team-operator", "team-isthmus-operator")


@contextlib.asynccontextmanager
async def _client(plane: ControlPlane, operator: Operator) -> AsyncIterator[Client]:
    """The operator's client with the token of its account."""
    token = plane.kubectl("create", "token", operator.account, "-n", operator.namespace).stdout
    access = Access(
        server=plane.server, authority=plane.certificate.read_text(), fixed_token=token.strip()
    )
    async with Client(access) as client:
        yield client


def _allowed(plane: ControlPlane, operator: Operator, namespace: str) -> str:
    """What `kubectl auth can-i --list` prints, without what every account may do."""
    anybody = _listed(plane, f"system:serviceaccount:{namespace}:nobody", namespace)
    own = _listed(plane, operator.user, namespace) - anybody
    return "".join(f"{line}\n" for line in sorted(own))


def _listed(plane: ControlPlane, user: str, namespace: str) -> set[str]:
    listing = ("auth", "can-i", "--list", "--no-headers", "-n", namespace, "--as", user)
    return {" ".join(line.split()) for line in plane.kubectl(*listing).stdout.splitlines()}


@pytest.mark.parametrize(
    ("operator", "namespace", "name"),
    [
        (EVERY, "all-seeing", "can-i-at-home"),
        (EVERY, "elsewhere", "can-i-where-it-watches"),
        (TEAM, "team-operator", "can-i-namespaced-at-home"),
        (TEAM, "team-a", "can-i-where-it-watches"),
        (TEAM, "team-b", "can-i-where-it-watches"),
        (TEAM, "elsewhere", "can-i-nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.account,
)
def test_an_operator_may_do_what_the_golden_file_says(
    plane: ControlPlane,
    golden: Callable[[str, str], None],
    operator: Operator,
    namespace: str,
    name: str,
) -> None:
    allowed = _allowed(plane, operator, namespace)

    golden(f"{name}.txt", allowed)
    assert "secret" not in allowed
    assert "*" not in allowed


@pytest.mark.parametrize("operator", [EVERY, TEAM], ids=["all namespaces", "chosen namespaces"])
@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "update", "patch", "delete"])
def test_an_operator_has_no_verb_on_secrets(
    plane: ControlPlane, operator: Operator, verb: str
) -> None:
    asked = ("auth", "can-i", verb, "secrets", "--as", operator.user, "-n", "team-a")

    assert plane.kubectl(*asked, check=False).stdout.strip() == "no"


def _object(resource: Resource, namespace: str, **fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": "child", "namespace": namespace},
        **fields,
    }


_SELECTOR = {"matchLabels": {"isthmus.dev/route": "child"}}
_SPECS: dict[Resource, dict[str, Any]] = {
    SERVICE_ACCOUNTS: {},
    CONFIG_MAPS: {"data": {"plan.json": "{}"}},
    SERVICES: {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}},
    NETWORK_POLICIES: {"spec": {"podSelector": _SELECTOR}},
    BUDGETS: {"spec": {"maxUnavailable": 1, "selector": _SELECTOR}},
    DEPLOYMENTS: {
        "spec": {
            "selector": _SELECTOR,
            "template": {
                "metadata": {"labels": _SELECTOR["matchLabels"]},
                "spec": {"containers": [{"name": "route", "image": "none"}]},
            },
        }
    },
    AUTOSCALERS: {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "child"},
            "maxReplicas": 2,
        }
    },
    INGRESSES: {"spec": {"defaultBackend": {"service": {"name": "child", "port": {"number": 80}}}}},
}


@pytest.mark.parametrize("operator", [EVERY, TEAM], ids=["all namespaces", "chosen namespaces"])
async def test_the_operators_client_may_do_its_work(
    plane: ControlPlane, operator: Operator
) -> None:
    """With the token of the installed account; a right that is missing would be a Forbidden."""
    place = "team-a"
    plane.kubectl("apply", "-n", place, "-f", "-", stdin=ROUTE)
    async with _client(plane, operator) as client:
        for resource in (*OURS.values(), PODS):
            assert [chunk async for chunk in client.list(resource, place)]
        for resource, fields in _SPECS.items():
            made = await client.apply(resource, _object(resource, place, **fields))
            await client.apply(resource, _object(resource, place, **fields))
            assert await client.get(resource, place, "child")
            await _hear_of_one(client, resource, place)
            await client.delete(resource, place, "child", uid=made["metadata"]["uid"])
        with pytest.raises(NotFound):  # not served here, which is found out after the rights
            await client.get(HTTP_ROUTES, place, "child")
        status = _object(ROUTES, place, status={"planHash": "0f3a"})
        status["metadata"]["name"] = "search"
        written = await client.apply(ROUTES, status, sub="status")
        assert written["status"]["planHash"] == "0f3a"
        await client.create(EVENTS, _event(place))
    assert {*_SPECS, HTTP_ROUTES} == {*CHILDREN.values()}


async def _hear_of_one(client: Client, resource: Resource, namespace: str) -> None:
    events = client.watch(resource, namespace, since="0")
    async with contextlib.aclosing(events):
        async for _ in events:
            return


def _event(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"generateName": "search-", "namespace": namespace},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "isthmus.dev/operator",
        "reportingInstance": "pod",
        "action": "Reconcile",
        "reason": "Tried",
        "type": "Normal",
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": "Route",
            "name": "search",
            "namespace": namespace,
        },
    }


@pytest.mark.parametrize("operator", [EVERY, TEAM], ids=["all namespaces", "chosen namespaces"])
async def test_an_operator_may_hold_its_own_lease_and_no_other(
    plane: ControlPlane, operator: Operator
) -> None:
    home = operator.namespace
    lease = _object(LEASES, home, spec={"holderIdentity": "me", "leaseDurationSeconds": 15})
    lease["metadata"]["name"] = operator.lease
    async with _client(plane, operator) as client:
        made = await client.create(LEASES, lease)
        await client.replace(LEASES, made | {"spec": {"holderIdentity": "another"}})
        found = await client.get(LEASES, home, operator.lease)
        with pytest.raises(Forbidden):
            await client.get(LEASES, home, "not-ours")
        with pytest.raises(Forbidden):
            await client.get(LEASES, "team-a", operator.lease)

    assert found["spec"]["holderIdentity"] == "another"


async def test_a_namespaced_operator_sees_nothing_elsewhere(plane: ControlPlane) -> None:
    async with _client(plane, TEAM) as client:
        for place in ("elsewhere", None):
            for resource in (*OURS.values(), CONFIG_MAPS):
                with pytest.raises(Forbidden):
                    _ = [chunk async for chunk in client.list(resource, place)]
        with pytest.raises(Forbidden):
            await client.apply(CONFIG_MAPS, _object(CONFIG_MAPS, "elsewhere"))


def _as(plane: ControlPlane, role: str, namespace: str) -> Callable[..., str]:
    """kubectl as a person to whom roles of the chart are bound in a namespace.

    Nothing here merges them into the cluster's own role, so those that its selector finds are
    bound one by one.
    """
    rule = json.loads(plane.kubectl("get", "clusterrole", role, "-o", "json").stdout)
    (selector,) = rule["aggregationRule"]["clusterRoleSelectors"]
    labels = ",".join(f"{name}={value}" for name, value in selector["matchLabels"].items())
    found = plane.kubectl("get", "clusterrole", "-l", labels, "-o", "name").stdout.split()
    for name in (each.removeprefix("clusterrole.rbac.authorization.k8s.io/") for each in found):
        if name.startswith("isthmus-"):
            binding = ("create", "rolebinding", f"{role}-{name}", f"--clusterrole={name}")
            plane.kubectl(*binding, f"--user={role}", "-n", namespace)

    def kubectl(*args: str) -> str:
        done = plane.kubectl(*args, "-n", namespace, "--as", role, check=False)
        return done.stdout + done.stderr

    return kubectl


@pytest.mark.parametrize("role", ["edit", "admin"])
def test_who_may_edit_may_scale_a_route(plane: ControlPlane, namespace: str, role: str) -> None:
    plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=ROUTE)
    kubectl = _as(plane, role, namespace)

    assert "scaled" in kubectl("scale", "route/search", "--replicas=3")
    assert "deleted" in kubectl("delete", "route/search")


def test_who_may_view_may_read_a_route_and_not_scale_it(
    plane: ControlPlane, namespace: str
) -> None:
    plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=ROUTE)
    kubectl = _as(plane, "view", namespace)

    assert "search" in kubectl("get", "routes")
    assert "search" in kubectl("get", "route", "search", "--subresource=status")
    assert "forbidden" in kubectl("scale", "route/search", "--replicas=3")
    assert "forbidden" in kubectl("delete", "route/search")
    assert "forbidden" not in kubectl("get", CONNECTORS.plural)


READING = (
    ("list", "routes"),
    ("get", "connectors"),
    ("get", "mappings"),
    ("get", "deployments"),
    ("list", "replicasets"),
    ("list", "pods"),
    ("get", "pods/log"),
)
"""What `isthmus status`, `logs`, `trace` and `rollout status`, `history`, `undo` ask for."""
CHANGING = (("patch", "routes"), ("patch", "deployments"), ("get", "pods/proxy"))
"""What `isthmus pause`, `resume`, `top` and `rollout restart` ask for beside."""


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [("view", READING, CHANGING), ("edit", (*READING, *CHANGING), ())],
    ids=["view", "edit"],
)
def test_the_roles_of_the_cluster_have_the_rights_of_the_verbs(
    plane: ControlPlane,
    namespace: str,
    role: str,
    may: tuple[tuple[str, str], ...],
    may_not: tuple[tuple[str, str], ...],
) -> None:
    kubectl = _as(plane, role, namespace)
    for each in ("view", "edit")[: 2 if role == "edit" else 1]:
        own = f"system:aggregate-to-{each}"
        binding = ("create", "rolebinding", f"{role}-{each}", f"--clusterrole={own}")
        plane.kubectl(*binding, f"--user={role}", "-n", namespace)

    def allowed(verb: str, resource: str) -> bool:
        # kubectl would take what stands behind a slash for a name.
        plural, _, part = resource.partition("/")
        asked = ("auth", "can-i", verb, plural, f"--subresource={part}")
        return kubectl(*asked).splitlines()[-1] == "yes"

    assert [right for right in may if not allowed(*right)] == []
    assert [right for right in may_not if allowed(*right)] == []


@pytest.mark.parametrize("operator", [EVERY, TEAM], ids=["all namespaces", "chosen namespaces"])
async def test_the_test_of_an_installation_needs_no_other_rights(
    plane: ControlPlane, operator: Operator
) -> None:
    settings = _settings(plane, operator)
    async with _client(plane, operator) as client:
        lease = Lease(
            client,
            namespace=settings.namespace,
            name=settings.lease,
            holder="test-of-rights",
            renew_every=0.05,
        )
        await lease.acquire()
        holding = asyncio.create_task(lease.hold())
        found = await examine(client, settings, None)
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        await lease.release()

    assert {*found.values()} == {None}


async def test_the_test_of_an_installation_tells_of_rights_that_are_missing(
    plane: ControlPlane,
) -> None:
    nobody = Operator(EVERY.namespace, "nobody")
    plane.kubectl("create", "serviceaccount", nobody.account, "-n", nobody.namespace)

    async with _client(plane, nobody) as client:
        found = await examine(client, _settings(plane, EVERY), None, seconds=0.0)

    assert "connectors: " in (found["Connectors, Mappings and Routes can be read"] or "")
    for wrong in found.values():
        assert "is forbidden" in (wrong or "")


def _settings(plane: ControlPlane, operator: Operator) -> Settings:
    """What the installed Deployment says, as its pods read it."""
    get = ("get", "deployment", operator.account, "-n", operator.namespace, "-o", "json")
    [container] = json.loads(plane.kubectl(*get).stdout)["spec"]["template"]["spec"]["containers"]
    own = {"metadata.namespace": operator.namespace, "metadata.name": "test-of-rights"}
    return Settings.of(
        {
            each["name"]: own[each["valueFrom"]["fieldRef"]["fieldPath"]]
            if "valueFrom" in each
            else each.get("value", "")
            for each in container["env"]
        }
    )
