"""Argo CD syncs our kinds from Git, by the Applications and the settings of the guide."""

import json
import os
from collections.abc import Iterator
from typing import Any

import applications
import argocd_controllers
import pytest
import quotes
from applications import Application, ended, healths, is_well
from argocd_controllers import Installation
from git_repository import Repository
from health_states import STATES
from kubernetes_cluster import CHILDREN, Cluster, Namespace, eventually
from waves import in_wave, note, smoke

Manifest = dict[str, Any]
OURS = "routes,connectors,mappings"


@pytest.fixture(scope="module")
def argo(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("argocd")
    with argocd_controllers.running(cluster, folder, name=f"e2e-argocd-{os.getpid()}") as it:
        yield it


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("git") / "integrations")


@pytest.fixture(scope="module")
def shop(argo: Installation, repository: Repository, cluster: Cluster) -> Iterator[Application]:
    """What the tests change one after the other, beginning with the first sync."""
    with cluster.namespace(f"e2e-argocd-shop-{os.getpid()}") as namespace:
        made = applications.of_the_guide("integrations-test")
        yield Application(argo, repository, namespace, made)


def integrations(mapping: Manifest, *others: Manifest) -> list[Manifest]:
    """What Git has: a Route that answers with all it needs, a paused one, and a wave after them."""
    return [
        *quotes.erp(),
        quotes.secret(),
        quotes.connector(),
        mapping,
        quotes.route(),
        quotes.route("resting", paused=True),
        in_wave(1, smoke("quotes")),
        *others,
    ]


FIRST = integrations(quotes.mapping(1))


def mistaken() -> Manifest:
    """A Mapping with a test that fails."""
    found = quotes.mapping(2)
    wrong = {"name": "one", "input": {}, "expect": {"version": 3}}
    return found | {"spec": found["spec"] | {"tests": [wrong]}}


def test_a_first_sync_ends_healthy_wave_by_wave(shop: Application) -> None:
    revision = shop.commit(*FIRST)
    shop.make()

    seen = shop.until(lambda seen: ended(seen, revision) == "Succeeded" and is_well(seen))

    assert len(seen["status"]["history"]) == 1
    assert seen["status"].get("conditions", []) == []
    assert shop.to.condition("job/smoke", "Complete")["status"] == "True"
    kinds = {each["kind"] for each in seen["status"]["resources"]}
    assert kinds == {each["kind"] for each in FIRST}, "what the operator makes is in no Application"


def test_a_paused_route_is_healthy(shop: Application) -> None:
    seen = healths(shop.look())

    assert seen["Route/quotes"][0] == "Healthy"
    assert seen["Route/resting"] == ("Healthy", shop.to.condition("route/resting")["message"])


KNOWN = [("Route-running", "quotes"), ("Route-paused", "resting"), ("Connector-valid", "erp")]


@pytest.mark.parametrize(("state", "name"), [*KNOWN, ("Mapping-valid", "quote")])
def test_objects_are_as_the_tests_of_the_health_check_have_them(
    shop: Application, state: str, name: str
) -> None:
    assert said(known(state)) <= said(shop.to.get(state.partition("-")[0], name))


def known(state: str) -> Manifest:
    """An object as the files of the health check's tests have it."""
    return next(each for each in STATES if each.id == state.lower()).known()


def said(found: Manifest) -> set[tuple[str, ...]]:
    """What an object's conditions say, but for numbers and names."""
    conditions = found["status"]["conditions"]
    return {(each["type"], each["status"], each["reason"]) for each in conditions}


def test_the_actions_of_routes_are_listed_and_done(shop: Application) -> None:
    def act(*args: str) -> str:
        return shop.argo.command("app", "actions", *args, "--kind", "Route")

    def offered(route: str) -> set[str]:
        rows = act("list", shop.name, "--resource-name", route).splitlines()[1:]
        return {row.split()[-2] for row in rows if row.split()[-1] == "false"}

    assert offered("quotes") == {"pause", "restart", "scale"}
    assert offered("resting") == {"resume", "scale"}

    act("run", shop.name, "pause", "--resource-name", "quotes")
    shop.to.wait("route/quotes", "condition=Paused")
    assert is_well(shop.look())
    act("run", shop.name, "resume", "--resource-name", "quotes")
    shop.to.wait("route/quotes", "condition=Ready")
    assert is_well(shop.look())


def test_a_bad_mapping_is_degraded_and_ends_the_wave(shop: Application) -> None:
    revision = shop.commit(*integrations(mistaken(), in_wave(1, note("later"))))
    shop.look()

    shop.until(lambda seen: has_failed(seen, revision))
    seen = shop.until(lambda seen: seen["status"]["health"]["status"] == "Degraded")

    health, message = healths(seen)["Mapping/quote"]
    assert health == "Degraded"
    assert message == shop.to.condition("mapping/quote")["message"]
    assert "spec.tests[0]" in message
    assert said(shop.to.get("mapping/quote")) == said(known("Mapping-mistaken"))
    assert healths(seen)["Route/quotes"][0] == "Degraded"
    assert "later" not in shop.to.kubectl("get", "configmaps", "-o", "name")
    assert json.loads(shop.to.fetch("quotes:80", quotes.PATH))["version"] == 1


def has_failed(seen: Manifest, revision: str) -> bool:
    """Whether a sync of this revision failed, perhaps to be tried again."""
    operation = seen["status"].get("operationState", {})
    tried = operation.get("syncResult", {}).get("revision") == revision
    return tried and bool(operation["phase"] == "Failed" or operation.get("retryCount"))


def test_a_revert_heals(shop: Application) -> None:
    """While Argo CD still tries the revision that failed."""
    shop.deploy(*FIRST)

    assert json.loads(shop.to.fetch("quotes:80", quotes.PATH))["version"] == 1


def versions(namespace: Namespace) -> dict[str, str]:
    """The resourceVersion of our objects and of what was made for them."""
    found = namespace.get(f"{OURS},{CHILDREN}")["items"]
    metadata = {f"{each['kind']}/{each['metadata']['name']}": each["metadata"] for each in found}
    return {name: each["resourceVersion"] for name, each in metadata.items()}


def test_argo_cd_writes_nothing_when_there_is_nothing_to_do(shop: Application) -> None:
    before, written = shop.look(), versions(shop.to)

    compared = {shop.look()["status"]["reconciledAt"] for _ in range(2)}
    shop.until(lambda seen: seen["status"]["reconciledAt"] > max(compared))  # by itself

    after = shop.look()["status"]
    assert after["history"] == before["status"]["history"]
    assert after["operationState"] == before["status"]["operationState"]
    assert versions(shop.to) == written


def test_what_leaves_git_is_pruned_with_what_was_made_of_it(shop: Application) -> None:
    shop.deploy(*quotes.erp(), quotes.secret())

    assert shop.to.kubectl("get", OURS, "-o", "name") == ""
    eventually(
        lambda: shop.to.kubectl("get", CHILDREN, "-l", "isthmus.dev/route", "-o", "name"),
        until=lambda found: not found,
    )


def test_a_deleted_application_leaves_nothing(shop: Application, namespace: Namespace) -> None:
    """But for what is in a namespace where nothing has been."""
    shop.deploy(*FIRST)

    shop.argo.namespace.kubectl("delete", f"application/{shop.name}", "--timeout=90s")

    eventually(lambda: everything(shop.to), until=lambda found: found == everything(namespace))


def everything(namespace: Namespace) -> set[str]:
    """What there is."""
    kinds = f"{OURS},{CHILDREN},secrets,jobs"
    return set(namespace.kubectl("get", kinds, "-o", "name").split())


@pytest.fixture
def application(
    request: pytest.FixtureRequest, argo: Installation, repository: Repository, namespace: Namespace
) -> Iterator[Application]:
    """An Application of the guide, in a namespace for one test."""
    made = Application(argo, repository, namespace, applications.of_the_guide(request.param))
    yield made
    argo.namespace.kubectl("delete", f"application/{made.name}", "--ignore-not-found")


NEEDED = (quotes.secret(), quotes.connector(), quotes.mapping())


def paused(name: str, **fields: Any) -> Manifest:
    """A Route whose count is what matters."""
    return quotes.route(name, paused=True, **fields)


@pytest.mark.parametrize("application", ["integrations-test"], indirect=True)
def test_a_count_of_git_is_put_back_and_others_are_left(application: Application) -> None:
    routes = (
        paused("of-git", replicas=2),
        paused("of-a-scaler"),
        paused("of-the-operator", autoscaling={"maxReplicas": 3, "cpu": 70}),
    )
    namespace = application.to
    application.commit(*NEEDED, *routes)
    application.make()
    application.until(is_there)

    namespace.kubectl("scale", "route/of-a-scaler", "--replicas=4")
    assert is_well(application.look())
    namespace.kubectl("scale", "route/of-git", "--replicas=5")
    namespace.wait("route/of-git", "jsonpath={.spec.replicas}=2")
    application.deploy(*NEEDED, *routes, note("marker"))

    assert counts(namespace) == {"of-git": 2, "of-a-scaler": 4, "of-the-operator": 1}


@pytest.mark.parametrize("application", ["integrations-prod"], indirect=True)
def test_a_count_to_start_with_is_left_where_it_is_ignored(application: Application) -> None:
    manifests = (*NEEDED, paused("scaled", replicas=2))
    application.commit(*manifests)
    application.make()
    application.until(is_there)
    assert counts(application.to) == {"scaled": 2}

    application.to.kubectl("scale", "route/scaled", "--replicas=4")
    assert is_well(application.look())
    changed = paused("scaled", replicas=2, env={"edition": "second"})
    application.deploy(*NEEDED, changed)

    assert counts(application.to) == {"scaled": 4}
    assert application.to.get("route/scaled")["spec"]["env"] == {"edition": "second"}


@pytest.mark.parametrize("application", ["integrations-test"], indirect=True)
def test_tracking_by_labels_prunes_nothing_that_the_operator_made(
    application: Application,
) -> None:
    """What has the label and is not in Git is pruned, which a stray object shows."""
    namespace = application.to
    manifests = (*NEEDED, paused("tracked"))
    application.argo.track_by("label")
    application.commit(*manifests)
    application.make()
    application.until(is_there)
    labels = namespace.get("route/tracked")["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/instance": application.name}
    made = namespace.uids(CHILDREN, "-l", "isthmus.dev/route=tracked")
    assert made

    namespace.apply(note("stray", **labels))
    application.deploy(*manifests, note("marker"))
    namespace.wait("configmap/stray", "delete")

    assert is_well(application.look())
    assert namespace.uids(CHILDREN, "-l", "isthmus.dev/route=tracked") == made


def is_there(seen: Manifest) -> bool:
    """Whether the first sync is over and well."""
    status = seen.get("status", {})
    return bool(status.get("history")) and is_well(seen)


def counts(namespace: Namespace) -> dict[str, int]:
    """How many pods each Route is to have."""
    found = namespace.get("routes")["items"]
    return {each["metadata"]["name"]: each["spec"]["replicas"] for each in found}
