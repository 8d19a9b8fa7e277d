"""Overlays: what is read of a kustomization, and that an edit touches nothing else."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from isthmus_cli.promotion import overlays
from isthmus_cli.promotion.overlays import Overlay, Unusable

HEAD = "# Ours.\nnamespace: shop  # stays\n"
NAMES = ("../../base", "own.yaml", "../more", "promoted", "'quoted.yaml'")


def overlay(text: str) -> Overlay:
    value = yaml.safe_load(text)
    return Overlay(
        Path("to"), Path("to/kustomization.yaml"), text, "shop", tuple(value["resources"])
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("resources:\n- ../../base\n", "resources:\n- promoted\n"),
        ("resources:\n- ../../base  # all\n", "resources:\n- promoted  # all\n"),
        ("resources:\n  - a.yaml\n", "resources:\n  - promoted\n  - a.yaml\n"),
        (
            "resources:\n# first\n- a.yaml\n# then\n- ../../base\npatches: []\n",
            "resources:\n# first\n- a.yaml\n# then\n- promoted\npatches: []\n",
        ),
        (
            "resources:\n- promoted\n- a.yaml\n- ../../base",
            "resources:\n- promoted\n- a.yaml\n",
        ),
        ("resources: [../../base, a.yaml]\n", "resources: [promoted, a.yaml]\n"),
        ("resources: [a.yaml]\n", "resources: [promoted, a.yaml]\n"),
        ('resources:\r\n- "../../base"\r\n', "resources:\r\n- promoted\r\n"),
        ("resources:\r\n- a.yaml\r\n", "resources:\r\n- promoted\r\n- a.yaml\r\n"),
        ("resources:\n- promoted\n", "resources:\n- promoted\n"),
    ],
)
def test_the_base_gives_way_to_the_promoted_set(before: str, after: str) -> None:
    assert overlays.on_promoted(overlay(HEAD + before), ["../../base"]) == HEAD + after


@given(st.lists(st.sampled_from(NAMES), min_size=1, unique=True), st.booleans())
def test_what_is_listed_beside_the_base_stays_in_its_order(listed: list[str], flow: bool) -> None:
    lines = f" [{', '.join(listed)}]\n" if flow else "\n" + "".join(f"- {e}\n" for e in listed)
    text = f"{HEAD}resources:{lines}patches: []\n"

    edited = overlays.on_promoted(overlay(text), ["../../base"])
    again = overlays.on_promoted(overlay(edited), ["../../base"])

    value = yaml.safe_load(edited)
    others = [each.strip("'") for each in listed if each not in ("../../base", "promoted")]
    assert value.pop("resources").count("promoted") == 1
    assert [e for e in yaml.safe_load(edited)["resources"] if e != "promoted"] == others
    assert value == {"namespace": "shop", "patches": []}
    assert edited.startswith(HEAD)
    assert again == edited


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "has no kustomization.yaml; write one"),
        ("- a\n", "it holds no object"),
        ("a: [\n", "cannot be read"),
        ("resources: []\n", "resources: write a list of files and folders"),
        ("resources: [a.yaml]\nnamespace: 1\n", "namespace: write a name"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "kustomization.yaml").write_text(text)

    with pytest.raises(Unusable, match=told):
        overlays.read(tmp_path)
