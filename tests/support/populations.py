"""Populations: namespaces with many Routes, as an operator and the controllers leave them.

Every Route has a Mapping of its own and shares a Connector with others; it is Ready, and has a
Deployment, a ReplicaSet and a pod with an address. All are written by the operator's own client;
what the operator makes is made by its own functions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar, cast

from isthmus_api import manifests
from isthmus_api.plan import plan
from isthmus_api.resources import KINDS, NOWHERE, Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_operator import desired
from isthmus_operator.kube import Client, kinds
from isthmus_operator.kube import Resource as Where

Object = dict[str, Any]
T = TypeVar("T")

CONNECTORS: Final = 50
IMAGE: Final = "localhost/isthmus-runtime:dev"
REPLICA_SETS: Final = Where("apps/v1", "ReplicaSet", "replicasets")
AT_ONCE: Final = 16
_MOMENT: Final = "2026-01-01T00:00:00Z"
_API: Final = "isthmus.dev/v1alpha1"


async def fill(
    client: Client,
    namespace: str,
    count: int,
    *,
    address: str = "192.0.2.1",
    secret: str = "",
    with_pods: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Fill a namespace with this many Routes; `route-0` is the first. Pods are at `address`.

    A `secret` is the value of the one key of the Secret that all Connectors name. Without
    pods there are no Deployments and ReplicaSets either, which takes a third of the time.
    """
    connectors = [connector(namespace, number) for number in range(min(CONNECTORS, count))]
    for each in connectors:
        await _settle(client, kinds.CONNECTORS, each, {"observedGeneration": 1, **_ready("Valid")})
    if secret:
        await client.create(Where("v1", "Secret", "secrets"), _secret(namespace, secret))
    known = [_read(each) for each in connectors]
    done = 0

    async def one(number: int) -> None:
        nonlocal done
        deployment = await _route(client, namespace, number, known)
        if with_pods:
            await _workload(client, deployment, address)
        done += 1
        if done % 500 == 0:
            say(f"{done} of {count} Routes are there")

    await _side_by_side(range(count), one)


def connector(namespace: str, number: int) -> Object:
    """One Connector, whose token is in the Secret `system`."""
    token = {"secretKeyRef": {"name": "system", "key": "token"}}
    http = {
        "baseUrl": f"https://system-{number}.example.com",
        "auth": {"bearer": {"token": token}},
        "timeout": "2s",
    }
    return _object("Connector", namespace, f"system-{number}", {"http": http})


def mapping(namespace: str, number: int) -> Object:
    """The Mapping of a Route."""
    expression = f'{{"items": [hits.{{"sku": sku, "name": name}}], "page": {number}}}'
    return _object("Mapping", namespace, f"join-{number}", {"expression": expression})


def route(namespace: str, number: int) -> Object:
    """A Route that calls a Connector and maps what comes."""
    path = "/products/search"
    call = {"connector": f"system-{number % CONNECTORS}", "path": path}
    source = {"http": {"method": "GET", "path": f"/search/{number}", "open": True}}
    steps = [{"call": call}, {"map": {"mapping": f"join-{number}"}}]
    return _object("Route", namespace, f"route-{number}", {"source": source, "steps": steps})


async def _route(client: Client, namespace: str, number: int, known: list[Resource[Any]]) -> Object:
    """Make a Route and its Mapping; the Deployment that the operator makes of it."""
    own = mapping(namespace, number)
    await _settle(client, kinds.MAPPINGS, own, {"observedGeneration": 1, **_ready("Valid")})
    declared = route(namespace, number)
    resource = cast(Resource[RouteSpec], _read(declared))
    planned = plan(resource, Resources.of([*known, _read(own), resource])).plan
    assert planned is not None
    name = declared["metadata"]["name"]
    status = {
        "observedGeneration": 1,
        "lastAppliedGeneration": 1,
        "planHash": planned.hash,
        "selector": desired.selector(name),
        "replicas": 1,
        "updatedReplicas": 1,
        "availableReplicas": 1,
        **_ready("Running"),
    }
    made = await _settle(client, kinds.ROUTES, declared, status)
    context = desired.Context(image=IMAGE)
    children = desired.children(
        resource, planned, uid=str(made["metadata"]["uid"]), context=context
    )
    return dict(next(each for each in children if each["kind"] == "Deployment"))


async def _workload(client: Client, deployment: Object, address: str) -> None:
    """What the controllers make of a Deployment."""
    running = {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    annotations = {"deployment.kubernetes.io/revision": "1"}
    metadata = deployment["metadata"]
    metadata["annotations"] = {**metadata.get("annotations", {}), **annotations}
    top = await _settle(client, kinds.DEPLOYMENTS, deployment, running | {"updatedReplicas": 1})
    template = deployment["spec"]["template"]
    labels = {**template["metadata"]["labels"], "pod-template-hash": "1"}
    inner = {**template["metadata"], "labels": labels}
    owned = {"name": f"{metadata['name']}-1", "namespace": metadata["namespace"], "labels": labels}
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": owned | {"annotations": annotations, "ownerReferences": [owned_by(top)]},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {**template, "metadata": inner},
        },
    }
    middle = await _settle(client, REPLICA_SETS, replica_set, running)
    named = {"name": f"{owned['name']}-a", "namespace": metadata["namespace"]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": inner | named | {"ownerReferences": [owned_by(middle)]},
        "spec": template["spec"],
    }
    await _settle(client, kinds.PODS, pod, _pod_status(address))


async def _settle(client: Client, where: Where, found: Object, status: Object) -> Object:
    """Create an object and write its status."""
    made = await client.create(where, found)
    head = {"apiVersion": where.api_version, "kind": where.kind}
    metadata = {name: found["metadata"][name] for name in ("name", "namespace")}
    await client.apply(where, head | {"metadata": metadata, "status": status}, sub="status")
    return head | made


def _pod_status(address: str) -> Object:
    running = {
        "name": "route",
        "image": IMAGE,
        "imageID": "",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": _MOMENT}},
    }
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [running],
    }


def _ready(reason: str) -> Object:
    said = {
        "type": "Ready",
        "status": "True",
        "reason": reason,
        "message": "All is well.",
        "observedGeneration": 1,
        "lastTransitionTime": _MOMENT,
    }
    return {"conditions": [said]}


def _secret(namespace: str, value: str) -> Object:
    metadata = {"name": "system", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": {"token": value},
    }


def _object(kind: str, namespace: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def owned_by(found: Object) -> Object:
    """The reference of an object to the one that made it."""
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "name": found["metadata"]["name"],
        "uid": found["metadata"]["uid"],
        "controller": True,
    }


def _read(found: Object) -> Resource[Any]:
    checked = manifests.check(found, kind=KINDS[found["kind"]], origin=NOWHERE)
    assert isinstance(checked, Resource), checked
    return checked


async def _side_by_side(work: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    ahead = iter(work)

    async def some() -> None:
        for each in ahead:
            await do(each)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(some())
