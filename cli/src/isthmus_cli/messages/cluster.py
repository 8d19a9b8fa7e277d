"""The office in a cluster: a process in a pod of a Route, with the user's own rights.

The commands of `isthmus messages` need `list` on pods and `get` and `create` on pods/exec, as
`kubectl exec` does. Nothing is installed for it and no port is open.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from kubernetes import client
from kubernetes.stream import stream

from isthmus_api.model import GROUP
from isthmus_cli.cluster import errors, kinds
from isthmus_cli.cluster.api import Api, reached
from isthmus_cli.cluster.errors import Asked
from isthmus_cli.messages import session
from isthmus_cli.messages.office import Answer, NoOffice, Request
from isthmus_cli.messages.session import Session

_ROUTE: Final = f"{GROUP}/route"
_PODS: Final = "app.kubernetes.io/managed-by=isthmus,app.kubernetes.io/component=route"
_CONTAINER: Final = "route"
_JOURNAL: Final = "ISTHMUS_JOURNAL_FILE"


@contextlib.contextmanager
def office(namespace: str, *, context: str | None) -> Iterator["PodOffice"]:
    """Pods of a namespace, to ask."""
    api = Api(context)
    pods = _pods(api, namespace)
    if not pods:
        raise NoOffice(
            f"no pod in the namespace {namespace} has a journal and is ready; "
            f"`kubectl -n {namespace} get routes` says why"
        )
    found = PodOffice(api, namespace, pods, who=api.user())
    try:
        yield found
    finally:
        found.close()


class PodOffice:
    """Asks a pod of the Route whose rules of masking are needed, or any one."""

    def __init__(self, api: Api, namespace: str, pods: dict[str, str], *, who: str) -> None:
        """`pods` are the Routes by name of a pod."""
        self.namespace = namespace
        self.who = who
        self._api = api
        self._pods = pods
        self._sessions: dict[str, Session] = {}

    def ask(self, request: Request, *, route: str = "") -> Iterator[Answer]:
        """Do a request in a pod."""
        pod = self._pod(route)
        if pod not in self._sessions:
            self._sessions[pod] = self._entered(pod)
        yield from self._sessions[pod].ask(request)

    def close(self) -> None:
        """End the processes in the pods."""
        for each in self._sessions.values():
            each.close()

    def _pod(self, route: str) -> str:
        name = route.rpartition("/")[2]
        own = (pod for pod, of in self._pods.items() if of == name)
        begun = next(iter(self._sessions), next(iter(self._pods)))
        return next(own, begun)

    def _entered(self, pod: str) -> Session:
        try:
            with reached(self._api.client.configuration.host):
                return self._open(pod)
        except client.ApiException as error:
            raise _refused(error, self.namespace, pod) from error

    def _open(self, pod: str) -> Session:
        connected = stream(
            client.CoreV1Api(self._api.client).connect_get_namespaced_pod_exec,
            pod,
            self.namespace,
            container=_CONTAINER,
            command=session.command(),
            stdin=True,
            stdout=True,
            stderr=True,
            tty=False,
            _preload_content=False,
        )
        return Session(pod, connected.sock)


def _pods(api: Api, namespace: str) -> dict[str, str]:
    """The Routes of the pods that are ready and have a journal, by name of the pod."""
    return {
        pod["metadata"]["name"]: pod["metadata"]["labels"].get(_ROUTE, "")
        for pod in api.list(kinds.PODS, namespace, labels=_PODS)
        if _is_ready(pod) and _has_journal(pod)
    }


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _has_journal(pod: dict[str, Any]) -> bool:
    return any(
        variable["name"] == _JOURNAL
        for container in pod["spec"]["containers"]
        if container["name"] == _CONTAINER
        for variable in container.get("env") or ()
    )


def _refused(error: Any, namespace: str, pod: str) -> errors.NoCluster:
    """Why a pod cannot be entered: the client tells the head of the server's answer as text."""
    asked = Asked("get and create", "pods/exec", namespace, pod)
    said = error.body or str(error.reason).split(" -+-+- ", 1)[0]
    for status, line in ((401, "401 Unauthorized"), (403, "403 Forbidden")):
        if error.status == status or line in str(said):
            return errors.refused(asked, status, said)
    return errors.NoCluster(f"the pod {pod} cannot be entered: {errors.said(said)}")
