"""The roles of the chart cover exactly what the operator's kinds need."""

import re
from pathlib import Path
from typing import Any

import yaml

from isthmus_operator.kube import kinds
from isthmus_operator.kube.kinds import Resource

HELPERS = Path(__file__).parents[3] / "charts/isthmus/templates/_helpers.tpl"
READ = {"get", "list", "watch"}
CHILD = READ | {"create", "patch", "delete"}


def _rules() -> list[dict[str, Any]]:
    found = re.search(
        r'define "isthmus\.rules" -}}\n(.*?){{- end }}', HELPERS.read_text(), re.DOTALL
    )
    assert found
    rules: list[dict[str, Any]] = yaml.safe_load(found[1])
    return rules


def _group(resource: Resource) -> str:
    return resource.api_version.rpartition("/")[0]


def test_the_roles_have_the_verbs_on_the_operators_kinds_and_no_others() -> None:
    granted: dict[tuple[str, str], set[str]] = {}
    for rule in _rules():
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault((group, resource), set()).update(rule["verbs"])

    ours = kinds.OURS.values()
    assert granted == {
        **{(_group(each), each.plural): READ for each in ours},
        **{(_group(each), f"{each.plural}/status"): {"get", "patch", "update"} for each in ours},
        **{(_group(each), each.plural): CHILD for each in kinds.CHILDREN.values()},
        (_group(kinds.PODS), kinds.PODS.plural): READ,
        (_group(kinds.EVENTS), kinds.EVENTS.plural): {"create", "patch"},
    }
