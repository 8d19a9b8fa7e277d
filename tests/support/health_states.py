"""Objects in every state that their health tells apart, and what is to be seen of each.

The objects are those of a real API server, with the status that the operator wrote, and stand in
`FOLDER`; `tests/contract/kubernetes/test_health_states.py` makes them anew and compares. There is
no node behind that server, so the states play the Deployment controller and the kubelet.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import manifests_text
import upstreams
import yaml
from operating import Cluster

FOLDER: Final = Path(__file__).parents[1] / "contract/kubernetes/golden/health"
NAMESPACE: Final = "shop"
UNSEEN: Final = "The operator has not seen this generation yet."

ERP = manifests_text.connector("http://erp.example")
SECRETIVE = manifests_text.connector(
    "http://erp.example", auth={"bearer": {"token": {"secretKeyRef": {"name": "erp", "key": "it"}}}}
)
MAPPING = manifests_text.mapping('{"n": n + 1}', name="plus-one")
FAILING = {"name": "one", "input": {"n": 1}, "expect": {"n": 3}}
CONTRACTED = manifests_text.connector(
    "http://erp.example",
    contract={"openapi": {"configMapKeyRef": {"name": "erp-openapi", "key": "openapi.yaml"}}},
)
CALL = "- call: {connector: erp}"
ROUTE = manifests_text.route(CALL)
NO_SECRET = {"reason": "CreateContainerConfigError", "message": 'secret "erp" not found'}
TIMED_OUT = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": 'ReplicaSet "it-1" has timed out progressing.',
}

Reach = Callable[[Cluster], Awaitable[None]]


@dataclass(frozen=True)
class State:
    """A state of one object: how it is reached, and what Argo CD and kstatus are to make of it."""

    kind: str
    name: str
    reach: Reach
    health: str
    kstatus: str
    object: str = "it"

    @property
    def file(self) -> Path:
        """Where the object stands."""
        return FOLDER / f"{self.kind.lower()}-{self.name}.yaml"

    @property
    def id(self) -> str:
        """How a test names it."""
        return self.file.stem

    def known(self) -> dict[str, Any]:
        """The object as its file has it."""
        found: dict[str, Any] = yaml.safe_load(self.file.read_text())
        return found

    def message(self) -> str:
        """What its health has to say: what its `Ready` says."""
        found = self.known()
        status = found.get("status", {})
        if status.get("observedGeneration") != found["metadata"]["generation"]:
            return UNSEEN
        message: str = next(each for each in status["conditions"] if each["type"] == "Ready")[
            "message"
        ]
        return message


async def _running(cluster: Cluster) -> None:
    await cluster.apply(ERP, ROUTE)
    await cluster.condition("Route", "it", status="Unknown")
    await cluster.rolled_out("it")
    await cluster.condition("Route", "it", status="True")


async def running(cluster: Cluster) -> None:
    async with cluster.operator():
        await _running(cluster)


async def changed(cluster: Cluster) -> None:
    """Nobody is there to see the change."""
    await running(cluster)
    await cluster.patch("route", "it", {"spec": {"env": {"edition": "second"}}})


async def no_operator(cluster: Cluster) -> None:
    await cluster.apply(ERP, MAPPING, ROUTE)


async def rolling_out(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await cluster.condition("Route", "it", "Reconciling", status="True", reason="RollingOut")


async def scaled_to_zero(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, manifests_text.route(CALL, spec={"replicas": 0}))
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", reason="ScaledToZero")


async def paused(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, manifests_text.route(CALL, spec={"paused": True}))
        await cluster.condition("Route", "it", "Paused", status="True")


async def connector_missing(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ROUTE)
        await cluster.condition("Route", "it", reason="ConnectorNotFound")


async def secret_missing(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(SECRETIVE, ROUTE)
        await cluster.pod("it", waiting=NO_SECRET)
        for kind, name in (("Route", "it"), ("Connector", "erp")):
            await cluster.condition(kind, name, reason="SecretNotFound")


async def mistaken(cluster: Cluster) -> None:
    """A Route and a Mapping with a mistake each. The schema lets none of a Connector's through."""
    async with cluster.operator():
        failing = manifests_text.mapping('{"n": n + 1}', name="plus-one", tests=[FAILING])
        await cluster.apply(failing, manifests_text.route("- filter: '{% $nix %}'"))
        await cluster.condition("Route", "it", "Stalled", status="True")
        await cluster.condition("Mapping", "plus-one", "Stalled", status="True")


async def broken_change(cluster: Cluster) -> None:
    """Pods run the last good version."""
    async with cluster.operator():
        await _running(cluster)
        await cluster.apply(manifests_text.route("- filter: '{% $nix %}'"))
        await cluster.condition("Route", "it", "Stalled", status="True")


async def name_taken(cluster: Cluster) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "it"},
        "spec": {"ports": [{"port": 80}]},
    }
    async with cluster.operator():
        await cluster.apply(service, ERP, ROUTE)
        await cluster.condition("Route", "it", "Stalled", reason="NameConflict")


async def schema_drift(cluster: Cluster) -> None:
    """A pod tells of a field that the vendor's document does not have."""
    colour = {"operation": "GET /products/{sku}", "kind": "new", "path": "$.colour"}
    told = {"namespace": cluster.namespace, "connector": "erp", "answers": 1}
    page = {
        "routes": [{"namespace": cluster.namespace, "name": "it"}],
        "contracts": [{**told, "schemaDrift": [colour]}],
    }
    pod = upstreams.Upstream(lambda _: upstreams.answer(page))
    await pod.start()
    async with cluster.operator(visit_every=0.1):
        await cluster.apply(CONTRACTED, ROUTE)
        await cluster.rolled_out("it")
        await cluster.pod("it", admin_port=pod.port)
        await cluster.condition("Route", "it", "SchemaDrift", status="True")
        await cluster.condition("Route", "it", status="True")
    await pod.stop()


async def pods_do_not_come(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        deployment = await cluster.eventually_there("Deployment", "it")
        seen = {"observedGeneration": deployment["metadata"]["generation"]}
        await cluster.play("Deployment", "it", seen | {"conditions": [TIMED_OUT]})
        await cluster.condition("Route", "it", "Stalled", reason="ProgressDeadlineExceeded")


async def valid(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(ERP, MAPPING)
        await cluster.condition("Connector", "erp", status="True")
        await cluster.condition("Mapping", "plus-one", status="True")


STATES: Final = (
    State("Route", "running", running, "Healthy", "Current"),
    State("Route", "schema-drift", schema_drift, "Healthy", "Current"),
    State("Route", "scaled-to-zero", scaled_to_zero, "Healthy", "Current"),
    # Argo CD lets a paused Route pass, as what was wanted; kstatus knows no such state.
    State("Route", "paused", paused, "Healthy", "InProgress"),
    State("Route", "not-seen", no_operator, "Progressing", "InProgress"),
    State("Route", "changed", changed, "Progressing", "InProgress"),
    State("Route", "rolling-out", rolling_out, "Progressing", "InProgress"),
    State("Route", "connector-missing", connector_missing, "Progressing", "InProgress"),
    State("Route", "secret-missing", secret_missing, "Progressing", "InProgress"),
    State("Route", "mistaken", mistaken, "Degraded", "Failed"),
    State("Route", "broken-change", broken_change, "Degraded", "Failed"),
    State("Route", "name-taken", name_taken, "Degraded", "Failed"),
    State("Route", "pods-do-not-come", pods_do_not_come, "Degraded", "Failed"),
    State("Connector", "valid", valid, "Healthy", "Current", "erp"),
    State("Connector", "not-seen", no_operator, "Progressing", "InProgress", "erp"),
    State("Connector", "secret-missing", secret_missing, "Progressing", "InProgress", "erp"),
    State("Mapping", "valid", valid, "Healthy", "Current", "plus-one"),
    State("Mapping", "not-seen", no_operator, "Progressing", "InProgress", "plus-one"),
    State("Mapping", "mistaken", mistaken, "Degraded", "Failed", "plus-one"),
)


async def taken(state: State, cluster: Cluster) -> str:
    """The object as its file is to have it: without what is another one each time."""
    await state.reach(cluster)
    shown = await asyncio.to_thread(
        cluster.plane.kubectl, "-n", cluster.namespace, "get", state.kind, state.object, "-o=yaml"
    )
    found = yaml.safe_load(shown.stdout)
    metadata = found["metadata"]
    metadata |= {"uid": "00000000-0000-0000-0000-000000000000", "resourceVersion": "1"}
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    status = found.get("status", {})
    if "planHash" in status:
        status["planHash"] = "0" * len(status["planHash"])
    for condition in status.get("conditions", ()):
        condition["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    return yaml.safe_dump(found).replace(cluster.namespace, NAMESPACE)
