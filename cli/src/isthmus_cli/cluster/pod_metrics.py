"""Metrics of pods, read through the API server: two looks at each pod, some seconds apart."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from isthmus_cli import loads
from isthmus_cli.cluster import standing
from isthmus_cli.cluster.api import Api, Object
from isthmus_cli.cluster.errors import NoCluster, Refused
from isthmus_cli.cluster.sight import FORBIDDEN
from isthmus_cli.loads import Load, Look
from isthmus_operator.desired import ROUTE_LABEL

_AT_A_TIME: Final = 16
_CONTAINER: Final = "route"
_PORT: Final = "admin"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of a Route that can be asked."""

    namespace: str
    route: str
    name: str
    port: int


def pod(found: Object) -> Pod | None:
    """A pod that can be asked; None of one that does not run yet, or not any more."""
    metadata = found["metadata"]
    ready = standing.condition(found, "Ready") or {}
    port = _port(found)
    if ready.get("status") != "True" or "deletionTimestamp" in metadata or port is None:
        return None
    return Pod(metadata["namespace"], metadata["labels"][ROUTE_LABEL], metadata["name"], port)


def measured(
    api: Api, pods: Sequence[Pod], *, seconds: float
) -> tuple[dict[Pod, Load], dict[Pod, str]]:
    """What pods do for some seconds, and why some did not answer. A missing right is raised."""
    silent: dict[Pod, str] = {}
    before = _looks(api, pods, silent)
    time.sleep(seconds)
    after = _looks(api, list(before), silent)
    return {each: loads.between(before[each], after[each]) for each in after}, silent


def _looks(api: Api, pods: Sequence[Pod], silent: dict[Pod, str]) -> dict[Pod, Look]:
    """A look at each pod that answers, in the order of `pods`."""
    found: dict[Pod, Look] = {}
    try:
        for done, (pod, said) in enumerate(_answers(api, pods), start=1):
            api.progress.tell("pods asked", done, len(pods))
            if isinstance(said, Look):
                found[pod] = said
            else:
                silent[pod] = said
    finally:
        api.progress.clear()
    return {pod: found[pod] for pod in pods if pod in found}


def _answers(api: Api, pods: Sequence[Pod]) -> Iterator[tuple[Pod, Look | str]]:
    """What pods say, as they say it. Nobody waits for the threads when the command is ended."""
    ahead: queue.SimpleQueue[Pod] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[Pod, Look | str | Exception]] = queue.SimpleQueue()
    for each in pods:
        ahead.put(each)

    def ask() -> None:
        while not ahead.empty():
            try:
                pod = ahead.get_nowait()
            except queue.Empty:
                return
            try:
                answers.put((pod, _look(api, pod)))
            except Exception as error:
                answers.put((pod, error))

    for _ in range(min(_AT_A_TIME, len(pods))):
        threading.Thread(target=ask, daemon=True).start()
    for _ in pods:
        pod, said = answers.get()
        if isinstance(said, Exception):
            raise said
        yield pod, said


def _look(api: Api, pod: Pod) -> Look | str:
    """A look at a pod, or why it does not answer."""
    try:
        text = api.proxied(pod.namespace, pod.name, pod.port, "metrics")
    except Refused as error:
        if error.status == FORBIDDEN:
            raise
        return str(error)
    except NoCluster as error:
        return str(error)
    return loads.look(text, at=time.monotonic())


def _port(found: Object) -> int | None:
    return next(
        (
            int(port["containerPort"])
            for container in found["spec"]["containers"]
            if container["name"] == _CONTAINER
            for port in container.get("ports") or ()
            if port.get("name") == _PORT
        ),
        None,
    )
