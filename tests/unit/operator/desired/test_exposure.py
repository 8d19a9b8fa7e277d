"""How callers outside the cluster reach a Route: which object, which path, which problem."""

from typing import Any

import pytest
from desired_cases import CASES, IMAGE, SMALLEST, UID, Case

from isthmus_api.problems import Code
from isthmus_operator import desired
from isthmus_operator.desired import Context, Gateway, Manifest

PUBLIC = Gateway("gateways", "public")
PLAIN = Context(IMAGE)
SERVED = Context(IMAGE, gateway_api=True)
GIVEN = Context(IMAGE, gateway=PUBLIC, gateway_api=True)
AWAY = Context(IMAGE, gateway=PUBLIC)


def case(expose: str, context: Context, *, source: str = "path: /hello") -> Case:
    text = SMALLEST.replace("path: /hello", source).replace("spec:", f"spec:\n  expose: {expose}")
    return Case(text, context)


def exposed(found: Case) -> Manifest | None:
    last = found.children()[-1]
    return last if last["kind"] in ("Ingress", "HTTPRoute") else None


CHOSEN: dict[str, tuple[str, Context, str]] = {
    "an Ingress where no Gateway is known": ("{}", PLAIN, "Ingress"),
    "an Ingress where no Gateway is named": ("{host: a.b}", SERVED, "Ingress"),
    "the Gateway of the operator": ("{host: a.b}", GIVEN, "gateways/public"),
    "the Gateway that the Route names": ("{gateway: {name: own}}", GIVEN, "default/own"),
    "a Gateway of another namespace": (
        "{gateway: {name: own, namespace: edge}}", SERVED, "edge/own",
    ),
    "an Ingress, since the Route names a class": ("{ingressClassName: a}", GIVEN, "Ingress"),
    "an Ingress, since the Route names a certificate": ("{tlsSecretName: a}", GIVEN, "Ingress"),
}  # fmt: skip


@pytest.mark.parametrize(("expose", "context", "wanted"), CHOSEN.values(), ids=CHOSEN)
def test_a_route_is_exposed_through(expose: str, context: Context, wanted: str) -> None:
    found = exposed(case(expose, context))
    assert found is not None

    assert (_gateway(found) if found["kind"] == "HTTPRoute" else found["kind"]) == wanted


def _gateway(found: Manifest) -> str:
    [parent] = found["spec"]["parentRefs"]
    return f"{parent['namespace']}/{parent['name']}"


PATHS = {
    "the source's path and no other": ("path: /a/b", "{}", ("/a/b", True)),
    "what stands before the first variable": ("path: '/a/{id}/b'", "{}", ("/a", False)),
    "everything, where a variable comes first": ("path: '/{id}'", "{}", ("/", False)),
    "the root and no other": ("path: /", "{}", ("/", True)),
    "the prefix that the Route asks for": ("path: /a/b", "{pathPrefix: /a}", ("/a", False)),
}


@pytest.mark.parametrize(("source", "expose", "wanted"), PATHS.values(), ids=PATHS)
def test_callers_reach_it_under(source: str, expose: str, wanted: tuple[str, bool]) -> None:
    ingress = exposed(case(expose, PLAIN, source=source))
    http_route = exposed(case(expose, GIVEN, source=source))
    assert ingress is not None
    assert http_route is not None
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    match = http_route["spec"]["rules"][0]["matches"][0]

    place, is_whole = wanted
    assert (path["path"], path["pathType"]) == (place, "Exact" if is_whole else "Prefix")
    assert match["path"] == {"type": "Exact" if is_whole else "PathPrefix", "value": place}


def test_an_http_route_takes_the_challenge_of_a_webhook_as_well() -> None:
    found = exposed(CASES["webhook"])
    assert found is not None
    [rule] = found["spec"]["rules"]

    assert [match["method"] for match in rule["matches"]] == ["POST", "GET", "HEAD"]
    assert {match["path"]["value"] for match in rule["matches"]} == {"/hooks/orders"}


def test_what_is_exposed_is_what_runs_and_not_what_is_wished_for() -> None:
    """A Route whose change cannot be used goes on with the plan of before."""
    runs, wished = case("{host: a.b}", PLAIN), case("{host: a.b}", PLAIN, source="path: /other")
    made = desired.children(wished.route, runs.plan, uid=UID, context=PLAIN)

    assert made[-1]["spec"] == (exposed(runs) or {})["spec"]


@pytest.mark.parametrize(
    ("method", "taken"),
    [("GET", ["GET", "HEAD"]), ("POST", ["POST"]), ("HEAD", ["HEAD"])],
)
def test_an_http_route_takes_what_the_source_answers(method: str, taken: list[str]) -> None:
    found = exposed(case("{}", GIVEN, source=f"method: {method}, path: /hello"))
    assert found is not None
    [rule] = found["spec"]["rules"]

    assert [match["method"] for match in rule["matches"]] == taken


def test_an_http_route_takes_what_browsers_ask_first() -> None:
    source = "path: /hello, cors: {origins: [https://a.b]}"
    found = exposed(case("{}", GIVEN, source=source))
    assert found is not None
    [rule] = found["spec"]["rules"]

    assert [match["method"] for match in rule["matches"]] == ["GET", "HEAD", "OPTIONS"]


PROBLEMS: dict[str, tuple[str, Context, str | None]] = {
    "the Gateway that it names": ("{gateway: {name: own}}", PLAIN, "spec.expose.gateway"),
    "the Gateway of the operator": ("{}", AWAY, "spec.expose"),
    "nothing, through an Ingress": ("{ingressClassName: a}", AWAY, None),
    "nothing, where the Gateway API is served": ("{gateway: {name: own}}", SERVED, None),
}


@pytest.mark.parametrize(("expose", "context", "field"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_cluster_without_the_gateway_api_lacks(
    expose: str, context: Context, field: str | None
) -> None:
    found = case(expose, context)
    problems = desired.check(found.route, found.plan, context)

    assert [(each.code, each.field) for each in problems] == (
        [(Code.GATEWAY_API_MISSING, field)] if field else []
    )
    assert (exposed(found) is None) is bool(field)


def test_a_certificate_is_for_the_host() -> None:
    with_host = exposed(case("{host: a.b, tlsSecretName: tls}", PLAIN))
    without = exposed(case("{tlsSecretName: tls}", PLAIN))
    assert with_host is not None
    assert without is not None

    assert with_host["spec"]["tls"] == [{"hosts": ["a.b"], "secretName": "tls"}]
    assert without["spec"]["tls"] == [{"secretName": "tls"}]
    assert "host" not in without["spec"]["rules"][0]


def test_what_is_not_exposed_has_a_service_only() -> None:
    found = Case(SMALLEST, GIVEN)
    made: Any = desired.children(found.route, found.plan, uid=UID, context=GIVEN)

    assert exposed(found) is None
    assert "Service" in [each["kind"] for each in made]
