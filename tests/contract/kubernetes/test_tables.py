"""What `kubectl get` shows of our kinds, with the status that the operator really writes.

There is no node, so the tests play the Deployment controller, and the kubelet of one pod.
"""

import re
from pathlib import Path

import manifests_text
from control_plane import ControlPlane
from controllers import roll_out
from golden import compare
from operating import Cluster

from isthmus_operator.kube import Access, Client

GOLDEN = Path(__file__).parent / "golden"
NAMESPACE = "shop"
"""Messages tell it."""
ERP = manifests_text.connector("http://erp.example:8082/api")
KEY = {"secretKeyRef": {"name": "shop", "key": "token"}}
SHOP = manifests_text.connector(
    "https://shop.example.com", name="shop", auth={"bearer": {"token": KEY}}
)
UNUSED = manifests_text.connector("https://pim.example.com", name="unused")
PRICES = manifests_text.mapping('{"price": gross}', name="prices")
WRONG = {"name": "of two", "input": {"gross": 1, "count": 2}, "expect": {"total": 3}}
TOTALS = manifests_text.mapping('{"total": gross * count}', name="totals", tests=[WRONG])
CALL = "- call: {connector: erp}\n- map: {mapping: prices}"


def _route(name: str, steps: str = CALL, **spec: object) -> str:
    return manifests_text.route(steps, name=name, path=f"/{name}", spec=dict(spec))


ROUTES = [
    _route("paused", paused=True, replicas=2),
    _route("ready"),
    _route("scaled"),
    _route("spoilt"),
    _route("to-zero", replicas=0),
    _route("without-connector", "- call: {connector: nobody}"),
    _route("wrong", "- map: {mapping: prices}\n- filter: '{% $nix %}'"),
    _route("wrong-mapping", "- map: {mapping: totals}"),
]


async def _bring_about(cluster: Cluster) -> None:
    await cluster.apply(ERP, SHOP, UNUSED, PRICES, TOTALS, *ROUTES)
    for name in ("paused", "ready", "scaled", "spoilt", "to-zero"):
        await cluster.eventually_there("Deployment", name)
    await roll_out(cluster)
    for name in ("ready", "scaled", "spoilt", "to-zero"):
        await cluster.condition("Route", name, status="True")
    await cluster.kubectl("scale", "route/scaled", "--replicas=3")
    await cluster.patch("route", "spoilt", {"spec": {"steps": [{"filter": "{% $nix %}"}]}})
    await cluster.condition("Route", "scaled", reason="RollingOut")
    await cluster.rolled_out("scaled")
    # What nobody rolls out comes last.
    await cluster.apply(_route("new", replicas=2), _route("secretive", "- call: {connector: shop}"))
    waits = {"reason": "CreateContainerConfigError", "message": 'secret "shop" not found'}
    await cluster.pod("secretive", waiting=waits)
    for name, reason in EXPECTED.items():
        await cluster.condition("Route", name, reason=reason)
    await cluster.condition("Connector", "shop", reason="SecretNotFound")
    await cluster.condition("Connector", "unused", reason="Valid")
    await cluster.condition("Mapping", "totals", reason="TestFailed")


EXPECTED = {
    "new": "RollingOut",
    "paused": "Paused",
    "ready": "Running",
    "scaled": "Running",
    "secretive": "SecretNotFound",
    "spoilt": "ExpressionInvalid",
    "to-zero": "ScaledToZero",
    "without-connector": "ConnectorNotFound",
    "wrong": "ExpressionInvalid",
    "wrong-mapping": "TestFailed",
}


async def test_get_shows_how_everything_is(plane: ControlPlane) -> None:
    plane.kubectl("create", "namespace", NAMESPACE)
    async with Client(Access.of_kubeconfig(plane.kubeconfig)) as client:
        cluster = Cluster(plane, client, NAMESPACE)
        async with cluster.operator() as operator:
            await _bring_about(cluster)
            await operator.queue.idle()

            for kind in ("routes", "connectors", "mappings"):
                table = await cluster.kubectl("get", kind)
                compare(GOLDEN / f"{kind}.txt", _without_ages(table))
                wide = await cluster.kubectl("get", kind, "-o", "wide")
                compare(GOLDEN / f"{kind}-wide.txt", _without_ages(wide))


def _without_ages(table: str) -> str:
    """A table with a dash for each age, and without spaces at the ends of lines."""
    head, *rows = table.splitlines()
    age = head.index("AGE")
    aged = [row[:age] + re.sub(r"\S+", _dash, row[age:], count=1) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in (head, *aged))


def _dash(age: re.Match[str]) -> str:
    return "-".ljust(len(age[0]))
