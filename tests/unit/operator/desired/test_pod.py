"""The pods of a Route: how many, how large, what they may do, and what makes them roll."""

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from desired_cases import CASES, CONTEXT, EVERY_FIELD, IMAGE, JOURNAL, SMALLEST, UID, Case
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.model import ObjectMeta
from isthmus_api.resources import Key, Resource
from isthmus_api.route import RouteSpec
from isthmus_api.workload import PodResources, PodTemplate
from isthmus_operator import desired
from isthmus_operator.desired import PLAN_ANNOTATION, Context, Journal, Manifest, amounts, pod

CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def route(
    text: str = SMALLEST,
    *,
    metadata: ObjectMeta | None = None,
    context: Context = CONTEXT,
    **spec: Any,
) -> Manifest:
    """The Deployment of a Route with other fields in its spec."""
    case = Case(text)
    plain = {**case.route.spec.canonical(), **spec}
    name = case.route.key.name
    made: Resource[RouteSpec] = Resource(
        Key("Route", case.route.key.namespace, name),
        metadata or ObjectMeta(name=name),
        RouteSpec.model_validate(plain),
    )
    found = desired.children(made, case.plan, uid=UID, context=context)
    return next(each for each in found if each["kind"] == "Deployment")


def deployment(case: Case) -> Manifest:
    return next(each for each in case.children() if each["kind"] == "Deployment")


def containers(deployment: Manifest) -> list[Manifest]:
    spec = deployment["spec"]["template"]["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]


REPLICAS = {
    "one by default": ({}, 1),
    "as many as it says": ({"replicas": 5}, 5),
    "none, if it says so": ({"replicas": 0}, 0),
    "none while it is paused": ({"replicas": 5, "paused": True}, 0),
    "as before when it goes on": ({"replicas": 5, "paused": False}, 5),
}


@pytest.mark.parametrize(("spec", "wanted"), REPLICAS.values(), ids=REPLICAS)
def test_a_route_has_as_many_pods(spec: dict[str, Any], wanted: int) -> None:
    assert route(**spec)["spec"]["replicas"] == wanted


@given(st.integers(0, 1000), st.booleans())
def test_scaling_and_pausing_change_the_count_and_nothing_else(count: int, paused: bool) -> None:
    before, after = route(EVERY_FIELD), route(EVERY_FIELD, replicas=count, paused=paused)

    assert after["spec"] == {**before["spec"], "replicas": 0 if paused else count}


KEYS = st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=20), max_size=4)


@given(KEYS, KEYS, st.integers(0, 100))
def test_the_routes_own_metadata_changes_nothing(
    labels: dict[str, str], annotations: dict[str, str], generation: int
) -> None:
    metadata = ObjectMeta(
        name="hello", labels=labels, annotations=annotations, generation=generation
    )

    assert route(metadata=metadata) == route()


def test_the_image_is_the_contexts() -> None:
    case = CASES["every-field"]
    context = Context("example/runtime:2", pull_policy="Always")
    found = desired.children(case.route, case.plan, uid=UID, context=context)
    made = next(each for each in found if each["kind"] == "Deployment")

    assert {each["image"] for each in containers(made)} == {"example/runtime:2"}
    assert {each["imagePullPolicy"] for each in containers(made)} == {"Always"}


COMMON = PodTemplate.model_validate(
    {
        "labels": {"cost-centre": "42"},
        "annotations": {"owner": "platform"},
        "nodeSelector": {"pool": "shop"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "priorityClassName": "shop",
        "imagePullSecrets": [{"name": "mirror"}],
    }
)


def test_a_route_that_says_nothing_of_its_pods_has_what_all_routes_have() -> None:
    found = route(context=replace(CONTEXT, pod_template=COMMON))["spec"]["template"]

    assert found["metadata"]["labels"].items() > {"cost-centre": "42"}.items()
    assert found["metadata"]["annotations"].items() > {"owner": "platform"}.items()
    assert found["spec"]["nodeSelector"] == {"pool": "shop"}
    assert found["spec"]["tolerations"] == [{"key": "dedicated", "operator": "Exists"}]
    assert found["spec"]["priorityClassName"] == "shop"
    assert found["spec"]["imagePullSecrets"] == [{"name": "mirror"}]


@pytest.mark.parametrize(
    ("field", "own"),
    [
        ("nodeSelector", {"pool": "large"}),
        ("tolerations", []),
        ("priorityClassName", "batch"),
        ("imagePullSecrets", [{"name": "own"}]),
    ],
)
def test_a_field_that_the_route_writes_goes_before_that_of_all_routes(field: str, own: Any) -> None:
    """The API server writes topologySpread into each podTemplate."""
    written = {field: own, "topologySpread": True}
    common = replace(CONTEXT, pod_template=COMMON)

    found = route(podTemplate=written, context=common)["spec"]["template"]["spec"]

    without = route(podTemplate={"topologySpread": True}, context=common)["spec"]["template"][
        "spec"
    ]
    assert found.get(field, []) == own
    assert {**found, field: None} == {**without, field: None}


@CASE
def test_the_plan_is_on_the_pods_and_in_what_they_mount(case: Case) -> None:
    children = {each["kind"]: each for each in case.children()}
    template = children["Deployment"]["spec"]["template"]
    [mounted] = [v["configMap"]["name"] for v in template["spec"]["volumes"] if v["name"] == "plan"]

    assert template["metadata"]["annotations"][PLAN_ANNOTATION] == case.plan.hash
    assert mounted == children["ConfigMap"]["metadata"]["name"]
    assert json.loads(children["ConfigMap"]["data"]["plan.json"])["name"] == case.route.key.name
    assert children["ConfigMap"]["immutable"] is True


def test_each_config_map_of_tables_is_a_folder_and_keeps_no_pod_waiting() -> None:
    children = {each["kind"]: each for each in CASES["tables"].children()}
    spec = children["Deployment"]["spec"]["template"]["spec"]
    [container] = spec["containers"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each["configMap"] for each in spec["volumes"]}

    assert volumes.keys() == mounts.keys()
    assert {mounts[name]: volumes[name] for name in volumes if name != "plan"} == {
        "/etc/isthmus/tables/prices-be": {"name": "prices-be", "optional": True},
        "/etc/isthmus/tables/prices-nl": {"name": "prices-nl", "optional": True},
    }
    assert {"name": "ISTHMUS_TABLES", "value": "/etc/isthmus/tables"} in container["env"]


@CASE
def test_containers_may_do_nothing_that_the_restricted_standard_forbids(case: Case) -> None:
    made = next(each for each in case.children() if each["kind"] == "Deployment")
    spec = made["spec"]["template"]["spec"]

    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for container in containers(made):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_pods_are_given_the_time_that_they_take_to_end() -> None:
    spec = route()["spec"]["template"]["spec"]
    env = {each["name"]: each["value"] for each in spec["containers"][0]["env"]}
    asked = float(env["ISTHMUS_LINGER_SECONDS"]) + float(env["ISTHMUS_DRAIN_SECONDS"])

    assert asked < spec["terminationGracePeriodSeconds"] == 30


def test_without_secrets_there_is_no_init_container_and_no_folder() -> None:
    spec = route()["spec"]["template"]["spec"]
    [process] = spec["containers"]

    assert "initContainers" not in spec
    assert [volume["name"] for volume in spec["volumes"]] == ["plan"]
    assert "ISTHMUS_SECRETS" not in {each["name"] for each in process["env"]}


def test_a_pod_keeps_nothing_that_a_drained_node_would_lose() -> None:
    volumes = route(EVERY_FIELD)["spec"]["template"]["spec"]["volumes"]

    assert {kind for volume in volumes for kind in volume} == {"name", "configMap", "projected"}


def test_a_pod_waits_for_every_key_and_reads_it_without_a_restart() -> None:
    spec = route(EVERY_FIELD)["spec"]["template"]["spec"]
    [waiting] = spec["initContainers"]
    needed = [each["valueFrom"]["secretKeyRef"] for each in waiting["env"]]
    [volume] = [each for each in spec["volumes"] if each["name"] == "secrets"]
    files = {
        item["path"]: source["secret"]["optional"]
        for source in volume["projected"]["sources"]
        for item in source["secret"]["items"]
    }

    assert [(each["name"], each["key"]) for each in needed] == [
        ("callers", "shop"),
        ("erp.client", "id"),
        ("erp.client", "secret"),
        ("stock", "token"),
    ]
    assert not any(each.get("optional") for each in needed)
    assert files == {
        "callers/shop": True,
        "erp.client/id": True,
        "erp.client/secret": True,
        "stock/token": True,
    }
    assert "subPath" not in json.dumps(spec)  # what is mounted so does not follow the Secret


def test_a_pod_is_told_where_its_journal_is_and_waits_for_that_key_as_well() -> None:
    spec = deployment(CASES["webhook"])["spec"]["template"]["spec"]
    [waiting], [process] = spec["initContainers"], spec["containers"]
    env = {each["name"]: each.get("value") for each in process["env"]}
    needed = [each["valueFrom"]["secretKeyRef"] for each in waiting["env"]]
    [volume] = [each for each in spec["volumes"] if each["name"] == "secrets"]
    files = [
        item["path"]
        for source in volume["projected"]["sources"]
        for item in source["secret"]["items"]
    ]

    assert env["ISTHMUS_JOURNAL_FILE"] == "/etc/isthmus/secrets/orders-db/dsn"
    assert [(each["name"], each["key"]) for each in needed] == [
        ("orders-db", "dsn"),
        ("shop", "webhook"),
    ]
    assert files == ["orders-db/dsn", "shop/webhook"]


def test_a_pod_that_shares_with_others_is_told_of_the_journal_and_does_not_wait_for_it() -> None:
    spec = deployment(CASES["limited"])["spec"]["template"]["spec"]
    [waiting], [process] = spec["initContainers"], spec["containers"]
    env = {each["name"]: each.get("value") for each in process["env"]}
    needed = [each["valueFrom"]["secretKeyRef"]["name"] for each in waiting["env"]]
    [volume] = [each for each in spec["volumes"] if each["name"] == "secrets"]
    sources = [each["secret"] for each in volume["projected"]["sources"]]

    assert env["ISTHMUS_JOURNAL_FILE"] == "/etc/isthmus/secrets/orders-db/dsn"
    assert needed == ["erp"]
    assert [(each["name"], each["optional"]) for each in sources] == [
        ("erp", True),
        ("orders-db", True),
    ]


def test_a_pod_that_shares_with_others_runs_where_no_journal_is_configured() -> None:
    case = Case(CASES["limited"].text, CONTEXT)
    [process] = deployment(case)["spec"]["template"]["spec"]["containers"]

    assert desired.check(case.route, case.plan, case.context) == ()
    assert "ISTHMUS_JOURNAL_FILE" not in {each["name"] for each in process["env"]}


def test_a_route_without_messages_knows_no_journal() -> None:
    case = CASES["smallest"]
    with_one = Case(case.text, Context(IMAGE, journal=JOURNAL))

    assert with_one.children() == case.children()


def test_a_pod_that_nobody_calls_has_no_port_for_traffic() -> None:
    [process] = deployment(CASES["schedule"])["spec"]["template"]["spec"]["containers"]

    assert [each["name"] for each in process["ports"]] == ["admin"]
    assert set(process) >= {"startupProbe", "readinessProbe", "livenessProbe"}


def test_the_port_of_the_database_rolls_no_pod() -> None:
    case = CASES["webhook"]
    moved = Context(IMAGE, journal=Journal(JOURNAL.secret, 6432))
    before = deployment(Case(case.text, Context(IMAGE, journal=JOURNAL)))
    after = deployment(Case(case.text, moved))

    assert before["spec"] == after["spec"]


@pytest.mark.parametrize(("seconds", "told"), [(45, ["45"]), (30, [])])
def test_pods_are_told_how_long_claims_last_where_that_is_not_the_usual(
    seconds: int, told: list[str]
) -> None:
    """Else an operator that learns a setting would roll every Route with a journal."""
    case = CASES["webhook"]
    context = Context(IMAGE, journal=JOURNAL, claim_seconds=seconds)

    [process] = deployment(Case(case.text, context))["spec"]["template"]["spec"]["containers"]

    found = [each["value"] for each in process["env"] if each["name"] == "ISTHMUS_CLAIM_SECONDS"]
    assert found == told


def test_what_the_route_wishes_for_stands_beside_what_we_give() -> None:
    template = route(EVERY_FIELD)["spec"]["template"]
    env = {each["name"] for each in template["spec"]["containers"][0]["env"]}

    assert (
        template["metadata"]["labels"].items()
        >= {
            "team": "orders",
            "isthmus.dev/route": "orders",
        }.items()
    )
    assert template["metadata"]["annotations"]["example.com/note"] == "any text"
    assert {"TZ", "TOKEN", "STAGE", "ISTHMUS_PLAN"} <= env
    assert "topologySpreadConstraints" not in template["spec"]


def test_pods_are_spread_unless_the_route_says_otherwise() -> None:
    spread = route()["spec"]["template"]["spec"]["topologySpreadConstraints"]

    assert [each["topologyKey"] for each in spread] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}


AMOUNTS = {
    "the usual": (None, "100m", "128Mi", {"memory": "256Mi"}),
    "a larger request lifts the limit": (
        "{requests: {memory: 1Gi}}", "100m", "1Gi", {"memory": "1Gi"},
    ),
    "a smaller limit lowers the request": (
        "{limits: {memory: 64Mi, cpu: 50m}}", "50m", "64Mi", {"memory": "64Mi", "cpu": "50m"},
    ),
    "a larger limit leaves the request": (
        "{limits: {memory: 1Gi, cpu: '2'}}", "100m", "128Mi", {"memory": "1Gi", "cpu": "2"},
    ),
    "a smaller request leaves the limit": (
        "{requests: {memory: 32Mi, cpu: 10m}}", "10m", "32Mi", {"memory": "256Mi"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "cpu", "memory", "limits"), AMOUNTS.values(), ids=AMOUNTS)
def test_amounts(text: str | None, cpu: str, memory: str, limits: dict[str, str]) -> None:
    resources = PodResources.model_validate(yaml.safe_load(text)) if text else None

    assert amounts.of(resources) == {
        "requests": {"cpu": cpu, "memory": memory},
        "limits": limits,
    }


def test_probes_ask_the_admin_port() -> None:
    [process] = route()["spec"]["template"]["spec"]["containers"]
    probes = {
        name: process[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")
    }

    assert probes == {
        "startup": {"path": "/livez", "port": "admin"},
        "readiness": {"path": "/readyz", "port": "admin"},
        "liveness": {"path": "/livez", "port": "admin"},
    }
    assert {"name": pod.ADMIN, "containerPort": 9090, "protocol": "TCP"} in process["ports"]
