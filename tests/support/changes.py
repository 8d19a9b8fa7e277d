"""Twenty objects that come, change and go, and what there must be of them in the end.

async for _ in apply(cluster): ...      one step of changes after the other
assert not await amiss(cluster)
"""

from collections.abc import AsyncIterator, Sequence

import manifests_text
import yaml
from operating import IMAGE, Cluster

from isthmus_api import manifests
from isthmus_api.plan import plan
from isthmus_api.resources import Resources
from isthmus_operator import desired
from isthmus_operator.kube import kinds
from isthmus_operator.live import Child

_CHILDREN = [kind for kind in kinds.CHILDREN if kind != "HTTPRoute"]


def connector(number: int, path: str = "") -> str:
    return manifests_text.connector(f"http://c{number}.example{path}", name=f"c-{number}")


def mapping(number: int, more: int = 1) -> str:
    return manifests_text.mapping(f'{{"n": n + {more}}}', name=f"m-{number}")


def route(number: int, edition: str = "first", uses: int | None = None) -> str:
    used = number % 4 if uses is None else uses
    return manifests_text.route(
        f"- call: {{connector: c-{used}}}\n- map: {{mapping: m-{used}}}",
        name=f"r-{number}",
        path=f"/r-{number}",
        env={"edition": edition},
    )


GOING = [connector(3), mapping(3), *(route(number) for number in (3, 7, 11))]
STEPS: list[tuple[str, list[str]]] = [
    ("apply", [*map(route, range(12)), connector(0), connector(1)]),
    ("apply", [*map(mapping, range(4)), connector(2), connector(3)]),
    ("apply", [mapping(1, more=2), route(2, "second"), route(3, "second")]),
    ("apply", [connector(0, "/v2"), *(route(number, "third") for number in (2, 5))]),
    ("delete", GOING),
    ("apply", [route(7, "a namesake", uses=2)]),
]
LEFT: list[str] = [
    *(connector(0, "/v2"), connector(1), connector(2)),
    *(mapping(0), mapping(1, more=2), mapping(2)),
    *(route(number) for number in (0, 1, 4, 6, 8, 9, 10)),
    *(route(2, "third"), route(5, "third"), route(7, "a namesake", uses=2)),
]
"""What is declared after all steps."""


async def apply(cluster: Cluster) -> AsyncIterator[int]:
    """Take the steps, as a user would; the number of each after it was taken."""
    for number, (verb, documents) in enumerate(STEPS):
        more = ["--server-side"] if verb == "apply" else ["--wait=false", "--ignore-not-found"]
        await cluster.kubectl(verb, *more, "-f", "-", stdin="\n---\n".join(documents))
        yield number


async def amiss(cluster: Cluster, left: Sequence[str] = LEFT) -> list[str]:
    """What is not yet as it should be when all that is left is what was declared."""
    resources = resources_of(cluster.namespace, left)
    live = {
        (kind, each["metadata"]["name"]): each
        for kind in kinds.OURS
        for each in await cluster.all(kind)
    }
    declared = [yaml.safe_load(each) for each in left]
    wanted = {(each["kind"], each["metadata"]["name"]) for each in declared}
    if live.keys() != wanted:
        return [f"declared: {sorted(live.keys() ^ wanted)}"]
    not_ready = [f"not ready: {name}" for name, found in live.items() if not _is_ready(found)]
    return not_ready + await _children(cluster, resources, live)


def resources_of(namespace: str, left: Sequence[str]) -> Resources:
    """What manifests are in a namespace, read as the operator reads them."""
    documents = [yaml.safe_load(each) for each in left]
    for each in documents:
        each["metadata"]["namespace"] = namespace
    found = manifests.read(yaml.safe_dump_all(documents).encode(), file="left.yaml")
    assert not found.problems, found.problems
    return Resources.of(found.resources)


def _is_ready(found: dict[str, object]) -> bool:
    metadata, status = found["metadata"], found.get("status", {})
    assert isinstance(metadata, dict)
    assert isinstance(status, dict)
    ready = [each["status"] for each in status.get("conditions", ()) if each["type"] == "Ready"]
    return ready == ["True"] and status["observedGeneration"] == metadata["generation"]


async def _children(
    cluster: Cluster, resources: Resources, live: dict[tuple[str, str], dict[str, object]]
) -> list[str]:
    wanted = {}
    for route in resources.routes():
        metadata = live["Route", route.key.name]["metadata"]
        planned = plan(route, resources).plan
        assert isinstance(metadata, dict)
        assert planned is not None
        context = desired.Context(image=IMAGE)
        for child in desired.children(route, planned, uid=metadata["uid"], context=context):
            wanted[child["kind"], child["metadata"]["name"]] = child
    there = {
        (kind, each["metadata"]["name"]): each
        for kind in _CHILDREN
        for each in await cluster.all(kind)
    }
    strays = sorted(there.keys() ^ wanted.keys())
    others = [name for name in there.keys() & wanted if not _fits(there[name], wanted[name])]
    return [f"missing or left over: {each}" for each in strays] + [
        f"not as desired: {each}" for each in others
    ]


def _fits(found: dict[str, object], manifest: dict[str, object]) -> bool:
    return Child.of(found).fits(manifest) and found.get("data") == manifest.get("data")
