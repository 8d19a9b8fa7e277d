"""An integration as a Helm chart: `helm --wait` knows when it is up, and when it never will be."""

import json
from pathlib import Path

import pytest
import quotes
import yaml
from kubernetes_cluster import Namespace

WAITING = ("--wait", "--timeout", "2m")


def chart(folder: Path, *, mapping: quotes.Manifest) -> Path:
    """A chart of the integration and of the system that it calls."""
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    about = {"apiVersion": "v2", "name": "quotes", "version": "1.0.0"}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about))
    objects = [*quotes.erp(), quotes.secret(), quotes.connector(), quotes.route(), mapping]
    (folder / "templates/all.yaml").write_text(yaml.safe_dump_all(objects))
    return folder


def version(namespace: Namespace) -> int:
    """Which Mapping answers."""
    found: int = json.loads(namespace.fetch("quotes:80", quotes.PATH))["version"]
    return found


def test_helm_waits_until_a_route_is_ready_and_not_for_one_that_is_stalled(
    namespace: Namespace, tmp_path: Path
) -> None:
    def helm(verb: str, mapping: quotes.Manifest, *options: str) -> None:
        folder = str(chart(tmp_path / "quotes", mapping=mapping))
        namespace.cluster.run(
            "helm", verb, "quotes", folder, "--namespace", namespace.name, *options
        )

    broken = quotes.mapping()
    broken["spec"]["expression"] = '{"version": '

    helm("install", quotes.mapping(1), *WAITING)
    assert namespace.condition("route/quotes")["status"] == "True"

    with pytest.raises(AssertionError, match="quote") as failed:
        helm("upgrade", broken, *WAITING)
    assert "Failed" in str(failed.value)
    assert version(namespace) == 1, "the version before runs on"

    # Waiting would end with what the Route said before, where Helm looks sooner than the operator.
    helm("upgrade", quotes.mapping(2))
    namespace.wait("route/quotes")
    assert version(namespace) == 2
