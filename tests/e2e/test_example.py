"""The example in a cluster, as the README shows it."""

import json

from kubernetes_cluster import ROOT, Namespace, eventually


def test_the_example_answers_and_scales_alone(namespace: Namespace) -> None:
    namespace.kubectl("apply", "-k", str(ROOT / "examples/search-with-prices-kubernetes"))
    for each in ("deployment/search", "deployment/erp", "deployment/shop"):
        namespace.wait(each, "condition=Available")
    namespace.wait("route/product-search")

    found = json.loads(namespace.fetch("product-search:80", "/search?q=chair&limit=2"))

    assert [item["price"]["currency"] for item in found["items"]] == ["EUR", "EUR"]

    before = {each["metadata"]["uid"] for each in namespace.get("pods")["items"]}
    namespace.kubectl("scale", "route/product-search", "--replicas=3")
    namespace.wait("route/product-search", "jsonpath={.status.availableReplicas}=3")
    now = {each["metadata"]["uid"] for each in namespace.get("pods")["items"]}
    assert before < now

    namespace.kubectl("delete", "route/product-search")
    eventually(lambda: namespace.pods("product-search"), until=lambda pods: not pods)
