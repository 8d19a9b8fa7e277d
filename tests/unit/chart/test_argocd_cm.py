"""The patch of Argo CD's ConfigMap: committed as generated, and whole."""

from pathlib import Path

import pytest
import yaml

import argocd_cm
from isthmus_api.resources import KINDS

ROOT = Path(__file__).parents[3]
PREFIX = "resource.customizations"


def test_the_committed_file_is_the_generated_one(tmp_path: Path) -> None:
    argocd_cm.main([str(tmp_path)])

    written = (tmp_path / argocd_cm.CONFIG_MAP).read_text()
    assert written == (ROOT / argocd_cm.CONFIG_MAP).read_text(), "run `make generate`"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_health_check(kind: str) -> None:
    data = yaml.safe_load((ROOT / argocd_cm.CONFIG_MAP).read_text())["data"]

    health = data[f"{PREFIX}.health.isthmus.dev_{kind}"]
    assert health == (ROOT / argocd_cm.SCRIPTS / "health.lua").read_text()


def test_every_action_of_a_route_is_defined() -> None:
    data = yaml.safe_load((ROOT / argocd_cm.CONFIG_MAP).read_text())["data"]

    actions = yaml.safe_load(data[f"{PREFIX}.actions.isthmus.dev_Route"])
    names = [each["name"] for each in actions["definitions"]]
    assert names == ["pause", "restart", "resume", "scale"]
    assert "return {" in actions["discovery.lua"]
