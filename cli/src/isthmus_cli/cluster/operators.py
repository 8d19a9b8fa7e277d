"""Operators of a cluster: the one that serves a namespace, and what Routes get from its settings.

Settings are the environment of the operator's Deployment; they name Secrets and hold none.
"""

from collections.abc import Mapping
from typing import Any, Final

from isthmus_cli.cluster import kinds
from isthmus_cli.cluster.api import Api, Object
from isthmus_cli.cluster.errors import NoCluster, Refused
from isthmus_operator.desired import Context
from isthmus_operator.settings import PREFIX, Settings, WrongSettings

_LABELS: Final = "app.kubernetes.io/name=isthmus"
_CONTAINER: Final = "operator"
_FIELDS: Final = {"metadata.name": "name", "metadata.namespace": "namespace"}
_INSTEAD: Final = "or write --image and the other settings instead of --cluster"


def context(api: Api, namespace: str, *, where: str | None) -> Context:
    """What Routes of a namespace depend on, of the operator that serves it.

    `where` is the operator's own namespace; None looks in all.
    """
    serving = [each for each in _all(api, where) if _serves(each, namespace)]
    if not serving:
        raise NoCluster(
            f"no operator serves the namespace {namespace}"
            + (f", of those in {where}" if where else "")
            + f"; install the chart, name another --operator-namespace, {_INSTEAD}"
        )
    if any(each.context() != serving[0].context() for each in serving):
        places = ", ".join(sorted({each.namespace for each in serving}))
        raise NoCluster(
            f"several operators serve the namespace {namespace}, with other settings each: in "
            f"{places}; choose one by --operator-namespace"
        )
    return serving[0].context(gateway_api=api.serves(kinds.HTTP_ROUTES))


def _serves(operator: Settings, namespace: str) -> bool:
    return not operator.namespaces or namespace in operator.namespaces


def _all(api: Api, where: str | None) -> list[Settings]:
    try:
        found = list(api.list(kinds.DEPLOYMENTS, where, labels=_LABELS))
    except Refused as error:
        raise NoCluster(
            f"the operator cannot be looked for: {error}; name its --operator-namespace, {_INSTEAD}"
        ) from error
    return [
        _settings(each, container)
        for each in found
        for container in each["spec"]["template"]["spec"]["containers"]
        if container["name"] == _CONTAINER
    ]


def _settings(deployment: Object, container: Object) -> Settings:
    metadata = deployment["metadata"]
    try:
        return Settings.of(_environment(container, metadata))
    except WrongSettings as error:
        raise NoCluster(
            f"the settings of the operator {metadata['namespace']}/{metadata['name']} cannot be "
            f"used by this version of isthmus: {error}"
        ) from error


def _environment(container: Object, metadata: Object) -> Mapping[str, str]:
    """The variables of the operator, as its pods get them."""
    given = (each for each in container.get("env") or () if each["name"].startswith(PREFIX))
    return {each["name"]: _value(each, metadata) for each in given}


def _value(variable: dict[str, Any], metadata: Object) -> str:
    if "valueFrom" not in variable:
        return str(variable.get("value", ""))
    path = variable["valueFrom"].get("fieldRef", {}).get("fieldPath")
    if path not in _FIELDS:
        raise NoCluster(
            f"the operator has {variable['name']} from somewhere else than its Deployment; "
            f"{_INSTEAD}"
        )
    return str(metadata[_FIELDS[path]])
