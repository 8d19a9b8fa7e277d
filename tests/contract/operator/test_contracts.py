"""Contracts in a cluster: what Connectors and Routes say of the vendors' documents."""

import json

import manifests_text
import vendor_apis
from operating import Cluster, eventually

PIM = vendor_apis.FILES["pim"].read_text()
READS_NAME = "- call: {connector: pim, path: /products/1}\n- map: {expression: \"{'n': name}\"}"


def connector(key: str = "openapi.yaml") -> str:
    openapi = {"configMapKeyRef": {"name": "pim-openapi", "key": key}}
    return manifests_text.connector(
        "https://acme.pimento.example/api/v1",
        name="pim",
        auth={"bearer": {"token": {"secretKeyRef": {"name": "pim", "key": "token"}}}},
        contract={"openapi": openapi},
    )


def config_map(**data: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "pim-openapi"},
            "data": {key.replace("_", "."): text for key, text in data.items()},
        }
    )


async def test_a_route_that_does_not_fit_says_so_and_runs_all_the_same(cluster: Cluster) -> None:
    other = PIM.replace("            name: {type: string}", "            title: {type: string}")
    async with cluster.operator():
        await cluster.apply(config_map(openapi_yaml=PIM, v2_yaml=other), connector())
        await cluster.condition("Connector", "pim", "ContractReadable", status="True")
        await cluster.apply(manifests_text.route(READS_NAME))
        fits = await cluster.condition("Route", "it", "ContractFits", status="True")
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")

        await cluster.apply(connector(key="v2.yaml"))
        misfit = await cluster.condition("Route", "it", "ContractFits", status="False")
        await cluster.rolled_out("it")

        assert fits["reason"] == "ContractKept"
        assert misfit["reason"] == "ContractMismatch"
        assert misfit["message"].startswith(
            "spec.steps[1].map.expression: the answer of GET /products/{sku} has no field $.name"
        )
        await cluster.condition("Route", "it", status="True")
        connected = await cluster.condition("Connector", "pim", status="True")
        assert connected["reason"] == "Valid"


async def test_a_document_that_cannot_be_read_is_told_and_stops_nothing(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(connector(), manifests_text.route(READS_NAME))
        missing = await cluster.condition("Connector", "pim", "ContractReadable", status="False")
        await cluster.rolled_out("it")
        await cluster.condition("Route", "it", status="True")
        await cluster.apply(config_map(broken_yaml="openapi: 3.1.0\npaths: [\n"))
        await cluster.apply(connector(key="broken.yaml"))

        async def told() -> str:
            found = await cluster.condition("Connector", "pim", "ContractReadable")
            return str(found["message"])

        broken = await eventually(told, until=lambda text: "broken.yaml" in text)

    assert missing["reason"] == "ContractUnreadable"
    assert missing["message"].startswith(
        "spec.http.contract.openapi.configMapKeyRef: there is no ConfigMap 'pim-openapi'"
    )
    assert "pim-openapi/broken.yaml, line 3: the document is not YAML" in broken


async def test_a_connector_without_a_contract_says_nothing_of_one(cluster: Cluster) -> None:
    async with cluster.operator():
        await cluster.apply(manifests_text.connector("http://erp.example"))
        await cluster.condition("Connector", "erp", status="True")
        found = await cluster.get("Connector", "erp")

    assert found is not None
    assert {each["type"] for each in found["status"]["conditions"]}.isdisjoint(
        {"ContractReadable", "ContractFits"}
    )
