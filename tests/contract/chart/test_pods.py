"""The chart's pods, as the API server's own admission sees them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from control_plane import ControlPlane
from helm import CHART, Helm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
VALUES = {file.stem: yaml.safe_load(file.read_text()) for file in HERE.glob("values/*.yaml")}
ENFORCE = "pod-security.kubernetes.io/enforce=restricted"


def _pods(rendered: str) -> Iterator[dict[str, Any]]:
    """Each pod of a rendering, that of `helm test` too, with its claims as plain volumes."""
    for each in yaml.safe_load_all(rendered):
        match each:
            case {"kind": "Deployment" | "StatefulSet", "spec": {"template": {"spec": spec}}}:
                yield _pod(spec)
            case {"kind": "Pod", "spec": spec}:
                yield _pod(spec)


def _pod(spec: dict[str, Any]) -> dict[str, Any]:
    claimed = [
        {"name": each["name"], "emptyDir": {}}
        for each in spec["containers"][0].get("volumeMounts", ())
        if each["name"] == "data"
    ]
    volumes = [*spec.get("volumes", ()), *claimed]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}} | {
        "spec": spec | {"volumes": volumes}
    }


@pytest.mark.parametrize("values", sorted(VALUES))
def test_the_pods_of_the_chart_are_allowed_where_pods_are_restricted(
    plane: ControlPlane, namespace: str, offline: Helm, values: str
) -> None:
    plane.kubectl("label", "namespace", namespace, ENFORCE)
    rendered = offline("template", "isthmus", CHART, f"--values={HERE / 'values' / values}.yaml")

    pods = [*_pods(rendered)]

    for pod in pods:
        create = ("create", "--dry-run=server", "-n", namespace, "-f", "-")
        plane.kubectl(*create, stdin=json.dumps(pod))
        # Were it not enforced, this would pass too.
        pod["spec"].pop("securityContext")
        refused = plane.kubectl(*create, stdin=json.dumps(pod), check=False)
        assert 'violates PodSecurity "restricted' in refused.stderr
    assert len(pods) == (3 if "embedded" in VALUES[values].get("journal", {}) else 2)


@pytest.fixture(scope="module")
def restricted(plane: ControlPlane) -> str:
    """A namespace that takes only pods of the restricted standard."""
    plane.kubectl("create", "namespace", "chart-restricted")
    plane.kubectl("label", "namespace", "chart-restricted", ENFORCE)
    return "chart-restricted"


def _some(values: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the sections of a file; where Routes' image comes from is always said."""
    optional = sorted(values.keys() - {"runtime", "serviceAccount"})
    kept = st.sets(st.sampled_from(optional)) if optional else st.just(set())
    return kept.map(lambda names: {name: values[name] for name in values if name not in names})


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.sampled_from(sorted(VALUES)).flatmap(lambda name: _some(VALUES[name])))
def test_so_they_are_with_any_of_these_values(
    plane: ControlPlane, restricted: str, offline: Helm, tmp_path: Path, values: dict[str, Any]
) -> None:
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    command = ("template", "isthmus", CHART, "--set=crds.install=false")

    pods = [*_pods(offline(*command, f"--values={tmp_path / 'values.yaml'}"))]

    listed = {"apiVersion": "v1", "kind": "List"} | {
        "items": [pod | {"metadata": {"name": f"it-{number}"}} for number, pod in enumerate(pods)]
    }
    create = ("create", "--dry-run=server", "-n", restricted, "-f", "-")
    assert plane.kubectl(*create, stdin=json.dumps(listed)).stdout.count("created") == len(pods)
