"""The office in a cluster: a process in a pod of a Route, with the user's own rights.

The commands of `isthmus messages` need `list` on pods and `get` and `create` on pods/exec, as
`kubectl exec` does. Nothing is installed for it and no port is open.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any, Final

import urllib3
from kubernetes import client, config
from kubernetes.stream import stream

from isthmus_api.model import GROUP
from isthmus_cli.messages import session
from isthmus_cli.messages.office import Answer, NoOffice, Request
from isthmus_cli.messages.session import Session

_ROUTE: Final = f"{GROUP}/route"
_PODS: Final = "app.kubernetes.io/managed-by=isthmus,app.kubernetes.io/component=route"
_CONTAINER: Final = "route"
_JOURNAL: Final = "ISTHMUS_JOURNAL_FILE"
_CONNECT_SECONDS: Final = 10.0


@contextlib.contextmanager
def office(namespace: str, *, context: str | None) -> Iterator["PodOffice"]:
    """Pods of a namespace, to ask."""
    with _told(namespace):
        try:
            api = config.new_client_from_config(context=context)
        except config.ConfigException as error:
            raise NoOffice(f"no cluster: {error}; set KUBECONFIG, or --context") from error
        pods = _pods(api, namespace)
        if not pods:
            raise NoOffice(
                f"no pod in the namespace {namespace} has a journal and is ready; "
                f"`kubectl -n {namespace} get routes` says why"
            )
        found = PodOffice(api, namespace, pods, who=_who(api, context))
        try:
            yield found
        finally:
            found.close()


class PodOffice:
    """Asks a pod of the Route whose rules of masking are needed, or any one."""

    def __init__(self, api: Any, namespace: str, pods: dict[str, str], *, who: str) -> None:
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
            with _told(self.namespace, pod):
                self._sessions[pod] = self._open(pod)
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

    def _open(self, pod: str) -> Session:
        connected = stream(
            client.CoreV1Api(self._api).connect_get_namespaced_pod_exec,
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


def _pods(api: Any, namespace: str) -> dict[str, str]:
    """The Routes of the pods that are ready and have a journal, by name of the pod."""
    found = client.CoreV1Api(api).list_namespaced_pod(
        namespace, label_selector=_PODS, _request_timeout=_CONNECT_SECONDS
    )
    return {
        pod.metadata.name: pod.metadata.labels.get(_ROUTE, "")
        for pod in found.items
        if _is_ready(pod) and _has_journal(pod)
    }


def _is_ready(pod: Any) -> bool:
    conditions = pod.status.conditions or ()
    ready = any(each.type == "Ready" and each.status == "True" for each in conditions)
    return ready and pod.metadata.deletion_timestamp is None


def _has_journal(pod: Any) -> bool:
    return any(
        variable.name == _JOURNAL
        for container in pod.spec.containers
        if container.name == _CONTAINER
        for variable in container.env or ()
    )


def _who(api: Any, context: str | None) -> str:
    """As whom the API server knows the user; as the kubeconfig calls them where it does not say."""
    try:
        review = client.AuthenticationV1Api(api).create_self_subject_review(
            {}, _request_timeout=_CONNECT_SECONDS
        )
        return str(review.status.user_info.username)
    except client.ApiException:
        every, active = config.list_kube_config_contexts()
        chosen = next((each for each in every if each["name"] == context), active)
        return str(chosen["context"].get("user", ""))


@contextlib.contextmanager
def _told(namespace: str, pod: str = "") -> Iterator[None]:
    """Errors of the API server, as people can act on them."""
    try:
        yield
    except client.ApiException as error:
        raise NoOffice(_meaning(error, namespace, pod)) from error
    except (OSError, urllib3.exceptions.HTTPError) as error:
        raise NoOffice(f"the API server cannot be reached: {error}") from error


def _meaning(error: Any, namespace: str, pod: str) -> str:
    said = _message(error)
    if error.status == 401 or "401 Unauthorized" in said:
        return "the API server does not know you: sign in again, or choose another --context"
    if error.status == 403 or "403 Forbidden" in said:
        needed = "get and create on pods/exec" if pod else "list on pods"
        return f"you may not do that: it needs {needed} in the namespace {namespace} ({said})"
    if pod:
        return f"the pod {pod} cannot be entered: {said}"
    return f"the API server refuses: {said}"


def _message(error: Any) -> str:
    """What the API server says, without headers."""
    if error.body:
        with contextlib.suppress(ValueError, AttributeError):
            return str(json.loads(error.body)["message"])
    return str(error.reason).split(" -+-+- ", 1)[0]
