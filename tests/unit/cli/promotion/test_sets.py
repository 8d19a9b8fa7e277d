"""The objects of a build, and the files that they become."""

from pathlib import Path

import yaml

from isthmus_cli.promotion import sets

PLAIN = """\
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata:
  name: it
spec:
  steps:
  - respond:
      body: |
        ---
        text
---
apiVersion: route.openshift.io/v1
kind: Route
metadata:
  name: it
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: made
"""
ORIGINS = (
    "path: ../repository/base/routes.yaml",
    "path: base/route.yaml\nrepo: https://git.example.com/other",
    "configuredIn: ../repository/base/kustomization.yaml\nconfiguredBy: {}",
)


def test_each_object_keeps_its_text_and_knows_its_file() -> None:
    told = list(yaml.safe_load_all(PLAIN))
    for each, origin in zip(told, ORIGINS, strict=True):
        each["metadata"]["annotations"] = {"config.kubernetes.io/origin": origin}

    found = list(sets.with_sources(PLAIN, yaml.safe_dump_all(told), Path("/made")))

    assert "---\n".join(each.text for each in found) == PLAIN
    assert [each.source and str(each.source) for each in found] == [
        "/repository/base/routes.yaml",
        None,
        "/repository/base/kustomization.yaml",
    ]


def test_no_two_objects_share_a_file() -> None:
    found = sets.files(sets.read(PLAIN))

    listed = yaml.safe_load(found.pop("kustomization.yaml"))["resources"]
    assert (
        listed
        == sorted(found)
        == [
            "configmap-made.yaml",
            "route-it-route.openshift.io.yaml",
            "route-it.yaml",
        ]
    )
    assert "respond" in found["route-it.yaml"]
