"""Late binding: what a Route names may come in any order, before the Route or after it."""

import itertools
from collections.abc import Sequence

import manifests_text
from operating import Cluster, eventually

KINDS = ("Connector", "Mapping", "Secret", "Route")
ORDERS = list(itertools.permutations(KINDS))
"""All there are, so there is nothing to draw lots about."""
NEEDED = {"Connector", "Mapping", "Route"}
"""What a Deployment waits for. The Secret is the pods' to wait for: nobody reads it but they."""


def _documents(number: int) -> dict[str, str]:
    token = {"secretKeyRef": {"name": f"s-{number}", "key": "token"}}
    steps = f"- call: {{connector: c-{number}}}\n- map: {{mapping: m-{number}}}"
    secret = (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s-{number}}}\nstringData: {{token: x}}"
    )
    return {
        "Connector": manifests_text.connector(
            "http://erp.example", name=f"c-{number}", auth={"bearer": {"token": token}}
        ),
        "Mapping": manifests_text.mapping('{"n": n}', name=f"m-{number}"),
        "Secret": secret,
        "Route": manifests_text.route(steps, name=f"r-{number}", path=f"/{number}"),
    }


async def test_all_orders_of_applying_end_ready_and_no_pod_comes_before_its_time(
    cluster: Cluster,
) -> None:
    async with cluster.operator() as operator:
        for step in range(len(KINDS)):
            documents = [_documents(number)[order[step]] for number, order in enumerate(ORDERS)]
            await cluster.kubectl(
                "apply", "--server-side", "-f", "-", stdin="\n---\n".join(documents)
            )
            await _said_of_all_routes(cluster, step)
            await operator.queue.idle()

            resolved = {n for n, order in enumerate(ORDERS) if _there(order, step) >= NEEDED}
            made = {each["metadata"]["name"] for each in await cluster.all("Deployment")}
            assert made == {f"r-{number}" for number in resolved}
            for number in resolved:
                await _play_kubelet(
                    cluster, number, has_secret="Secret" in _there(ORDERS[number], step)
                )

        for number in range(len(ORDERS)):
            await cluster.rolled_out(f"r-{number}")
        for number in range(len(ORDERS)):
            await cluster.condition("Route", f"r-{number}", status="True")
            await cluster.condition("Connector", f"c-{number}", status="True")
            await cluster.condition("Mapping", f"m-{number}", status="True")


def _there(order: Sequence[str], step: int) -> set[str]:
    """What was applied by the end of a step."""
    return set(order[: step + 1])


def _reason(order: Sequence[str], step: int) -> str:
    """What a Route says after a step, before the kubelet acts on it."""
    there, before = _there(order, step), _there(order, step - 1)
    if "Connector" not in there:
        return "ConnectorNotFound"
    if "Mapping" not in there:
        return "MappingNotFound"
    return "SecretNotFound" if before == NEEDED else "RollingOut"


async def _said_of_all_routes(cluster: Cluster, step: int) -> None:
    """Return once every Route that is there says what it waits for."""
    wanted = {
        f"r-{number}": _reason(order, step)
        for number, order in enumerate(ORDERS)
        if "Route" in _there(order, step)
    }

    async def look() -> dict[str, str]:
        return {
            each["metadata"]["name"]: next(
                (it["reason"] for it in each.get("status", {}).get("conditions", ())), ""
            )
            for each in await cluster.all("Route")
        }

    await eventually(look, until=lambda said: said == wanted)


async def _play_kubelet(cluster: Cluster, number: int, *, has_secret: bool) -> None:
    name = f"pod-{number}"
    if has_secret:
        await cluster.pod(f"r-{number}", name=name)
        return
    message = f'secret "s-{number}" not found'
    waits = {"reason": "CreateContainerConfigError", "message": message}
    await cluster.pod(f"r-{number}", name=name, waiting=waits)
    await cluster.condition("Route", f"r-{number}", status="False", reason="SecretNotFound")
    await cluster.condition("Route", f"r-{number}", "Reconciling", status="True")
