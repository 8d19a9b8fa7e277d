"""What is read off a plan: its size, the Secrets it names, and where its pods must get to."""

import dataclasses
from typing import Any

import pytest
from desired_cases import CASES, CONTEXT, JOURNAL, UID, Case

from isthmus_api.connector import ConnectorSpec
from isthmus_api.plan import PlannedMapping, RoutePlan
from isthmus_api.problems import Code
from isthmus_operator import desired
from isthmus_operator.desired import MAX_PLAN_BYTES, Journal, SecretKey

ROUTE = CASES["smallest"].route


def plan(*connectors: dict[str, Any], **mappings: PlannedMapping) -> RoutePlan:
    named = {f"c{number}": {"http": http} for number, http in enumerate(connectors)}
    return RoutePlan.of(
        ROUTE.spec,
        namespace="default",
        name="hello",
        connectors={key: ConnectorSpec.model_validate(value) for key, value in named.items()},
        mappings=mappings,
    )


def secret(name: str, key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": name, "key": key}}


def at(url: str, **auth: Any) -> dict[str, Any]:
    return {"baseUrl": url, **({"auth": auth} if auth else {})}


def oauth(token_url: str) -> dict[str, Any]:
    return {
        "tokenUrl": token_url,
        "clientId": secret("idp", "id"),
        "clientSecret": secret("idp", "secret"),
    }


# Secrets

NAMED: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str]]]] = {
    "none, where nobody signs in": ([at("http://a")], []),
    "user name and password": (
        [at("http://a", basic={"username": secret("b", "u"), "password": secret("a", "p")})],
        [("a", "p"), ("b", "u")],
    ),
    "a token": ([at("http://a", bearer={"token": secret("a", "t")})], [("a", "t")]),
    "an API key": (
        [at("http://a", apiKey={"header": "X-Key", "value": secret("a", "k")})],
        [("a", "k")],
    ),
    "a client": (
        [at("http://a", oauth2=oauth("http://b/token"))],
        [("idp", "id"), ("idp", "secret")],
    ),
    "one key of two Connectors, once": (
        [at("http://a", bearer={"token": secret("a", "t")})] * 2,
        [("a", "t")],
    ),
}


def test_keys_of_config_maps_are_mounted_beside_those_of_secrets() -> None:
    ca = {"configMapKeyRef": {"name": "trust", "key": "ca.crt"}}
    own = {"certificate": secret("erp", "tls.crt"), "privateKey": secret("erp", "tls.key")}
    tls = {"caBundle": ca, "clientCertificate": own}
    made = desired.children(
        ROUTE, plan({"baseUrl": "https://a", "tls": tls}), uid=UID, context=CONTEXT
    )
    (spec,) = (each["spec"]["template"]["spec"] for each in made if each["kind"] == "Deployment")
    volume = next(each for each in spec["volumes"] if each["name"] == "secrets")

    assert volume["projected"]["sources"] == [
        {
            "configMap": {
                "name": "trust",
                "optional": True,
                "items": [{"key": "ca.crt", "path": "configmap@trust/ca.crt"}],
            }
        },
        {
            "secret": {
                "name": "erp",
                "optional": True,
                "items": [{"key": key, "path": f"erp/{key}"} for key in ("tls.crt", "tls.key")],
            }
        },
    ]
    assert [each["valueFrom"] for each in spec["initContainers"][0]["env"]] == [
        ca,
        {"secretKeyRef": {"name": "erp", "key": "tls.crt"}},
        {"secretKeyRef": {"name": "erp", "key": "tls.key"}},
    ]


@pytest.mark.parametrize(("connectors", "wanted"), NAMED.values(), ids=NAMED)
def test_a_plan_names_secrets(
    connectors: list[dict[str, Any]], wanted: list[tuple[str, str]]
) -> None:
    assert desired.secrets(plan(*connectors)) == tuple(SecretKey(*each) for each in wanted)


# Where pods get to


def via(proxy: dict[str, Any], url: str, *, auth: dict[str, Any] | None) -> dict[str, Any]:
    return {"baseUrl": url, "proxy": proxy, "auth": auth}


ALLOWED: dict[str, tuple[list[dict[str, Any]], list[int], list[str]]] = {
    "DNS only, where nothing is called": ([], [], []),
    "the port of https": ([at("https://erp.example.com")], [443], []),
    "a port that is written": ([at("http://erp.example.com:8080/a")], [8080], []),
    "the port of the token endpoint": (
        [at("https://a.b.c", oauth2=oauth("https://id.example.com:8443/t"))],
        [443, 8443],
        [],
    ),
    "the port of a proxy in place of those that it carries": (
        [
            via({"url": "http://proxy.egress:3128"}, "https://a.b.c", auth=None),
            via(
                {"url": "http://out.example.com:8888/", "noProxy": ["erp", ".d.e"]},
                "http://erp:81",
                auth={"oauth2": oauth("https://id.d.e:8443/t")},
            ),
            via({"url": "http://10.0.0.1"}, "https://x.y", auth={"oauth2": oauth("https://z/t")}),
        ],
        [80, 81, 3128, 8443],
        ["default", "egress"],
    ),
    "one port for two hosts": ([at("https://a.b.c"), at("https://d.e.f")], [443], []),
    "a Service of the Route's namespace": ([at("http://erp")], [80], ["default"]),
    "a Service of another namespace": ([at("http://erp.shop:81")], [81], ["shop"]),
    "a Service by more of its name": (
        [at("http://erp.shop.svc"), at("http://erp.pim.svc.cluster.local.")],
        [80],
        ["pim", "shop"],
    ),
    "an address": ([at("http://10.1.2.3"), at("http://[::1]:8080")], [80, 8080], []),
    "a port that is none": ([at("http://erp.example.com:99999")], [], []),
    "a name that no namespace has": ([at("http://erp._x")], [80], []),
}


@pytest.mark.parametrize(("connectors", "ports", "namespaces"), ALLOWED.values(), ids=ALLOWED)
def test_pods_may_go_to(
    connectors: list[dict[str, Any]], ports: list[int], namespaces: list[str]
) -> None:
    made = desired.children(ROUTE, plan(*connectors), uid=UID, context=CONTEXT)
    policy = next(each for each in made if each["kind"] == "NetworkPolicy")
    dns, *others = policy["spec"]["egress"]
    label = "kubernetes.io/metadata.name"

    assert [(each["port"], each["protocol"]) for each in dns["ports"]] == [
        (53, "UDP"),
        (53, "TCP"),
        (5353, "UDP"),
        (5353, "TCP"),
    ]
    assert [each["port"] for rule in others for each in rule.get("ports", ())] == ports
    assert [
        peer["namespaceSelector"]["matchLabels"][label]
        for rule in others
        for peer in rule.get("to", ())
    ] == namespaces
    assert all(rule.get("ports") or rule.get("to") for rule in others), "an empty rule allows all"


def test_anyone_may_call_and_only_the_cluster_may_ask_for_metrics() -> None:
    made = desired.children(ROUTE, plan(), uid=UID, context=CONTEXT)
    policy = next(each for each in made if each["kind"] == "NetworkPolicy")

    assert policy["spec"]["ingress"] == [
        {"ports": [{"protocol": "TCP", "port": 8080}]},
        {"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 9090}]},
    ]


@pytest.mark.parametrize(
    ("name", "ports"),
    [
        ("webhook", [443, 5432]),
        ("schedule", [80, 5432]),
        ("limited", [80, 5432]),
        ("smallest", []),
    ],
)
def test_pods_may_go_to_the_journal_where_they_need_one(name: str, ports: list[int]) -> None:
    _, *others = _policy(name)["egress"]

    assert [each["port"] for rule in others for each in rule.get("ports", ())] == ports


def test_pods_may_go_to_who_publishes_the_keys_of_tokens_and_read_those_of_callers() -> None:
    every = CASES["every-field"]
    [ports, *_] = [r["ports"] for r in _policy("every-field")["egress"][1:] if "ports" in r]

    assert 9443 in [each["port"] for each in ports]
    assert SecretKey("callers", "shop") in desired.secrets(every.plan)


def test_nobody_may_call_what_nothing_listens_to() -> None:
    assert _policy("schedule")["ingress"] == [
        {"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 9090}]},
    ]


def _policy(name: str) -> dict[str, Any]:
    made = (each for each in CASES[name].children() if each["kind"] == "NetworkPolicy")
    spec: dict[str, Any] = next(made)["spec"]
    return spec


# The journal


@pytest.mark.parametrize(
    ("name", "field"), [("webhook", "spec.source"), ("schedule", "spec.source")]
)
def test_a_route_that_needs_a_journal_where_there_is_none_is_told_what_to_set(
    name: str, field: str
) -> None:
    case = CASES[name]
    without = dataclasses.replace(case.context, journal=None)

    [problem] = desired.check(case.route, case.plan, without)

    assert (problem.code, problem.field) == (Code.JOURNAL_NOT_CONFIGURED, field)
    assert "journal.postgres.secretName" in problem.hint


def test_where_a_journal_is_can_be_read_back() -> None:
    assert Journal.parse(str(JOURNAL)) == JOURNAL


@pytest.mark.parametrize("text", ["", "a", "a/b", "a/b/c", "a/b/1/2", "/b/1", "a//1"])
def test_other_text_says_no_journal(text: str) -> None:
    assert Journal.parse(text) is None


# Size


def sized(size: int) -> RoutePlan:
    """A plan whose JSON has `size` bytes."""
    empty = len(plan(m=PlannedMapping(expression="$", tables={"t": {"k": ""}})).to_json())
    tables: Any = {"t": {"k": "x" * (size - empty)}}
    return plan(m=PlannedMapping(expression="$", tables=tables))


def test_a_plan_as_large_as_it_may_be_is_no_problem() -> None:
    assert desired.check(ROUTE, sized(MAX_PLAN_BYTES), CONTEXT) == ()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_runtime_reads_back_the_plan_that_was_made(case: Case) -> None:
    config_map = next(each for each in case.children() if each["kind"] == "ConfigMap")
    read = RoutePlan.from_json(config_map["data"]["plan.json"].encode())

    assert read.hash == case.plan.hash


def test_a_plan_that_is_too_large_is_a_problem_that_says_what_to_do() -> None:
    [problem] = desired.check(ROUTE, sized(MAX_PLAN_BYTES + 1), CONTEXT)

    assert (problem.code, problem.subject, problem.field) == (
        Code.PLAN_TOO_LARGE,
        "Route default/hello",
        "spec",
    )
    assert problem.message == (
        "the plan of this Route has 1000001 bytes; a ConfigMap holds 1000000"
    )
    assert "tables" in problem.hint
