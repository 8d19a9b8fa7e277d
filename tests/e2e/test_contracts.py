"""What pods see of answers reaches a Route's conditions, through networks that let nothing else."""

import json

import quotes
from kubernetes_cluster import Namespace, eventually

WITHIN_SECONDS = 180
"""The operator asks each pod once a minute."""
PRICE = {"type": "object", "properties": {"gross": {"type": "boolean"}}}
OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Prices", "version": "1"},
    "paths": {
        "/prices": {
            "post": {
                "responses": {
                    "200": {
                        "description": "Prices by SKU",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"CH-10423": PRICE}}
                            }
                        },
                    }
                }
            }
        }
    },
}


def test_an_answer_that_is_not_as_the_contract_says_becomes_a_condition(
    namespace: Namespace,
) -> None:
    document = {"metadata": {"name": "prices"}, "data": {"openapi.json": json.dumps(OPENAPI)}}
    connector = quotes.connector()
    reference = {"configMapKeyRef": {"name": "prices", "key": "openapi.json"}}
    connector["spec"]["http"]["contract"] = {"openapi": reference}
    namespace.apply({"apiVersion": "v1", "kind": "ConfigMap", **document})
    namespace.apply(*quotes.erp(), quotes.secret(), connector, quotes.mapping(), quotes.route())
    namespace.wait("deployment/erp", "condition=Available")
    namespace.wait("route/quotes")

    namespace.fetch("quotes:80", quotes.PATH)

    drift = eventually(
        lambda: namespace.condition("route/quotes", "SchemaDrift"),
        until=lambda found: found.get("status") == "True",
        within=WITHIN_SECONDS,
    )
    assert "gross" in drift["message"]
    assert namespace.condition("route/quotes")["status"] == "True"
