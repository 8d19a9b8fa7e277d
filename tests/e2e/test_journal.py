"""Routes with a journal in a cluster: the embedded PostgreSQL of the chart, and what it keeps."""

import os
from collections.abc import Iterator

import pytest
from embedded_journal import POD, address, embedded_journal, sql
from kubernetes_cluster import Cluster, Namespace


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace whose Routes have the embedded journal, for all tests here."""
    with (
        cluster.namespace(f"e2e-journal-{os.getpid()}") as made,
        embedded_journal(cluster, made.name),
    ):
        yield made


def test_the_embedded_journal_keeps_its_data_and_its_password(namespace: Namespace) -> None:
    system, before = namespace.cluster.system, address(namespace)
    sql(namespace, "CREATE TABLE kept AS SELECT 42 AS it")

    system.kubectl("delete", "pod", POD)
    system.kubectl("rollout", "status", "statefulset/isthmus-journal", "--timeout=120s")

    assert address(namespace) == before
    assert sql(namespace, "SELECT it FROM kept") == "42"


def test_the_embedded_journal_ends_in_order_when_it_is_asked_to(namespace: Namespace) -> None:
    """It would otherwise wait for its clients, and be killed."""
    system = namespace.cluster.system
    sql(namespace, "SELECT 1")

    system.kubectl("delete", "pod", POD)
    system.kubectl("rollout", "status", "statefulset/isthmus-journal", "--timeout=120s")

    assert "database system was shut down at" in system.kubectl("logs", POD)
