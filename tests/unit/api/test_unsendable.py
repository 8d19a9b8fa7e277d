"""What a call can never send is a problem of the manifest, not of each message."""

import pytest

from isthmus_api import manifests
from isthmus_api.plan import check
from isthmus_api.resources import Resources

ROUTE = """
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {{name: erp}}
spec: {{http: {{baseUrl: http://erp.example}}}}
---
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {{name: r}}
spec:
  source: {{http: {{path: /a}}}}
  steps:
    - call: {{connector: erp, {call}}}
"""


def problems(call: str) -> list[tuple[str, str]]:
    read = manifests.read(ROUTE.format(call=call).encode(), file="a.yaml")
    found = (*read.problems, *check(Resources.of(read.resources)))
    return [(problem.field, problem.message) for problem in found]


@pytest.mark.parametrize("path", ["/..", "/../admin", "/a/./b", "/a/..?b=1"])
def test_a_path_that_climbs(path: str) -> None:
    assert problems(f'path: "{path}"') == [
        ("spec.steps[0].call.path", f"the path '{path}' has a segment . or ..")
    ]


@pytest.mark.parametrize("value", ["a\\nb", "a\\rb", "\\0", "\\u20ac"])
def test_a_header_that_is_no_line(value: str) -> None:
    assert [field for field, _ in problems(f'headers: {{x-a: "{value}"}}')] == [
        "spec.steps[0].call.headers.x-a"
    ]


@pytest.mark.parametrize("call", ["path: /a..b", 'path: "/a?up=.."', 'headers: {x-a: "é"}'])
def test_what_can_be_sent(call: str) -> None:
    assert problems(call) == []
