"""A running operator for tests, in this process, on one namespace of a real API server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml
from control_plane import ControlPlane
from populations import owned_by

from isthmus_operator import desired
from isthmus_operator.declared import Declared
from isthmus_operator.kube import Access, Client, NotFound, Resource, kinds
from isthmus_operator.operator import Operator
from isthmus_operator.visits import EVERY_SECONDS

T = TypeVar("T")
IMAGE = "localhost/isthmus-runtime:test"
DEADLINE_SECONDS = 60.0
REPLICA_SETS = Resource("apps/v1", "ReplicaSet", "replicasets")


async def eventually(
    look: Callable[[], Awaitable[T]],
    *,
    within: float = DEADLINE_SECONDS,
    until: Callable[[T], bool],
) -> T:
    """Look until what is seen is as expected; the last sight when it never is."""
    deadline = asyncio.get_running_loop().time() + within
    while not until(seen := await look()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not so within {within} s; last seen: {seen}")
        await asyncio.sleep(0.05)
    return seen


@dataclass(frozen=True)
class Told:
    """One thing that the operator told of an object."""

    name: str
    kind: str
    reason: str
    message: str


@dataclass
class Cluster:
    """One namespace, seen with the tests' own rights."""

    plane: ControlPlane
    client: Client
    namespace: str
    told: list[Told] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def operator(
        self,
        *,
        access: Access | None = None,
        visit_every: float = EVERY_SECONDS,
        **context: Any,
    ) -> AsyncIterator[Operator]:
        """An operator that watches this namespace, by way of `access` if there is one."""
        access = access or Access.of_kubeconfig(self.plane.kubeconfig)
        async with Client(access) as client:
            operator = Operator(
                access,
                client,
                namespaces=[self.namespace],
                context=desired.Context(image=IMAGE, **context),
                workers=4,
                tell=self._note,
                visit_every=visit_every,
            )
            stop = asyncio.Event()
            running = asyncio.create_task(operator.run(stop))
            if test := asyncio.current_task():
                # An operator that ends by itself ends the test, which would wait in vain.
                running.add_done_callback(lambda _: None if stop.is_set() else test.cancel())
            synced = asyncio.create_task(operator.synced.wait())
            await asyncio.wait({running, synced}, return_when=asyncio.FIRST_COMPLETED)
            synced.cancel()
            try:
                yield operator
            finally:
                stop.set()
                await asyncio.wait_for(running, 20)

    def _note(self, declared: Declared, kind: str, reason: str, message: str) -> None:
        self.told.append(Told(declared.key.name, kind, reason, message))

    async def apply(self, *documents: str | dict[str, Any]) -> None:
        """Apply manifests as a user would."""
        for document in documents:
            for found in [document] if isinstance(document, dict) else yaml.safe_load_all(document):
                found["metadata"]["namespace"] = self.namespace
                await self.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.dump(found))

    async def kubectl(self, *args: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl in this namespace; what it printed."""
        done = await asyncio.to_thread(
            self.plane.kubectl, "-n", self.namespace, *args, stdin=stdin, check=check
        )
        return done.stdout

    async def patch(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        """Change an object by hand."""
        await self.kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(patch))

    async def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object, or None when there is none."""
        try:
            return await self.client.get(
                (kinds.OURS | kinds.CHILDREN | {"Pod": kinds.PODS})[kind], self.namespace, name
            )
        except NotFound:
            return None

    async def all(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind."""
        resource = (kinds.OURS | kinds.CHILDREN | {"Pod": kinds.PODS})[kind]
        return [
            found
            async for chunk, _ in self.client.list(resource, self.namespace)
            for found in chunk
        ]

    async def condition(
        self, kind: str, name: str, type_: str = "Ready", **expected: Any
    ) -> dict[str, Any]:
        """A condition of the present generation, once its fields are as expected."""

        async def look() -> dict[str, Any] | None:
            found = await self.get(kind, name) or {}
            status = found.get("status") or {}
            if status.get("observedGeneration") != found.get("metadata", {}).get("generation"):
                return None
            conditions = status.get("conditions", ())
            return next((each for each in conditions if each["type"] == type_), None)

        def until(seen: dict[str, Any] | None) -> bool:
            return seen is not None and all(seen[name] == it for name, it in expected.items())

        seen = await eventually(look, until=until)
        assert seen is not None
        return seen

    async def rolled_out(self, name: str) -> dict[str, Any]:
        """Play the Deployment controller once: all pods that the spec wants are up."""
        deployment = await self.eventually_there("Deployment", name)
        wanted = deployment["spec"]["replicas"]
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "readyReplicas": wanted,
            "availableReplicas": wanted,
        }
        return await self.play("Deployment", name, status)

    async def play(self, kind: str, name: str, status: dict[str, Any]) -> dict[str, Any]:
        """Write a status as a controller would."""
        resource = (kinds.CHILDREN | {"Pod": kinds.PODS})[kind]
        manifest = {
            "apiVersion": resource.api_version,
            "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace},
            "status": status,
        }
        return await self.client.apply(resource, manifest, sub="status")

    async def eventually_there(self, kind: str, name: str) -> dict[str, Any]:
        """An object, once there is one."""
        found = await eventually(lambda: self.get(kind, name), until=lambda it: it is not None)
        assert found is not None
        return found

    async def pod(
        self,
        route: str,
        *,
        name: str = "pod",
        waiting: dict[str, str] | None = None,
        admin_port: int = 0,
    ) -> None:
        """Play the kubelet: a pod of a Route that runs, or that waits for something.

        With an admin port of this machine, that is where its admin pages are.
        """
        deployment = await self.eventually_there("Deployment", route)
        template = deployment["spec"]["template"]
        for port in template["spec"]["containers"][0]["ports"]:
            if port["name"] == desired.ADMIN and admin_port:
                port["containerPort"] = admin_port
        if await self.get("Pod", name) is None:
            await self.client.create(
                kinds.PODS,
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": template["metadata"] | {"name": name, "namespace": self.namespace},
                    "spec": template["spec"],
                },
            )
        state = {"waiting": waiting} if waiting else {"running": {}}
        container = {
            "name": template["spec"]["containers"][0]["name"],
            "image": IMAGE,
            "imageID": "",
            "ready": not waiting,
            "restartCount": 0,
            "state": state,
        }
        status: dict[str, Any] = {"containerStatuses": [container]}
        if admin_port:
            here = "127.0.0.1"
            status |= {"phase": "Running", "podIP": here, "podIPs": [{"ip": here}]}
        await self.play("Pod", name, status)

    async def replica_set(self, route: str, *, revision: int = 1) -> dict[str, Any]:
        """Play the Deployment controller: a ReplicaSet of the present template, with one pod."""
        deployment = await self.eventually_there("Deployment", route)
        template = deployment["spec"]["template"]
        name = f"{route}-{revision}"
        labels = template["metadata"]["labels"] | {"pod-template-hash": str(revision)}
        meta = template["metadata"] | {"labels": labels}
        annotations = {"deployment.kubernetes.io/revision": str(revision)}
        await self.patch("Deployment", route, {"metadata": {"annotations": annotations}})
        made = await self.client.create(
            REPLICA_SETS,
            {
                "apiVersion": REPLICA_SETS.api_version,
                "kind": REPLICA_SETS.kind,
                "metadata": {
                    "name": name,
                    "namespace": self.namespace,
                    "labels": labels,
                    "annotations": annotations,
                    "ownerReferences": [owned_by(deployment)],
                },
                "spec": {
                    "replicas": 1,
                    "selector": {"matchLabels": labels},
                    "template": template | {"metadata": meta},
                },
            },
        )
        owned = {
            "name": f"{name}-a",
            "namespace": self.namespace,
            "ownerReferences": [owned_by(made)],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta | owned}
        await self.client.create(kinds.PODS, pod | {"spec": template["spec"]})
        return made

    async def versions(self) -> dict[str, str]:
        """The resourceVersion of everything in the namespace that the operator has a hand in."""
        return {
            f"{kind}/{found['metadata']['name']}": found["metadata"]["resourceVersion"]
            for kind in (*kinds.OURS, *kinds.CHILDREN)
            if kind != "HTTPRoute"
            for found in await self.all(kind)
        }

    async def eventually_gone(self, kind: str, name: str) -> None:
        """Return once there is no such object."""
        await eventually(lambda: self.get(kind, name), until=lambda it: it is None)
