"""`kubectl describe` shows what the operator told, in the order of telling."""

import asyncio

import manifests_text
import yaml
from control_plane import ControlPlane

from isthmus_operator.events import Events, Subject
from isthmus_operator.kube import Access, Client, kinds

ROUTE = yaml.safe_load(manifests_text.route("- respond: {body: hello}"))
TOLD = ["ConnectorNotFound", "RollingOut", "Running", "Paused", "RollingOut", "Running"]


async def test_events_are_shown_in_their_order(plane: ControlPlane, namespace: str) -> None:
    async with Client(Access.of_kubeconfig(plane.kubeconfig)) as client:
        ROUTE["metadata"]["namespace"] = namespace
        uid = (await client.apply(kinds.ROUTES, ROUTE))["metadata"]["uid"]
        events = Events(client, pod="isthmus-operator-1")
        writing = asyncio.create_task(events.run())
        for reason in TOLD:
            subject = Subject(kinds.ROUTES.api_version, "Route", namespace, "it", uid)
            events.tell(subject, kind="Normal", reason=reason, message="It is so.")
        assert await events.written(15)
        writing.cancel()

    described = plane.kubectl("describe", "route/it", "-n", namespace).stdout
    lines = described.partition("\nEvents:")[2].splitlines()

    assert [line.split()[1] for line in lines if "isthmus.dev/operator" in line] == TOLD
