"""Credentials change, are missing and go away under a steady load, and no request is lost."""

import itertools
import json
import os
from collections.abc import Iterator

import pytest
import vendor
from kubernetes_cluster import Cluster, Namespace, eventually
from steady_load import Load, steady_load

ROUTE = f"route/{vendor.ROUTE}"
MOUNT = "/etc/isthmus/secrets/vendor"
EFFECTIVE_SECONDS = 60
"""Within so long every pod uses what a Secret holds."""
TOLD_SECONDS = 10
_users = itertools.count(2)


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace with a Route of two pods, for all tests here."""
    with cluster.namespace(f"e2e-credentials-{os.getpid()}") as made:
        vendor.start(made, replicas=2)
        yield made


@pytest.fixture
def load(namespace: Namespace) -> Iterator[Load]:
    """A load on the Route while it runs."""
    with steady_load(namespace, vendor.ROUTE, vendor.PATH) as begun:
        yield begun


def users(namespace: Namespace) -> list[str]:
    """Who each pod of the Route is for the vendor."""
    pods = namespace.pods(vendor.ROUTE).values()
    return [json.loads(namespace.fetch_from(pod, vendor.PATH))["user"] for pod in pods]


def test_a_rotated_secret_is_used_by_pods_that_run_and_loses_nothing(
    namespace: Namespace, load: Load
) -> None:
    pods, before = namespace.pods(vendor.ROUTE), set(users(namespace))
    number = next(_users)

    namespace.apply(vendor.secret(number))
    new = f"user-{number}"
    eventually(
        lambda: users(namespace), until=lambda found: set(found) == {new}, within=EFFECTIVE_SECONDS
    )

    account = load.end()
    account.assert_nothing_lost()
    assert {json.loads(body)["user"] for body in account.answers} == before | {new}
    assert namespace.pods(vendor.ROUTE) == pods


def test_a_key_that_is_missing_is_told_harms_nothing_and_heals_when_it_is_added(
    namespace: Namespace, load: Load
) -> None:
    pods = namespace.pods(vendor.ROUTE)

    namespace.apply(vendor.connector(password="api-password"))
    told = eventually(
        lambda: namespace.condition(ROUTE),
        until=lambda found: found["reason"] == "SecretNotFound",
        within=TOLD_SECONDS,
    )
    assert told["status"] == "False"
    assert "the Secret 'vendor' has no key 'api-password'" in told["message"]
    assert pods.keys() < namespace.pods(vendor.ROUTE).keys()

    number = next(_users)
    namespace.apply(vendor.secret(number, **{"api-password": f"password-{number}"}))
    namespace.wait(ROUTE)
    eventually(lambda: users(namespace), until=lambda found: set(found) == {f"user-{number}"})

    load.end().assert_nothing_lost()
    assert not pods.keys() & namespace.pods(vendor.ROUTE).keys()


def test_a_secret_that_is_deleted_leaves_pods_that_run_alone_and_keeps_others_waiting(
    namespace: Namespace, load: Load
) -> None:
    pods = namespace.pods(vendor.ROUTE)
    assert all(_mounted(namespace, pod) for pod in pods.values())

    namespace.kubectl("delete", "secret", "vendor")
    for pod in pods.values():
        eventually(lambda pod=pod: _mounted(namespace, pod), until=lambda keys: not keys)  # type: ignore[misc]
    assert namespace.condition(ROUTE)["status"] == "True"
    namespace.kubectl("scale", ROUTE, "--replicas=3")
    told = eventually(
        lambda: namespace.condition(ROUTE),
        until=lambda found: found["reason"] == "SecretNotFound",
        within=TOLD_SECONDS,
    )
    assert "there is no Secret 'vendor'" in told["message"]

    number = next(_users)
    namespace.apply(vendor.secret(number, **{"api-password": f"password-{number}"}))
    namespace.wait(ROUTE)
    eventually(lambda: users(namespace), until=lambda found: set(found) == {f"user-{number}"})

    load.end().assert_nothing_lost()
    assert pods.keys() < namespace.pods(vendor.ROUTE).keys()


def _mounted(namespace: Namespace, pod: str) -> list[str]:
    listing = f"import glob; print(*glob.glob('*', root_dir={MOUNT!r}))"
    exec_ = ("exec", pod, "-c", "route", "--", "python", "-c", listing)
    return namespace.kubectl(*exec_).split()
