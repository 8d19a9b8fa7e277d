"""What users do with kubectl: get, scale, autoscale, apply again, diff, and what we write."""

import json
from typing import Any

import pytest
from control_plane import ControlPlane

ROUTE = """\
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: search}
spec:
  source: {http: {path: /search}}
  steps:
    - call: {connector: shop}
      onError: {use: {}}
"""
CONNECTOR = """\
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {name: shop}
spec:
  http: {baseUrl: https://shop.example.com/api}
"""
MAPPING = """\
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: orders}
spec:
  expression: $
"""
ALL = "---\n".join((ROUTE, CONNECTOR, MAPPING))
READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Running",
    "message": "2 of 2 pods answer",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


def _apply(plane: ControlPlane, namespace: str, text: str, *flags: str) -> None:
    plane.kubectl("apply", "-n", namespace, *flags, "-f", "-", stdin=text)


def _get(plane: ControlPlane, namespace: str, name: str = "route/search") -> dict[str, Any]:
    found = plane.kubectl("get", "-n", namespace, name, "-o", "json", "--show-managed-fields=false")
    value: dict[str, Any] = json.loads(found.stdout)
    return value


def _report(plane: ControlPlane, namespace: str, name: str, status: dict[str, Any]) -> None:
    patch = json.dumps({"status": status})
    flags = ("--subresource=status", "--type=merge", "--patch", patch)
    plane.kubectl("patch", "-n", namespace, name, *flags)


def test_defaults_are_filled_at_scalar_leaves_only(plane: ControlPlane, namespace: str) -> None:
    _apply(plane, namespace, ROUTE)

    assert _get(plane, namespace)["spec"] == {
        "source": {
            "http": {
                "method": "GET",
                "path": "/search",
                "timeout": "10s",
                "maxBody": "1Mi",
                "open": False,
            }
        },
        "steps": [
            {
                "call": {"connector": "shop", "method": "GET", "path": "/", "idempotent": False},
                "onError": {"use": {}},
            }
        ],
        "replicas": 1,
        "paused": False,
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("rt", {"route.isthmus.dev/search"}),
        ("conn", {"connector.isthmus.dev/shop"}),
        ("mapg", {"mapping.isthmus.dev/orders"}),
        (
            "isthmus",
            {
                "route.isthmus.dev/search",
                "connector.isthmus.dev/shop",
                "mapping.isthmus.dev/orders",
            },
        ),
    ],
    ids=["rt are Routes", "conn are Connectors", "mapg are Mappings", "isthmus is all of ours"],
)
def test_short_names_and_the_category_name_our_kinds(
    plane: ControlPlane, namespace: str, asked: str, found: set[str]
) -> None:
    _apply(plane, namespace, ALL)

    named = plane.kubectl("get", "-n", namespace, asked, "-o", "name").stdout

    assert set(named.split()) == found


def test_a_fresh_route_can_be_scaled(plane: ControlPlane, namespace: str) -> None:
    _apply(plane, namespace, ROUTE)

    plane.kubectl("scale", "-n", namespace, "route/search", "--replicas=4")

    assert _get(plane, namespace)["spec"]["replicas"] == 4


def test_an_autoscaler_finds_the_scale_of_a_fresh_route(
    plane: ControlPlane, namespace: str
) -> None:
    _apply(plane, namespace, ROUTE)
    _report(plane, namespace, "route/search", {"replicas": 1, "selector": "isthmus.dev/route=x"})

    plane.kubectl("autoscale", "-n", namespace, "route/search", "--min=2", "--max=5", "--cpu=70%")
    path = f"/apis/isthmus.dev/v1alpha1/namespaces/{namespace}/routes/search/scale"
    scale = json.loads(plane.kubectl("get", "--raw", path).stdout)

    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 1, "selector": "isthmus.dev/route=x"}


@pytest.mark.parametrize("replicas", [4, 0])
@pytest.mark.parametrize(
    "flags",
    [(), ("--server-side", "--force-conflicts")],
    ids=["applied by the client", "applied by the server"],
)
def test_applying_again_keeps_what_was_scaled(
    plane: ControlPlane, namespace: str, flags: tuple[str, ...], replicas: int
) -> None:
    _apply(plane, namespace, ROUTE, *flags)
    plane.kubectl("scale", "-n", namespace, "route/search", f"--replicas={replicas}")

    _apply(plane, namespace, ROUTE, *flags)

    assert _get(plane, namespace)["spec"]["replicas"] == replicas


@pytest.mark.parametrize("flags", [(), ("--server-side",)], ids=["by the client", "by the server"])
def test_diff_tells_what_an_apply_would_change(
    plane: ControlPlane, namespace: str, flags: tuple[str, ...]
) -> None:
    """Exit code 0 says that nothing would, 1 that something would; more is an error."""
    diff = ("diff", "-n", namespace, *flags, "-f", "-")
    changed = ALL.replace("{path: /search}", "{path: /find}")
    assert plane.kubectl(*diff, stdin=ALL, check=False).returncode == 1
    _apply(plane, namespace, ALL, *flags)
    plane.kubectl("scale", "-n", namespace, "route/search", "--replicas=4")
    _report(plane, namespace, "route/search", {"replicas": 4, "conditions": [READY]})

    same = plane.kubectl(*diff, stdin=ALL, check=False)
    other = plane.kubectl(*diff, stdin=changed, check=False)
    wrong = plane.kubectl(*diff, stdin=ALL.replace("steps:", "stepz:"), check=False)

    assert (same.returncode, same.stdout) == (0, "")
    assert other.returncode == 1
    told = [line for line in other.stdout.splitlines() if line.strip("+- ").startswith("path:")]
    assert told == ["-      path: /search", "+      path: /find"]
    assert wrong.returncode > 1


def test_a_dry_run_on_the_server_fills_defaults_checks_and_keeps_nothing(
    plane: ControlPlane, namespace: str
) -> None:
    dry = ("apply", "-n", namespace, "--dry-run=server", "-o", "json", "-f", "-")
    tried = json.loads(plane.kubectl(*dry, stdin=ROUTE).stdout)
    refused = plane.kubectl(*dry, stdin=ROUTE.replace("connector: shop", ""), check=False)

    assert tried["spec"]["replicas"] == 1
    assert "spec.steps[0].call.connector" in refused.stderr
    assert plane.kubectl("get", "-n", namespace, "isthmus", "-o", "name").stdout == ""


def test_status_is_written_apart_from_the_spec(plane: ControlPlane, namespace: str) -> None:
    _apply(plane, namespace, ROUTE)
    patch = json.dumps({"spec": {"replicas": 2}, "status": {"planHash": "0f3a"}})
    flags = ("-n", namespace, "route/search", "--type=merge", "--patch", patch)

    plane.kubectl("patch", *flags)
    by_user = _get(plane, namespace)
    plane.kubectl("patch", *flags, "--subresource=status")
    by_operator = _get(plane, namespace)

    assert by_user["status"] == {"observedGeneration": -1}
    assert by_operator["status"] == {"observedGeneration": -1, "planHash": "0f3a"}
    assert by_user["metadata"]["generation"] == by_operator["metadata"]["generation"] == 2


def test_a_condition_type_stands_once(plane: ControlPlane, namespace: str) -> None:
    _apply(plane, namespace, ROUTE)
    patch = json.dumps({"status": {"conditions": [READY, READY]}})
    flags = ("--subresource=status", "--type=merge", "--patch", patch)

    refused = plane.kubectl("patch", "-n", namespace, "route/search", *flags, check=False)

    assert 'status.conditions[1]: Duplicate value: {"type":"Ready"}' in refused.stderr


def test_null_survives_server_side_apply_but_not_kubectls_own(
    plane: ControlPlane, namespace: str
) -> None:
    """kubectl takes nulls out of everything it applies itself; the guides say so to users."""
    text = ROUTE.replace("use: {}", "use: {price: null}")

    _apply(plane, namespace, text)
    by_client = _get(plane, namespace)["spec"]["steps"][0]["onError"]
    _apply(plane, namespace, text, "--server-side", "--force-conflicts")
    by_server = _get(plane, namespace)["spec"]["steps"][0]["onError"]

    assert by_client == {"use": {}}
    assert by_server == {"use": {"price": None}}


SOURCES = {
    "http": ("{http: {path: /search}}", "/search"),
    "webhook": ("{webhook: {path: /hooks, open: true}}", "/hooks"),
    "schedule": ("{schedule: {cron: '30 2 * * *'}}", "30 2 * * *"),
    "poll": ("{poll: {every: 5m, call: {connector: shop, path: /products}}}", "5m"),
    "poll-cron": ("{poll: {cron: '@daily', call: {connector: shop, path: /products}}}", "@daily"),
    "route": ("{route: {name: orders-in}}", "orders-in"),
}


def test_a_wide_list_tells_the_source_of_each_route(plane: ControlPlane, namespace: str) -> None:
    for name, (source, _) in SOURCES.items():
        text = ROUTE.replace("{http: {path: /search}}", source).replace(
            "name: search", f"name: {name}"
        )
        _apply(plane, namespace, text)

    table = plane.kubectl("get", "-n", namespace, "routes", "-o", "wide").stdout.splitlines()

    start, end = table[0].index("SOURCE"), table[0].index("LASTAPPLIED")
    told = {line.split()[0]: line[start:end].strip() for line in table[1:]}
    assert told == {name: shown for name, (_, shown) in SOURCES.items()}


DELIVERING = """\
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: orders}
spec:
  source:
    poll:
      every: 5m
      call: {connector: shop}
      pagination: {page: {}}
      changeDetection: {}
  message: {key: "{% sku %}"}
  delivery: {retry: {backoff: {}}, batch: {}}
  retention: {}
  steps: [{call: {connector: shop}}]
"""


def test_defaults_of_a_route_that_delivers_are_filled_where_something_is_written(
    plane: ControlPlane, namespace: str
) -> None:
    _apply(plane, namespace, DELIVERING)

    spec = _get(plane, namespace, "route/orders")["spec"]

    assert spec["source"]["poll"]["pagination"] == {
        "page": {"param": "page", "start": 1},
        "maxPages": 100_000,
    }
    assert spec["source"]["poll"]["changeDetection"] == {"fields": "{% $ %}"}
    assert spec["delivery"] == {
        "order": "none",
        "concurrency": 8,
        "retry": {"attempts": 10, "backoff": {"initial": "2s", "max": "10m"}},
        "onFailure": "park",
        "timeout": "30s",
        "skipIfDelivered": False,
        "batch": {"count": 100, "size": "1Mi", "wait": "1s"},
        "maxBacklog": 100_000,
    }
    assert spec["retention"] == {"age": "168h", "count": 1_000_000}
    assert plane.kubectl("diff", "-n", namespace, "-f", "-", stdin=DELIVERING).stdout == ""


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("source.schedule.timeZone", "Time zone that `cron` is read in, such as Europe/Amsterdam."),
        ("source.webhook.verify.hmac.signed", "What is signed, as a template that reads `$body`"),
        ("source.poll.pagination", "Rules: exactly one of page, offset, cursor, keyset,"),
        ("delivery.onFailure", "ENUM: park block"),
        ("message.version", "A message that is older than what was delivered last for its key"),
        ("privacy.mask", "Paths inside a body, wherever it is shown."),
        ("steps.lookup", "an object with `key`, `reference` and `value`, or null."),
    ],
)
def test_explain_tells_what_to_write(plane: ControlPlane, field: str, says: str) -> None:
    told = " ".join(plane.kubectl("explain", f"routes.spec.{field}").stdout.split())

    assert says in told
