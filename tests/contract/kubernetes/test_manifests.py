"""The manifests in this repository apply to a cluster, and read back as what they say."""

import json
from pathlib import Path

import pytest
from control_plane import ControlPlane

from isthmus_api import manifests

ROOT = Path(__file__).parents[3]
FILES = [
    path
    for folder in ("examples", "bench/isthmus")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
    if "apiVersion: isthmus.dev/" in path.read_text()
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.parametrize(
    "flags",
    [(), ("--server-side",)],
    ids=["applied by the client", "applied by the server"],
)
def test_a_manifest_applies(
    plane: ControlPlane, namespace: str, path: Path, flags: tuple[str, ...]
) -> None:
    plane.kubectl("apply", "-n", namespace, "--validate=strict", *flags, "-f", str(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_applied_manifest_means_what_the_file_says(
    plane: ControlPlane, namespace: str, path: Path
) -> None:
    file = manifests.read(path.read_bytes(), file=str(path))
    plane.kubectl("apply", "-n", namespace, "--server-side", "-f", str(path))

    for resource in file.resources:
        name = f"{resource.key.kind.lower()}.isthmus.dev/{resource.key.name}"
        found = plane.kubectl("get", "-n", namespace, name, "-o", "json").stdout
        (back,) = manifests.read(found.encode(), file="server.json").resources

        assert back.spec.canonical() == resource.spec.canonical()


def test_there_are_manifests_to_try() -> None:
    assert FILES


def test_what_is_stored_twice_is_stored_the_same(plane: ControlPlane, namespace: str) -> None:
    """Applying what the server gave back changes nothing: defaults do not drift."""
    flags = ("-n", namespace, "--server-side", "-f", "-")
    for _ in range(2):  # no operator writes the status, so the second stores that of the default
        plane.kubectl("apply", *flags, stdin=FILES[0].read_text())
    first = json.loads(plane.kubectl("get", "-n", namespace, "isthmus", "-o", "json").stdout)
    plane.kubectl("apply", *flags, stdin=FILES[0].read_text())
    second = json.loads(plane.kubectl("get", "-n", namespace, "isthmus", "-o", "json").stdout)

    assert second == first
