"""The API server, asked with the user's own kubeconfig: objects are dicts, lists come in pages.

Of the kubernetes package it uses what reads a kubeconfig (plug-ins, client certificates, proxies)
and the pool of connections that comes of it, and none of its typed models.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from kubernetes import client, config

from isthmus_cli.cluster import errors, kinds
from isthmus_cli.cluster.errors import Asked, Away, Expired, NoCluster
from isthmus_cli.cluster.kinds import Kind
from isthmus_cli.cluster.progress import Progress

Object = dict[str, Any]

MANAGER: Final = "isthmus-cli"
"""The name under which managedFields tell of what this command wrote."""
CHUNK: Final = 500
"""Objects of one page, as kubectl asks for them; CHUNK_VARIABLE says another number."""
CHUNK_VARIABLE: Final = "ISTHMUS_PAGE"
_MOST_EXPIRED: Final = 5
"""Times that one list is taken up again where the server had forgotten its beginning."""
_JSON: Final = "application/json"
_METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0
_AT_ONCE: Final = 65_536
"""Bytes of a log at a time, at most."""
_CONNECTIONS: Final = 100
"""Kept open beside each other: one for each pod whose log is followed."""
_CONTENT_TYPES: Final = {"PATCH": "application/merge-patch+json"}


class Api:
    """One API server, and the namespace that the context of the kubeconfig names."""

    def __init__(self, context: str | None, *, patience: float = READ_SECONDS) -> None:
        """The present context, or another one; `NoCluster` where there is none.

        `patience` is for how many seconds the server may say nothing.
        """
        self._patience = patience
        self._chunk = _chunk()
        self.progress = Progress()
        pool = client.Configuration()
        pool.connection_pool_maxsize = _CONNECTIONS
        try:
            self.client: Any = config.new_client_from_config(
                context=context, client_configuration=pool
            )
            self.context = _context(context)
        except config.ConfigException as error:
            raise NoCluster(_no_config(error, context)) from error
        self.namespace = str(self.context["context"].get("namespace") or "default")

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object:
        """One object."""
        asked = Asked("get", kind.plural, namespace, name)
        return self._json("GET", kind.path(namespace, name), asked)

    def find(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """One object, or None when there is none."""
        try:
            return self.get(kind, namespace, name)
        except errors.NotFound:
            return None

    def list(
        self,
        kind: Kind,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> Iterator[Object]:
        """All objects of a namespace, or of all (`namespace` None), page by page.

        One that is made or goes meanwhile may be among them or not; none comes twice.
        """
        asked = Asked("list", kind.plural, namespace)
        query = {"limit": str(self._chunk), "labelSelector": labels, "fieldSelector": fields}
        seen: set[str] = set()
        try:
            for page in self._pages(kind.path(namespace), asked, query, metadata_only):
                for each in page.get("items") or ():
                    if (uid := each["metadata"]["uid"]) not in seen:
                        seen.add(uid)
                        yield each
                left = (page.get("metadata") or {}).get("remainingItemCount")
                total = None if left is None else len(seen) + left
                self.progress.tell(f"{kind.plural} read", len(seen), total)
        finally:
            self.progress.clear()

    def names(self, kind: Kind, namespace: str) -> tuple[str, ...]:
        """The names of all objects of a namespace, which are less to read than the objects."""
        found = self.list(kind, namespace, metadata_only=True)
        return tuple(str(each["metadata"]["name"]) for each in found)

    def _pages(
        self, path: str, asked: Asked, query: dict[str, str], metadata_only: bool
    ) -> Iterator[Object]:
        """The pages of a list. One whose beginning the server has forgotten goes on with what is
        there now, or where that cannot be, from the start."""
        accept, expired = _METADATA if metadata_only else _JSON, 0
        while True:
            try:
                page = self._json("GET", path, asked, query=query, accept=accept)
            except Expired as error:
                expired += 1
                if expired > _MOST_EXPIRED:
                    raise
                query["continue"] = error.rest
                continue
            yield page
            if not (more := (page.get("metadata") or {}).get("continue")):
                return
            query["continue"] = more

    def patch(self, kind: Kind, namespace: str, name: str, change: Object) -> Object:
        """Merge a change into an object; the object as it is then."""
        asked = Asked("patch", kind.plural, namespace, name)
        query = {"fieldManager": MANAGER}
        return self._json("PATCH", kind.path(namespace, name), asked, query=query, body=change)

    def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """The lines of a pod's log, as they come; with `follow` in the query until the log ends."""
        asked = Asked("get", "pods/log", namespace, pod)
        path = kinds.PODS.path(namespace, pod, "log")
        with self._answer("GET", path, asked, query=query, waits="follow" in query) as answer:
            rest = b""
            for chunk in answer.stream(_AT_ONCE):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
            if rest:
                yield rest

    def proxied(self, namespace: str, pod: str, port: int, path: str) -> str:
        """What a pod answers at one of its ports."""
        asked = Asked("get", "pods/proxy", namespace, pod)
        at = kinds.PODS.path(namespace, f"{pod}:{port}", f"proxy/{path}")
        with self._answer("GET", at, asked) as answer:
            return str(answer.read().decode("utf-8", "replace"))

    def serves(self, kind: Kind) -> bool:
        """Whether the cluster has a kind at all; everybody may ask that."""
        path = f"/apis/{kind.api_version}"
        try:
            found = self._json("GET", path, Asked("get", kind.api_version, None))
        except errors.NotFound:
            return False
        return any(each["name"] == kind.plural for each in found["resources"])

    def user(self) -> str:
        """As whom the API server knows the user; the kubeconfig's name where it does not say."""
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        asked = Asked("create", "selfsubjectreviews", None)
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            review = self._json("POST", path, asked, body=body)
        except errors.Refused:
            return str(self.context["context"].get("user", ""))
        return str(review["status"]["userInfo"]["username"])

    def _json(
        self,
        method: str,
        path: str,
        asked: Asked,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        accept: str = _JSON,
    ) -> Object:
        with self._answer(method, path, asked, query=query, body=body, accept=accept) as answer:
            found: Object = json.loads(answer.read())
            return found

    @contextlib.contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        asked: Asked,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        accept: str = _JSON,
        waits: bool = False,
    ) -> Iterator[Any]:
        """An answer that is a success; whatever goes wrong until its end is a `NoCluster`."""
        with reached(self.client.configuration.host):
            answer = self._send(method, path, query or {}, body, accept=accept, waits=waits)
            try:
                if answer.status >= 300:
                    raise errors.refused(asked, answer.status, answer.read())
                yield answer
            finally:
                answer.close()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Object | None,
        *,
        accept: str,
        waits: bool,
    ) -> Any:
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = _CONTENT_TYPES.get(method, _JSON)
        self.client.update_params_for_auth(headers, [], ["BearerToken"])
        said = urlencode({name: value for name, value in query.items() if value})
        return self.client.rest_client.pool_manager.request(
            method,
            self.client.configuration.host + path + (f"?{said}" if said else ""),
            body=None if body is None else json.dumps(body),
            headers=headers,
            preload_content=False,
            redirect=False,  # our token is for this server and no other
            retries=False,
            timeout=urllib3.Timeout(
                connect=min(CONNECT_SECONDS, self._patience),
                read=None if waits else self._patience,
            ),
        )


def _chunk() -> int:
    """Objects of one page, by the environment."""
    said = os.environ.get(CHUNK_VARIABLE, "")
    if said and not (said.isdecimal() and int(said) > 0):
        raise NoCluster(f"{CHUNK_VARIABLE}={said}: write how many objects a page has, as {CHUNK}")
    return int(said or CHUNK)


@contextlib.contextmanager
def reached(server: str) -> Iterator[None]:
    """Tell why a server gives no answer."""
    try:
        yield
    except (OSError, urllib3.exceptions.HTTPError) as error:
        raise Away(f"the API server cannot be reached at {server}: {_why(error)}") from error


def _why(error: BaseException) -> str:
    """The innermost reason, without the names of classes that lead to it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__


def _context(name: str | None) -> Object:
    every, active = config.list_kube_config_contexts()
    found: Object = next((each for each in every if each["name"] == name), active)
    return found


def _no_config(error: Exception, context: str | None) -> str:
    known: list[str] = []
    with contextlib.suppress(config.ConfigException):
        known = [each["name"] for each in config.list_kube_config_contexts()[0]]
    if context is not None and known and context not in known:
        return f"the kubeconfig has no context {context}; there are: {', '.join(sorted(known))}"
    return f"no cluster: {error}; set KUBECONFIG, or --context"
