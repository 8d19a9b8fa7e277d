"""Uids of Routes: asked for one by one while they are few, and then for a whole namespace."""

from collections import Counter
from typing import Final

from isthmus_cli.cluster import kinds
from isthmus_cli.cluster.api import Api

ONE_BY_ONE: Final = 10
"""Of a namespace; to list is another right, and not for every namespace a quicker way."""


class Uids:
    """The uids of a cluster's Routes, as they are asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._asked: Counter[str] = Counter()
        self._listed: dict[str, dict[str, str]] = {}

    def of(self, namespace: str, name: str) -> str | None:
        """The uid of a Route; None where it is not there."""
        self._asked[namespace] += 1
        if self._asked[namespace] <= ONE_BY_ONE:
            found = self._api.find(kinds.ROUTES, namespace, name)
            return str(found["metadata"]["uid"]) if found else None
        if namespace not in self._listed:
            every = self._api.list(kinds.ROUTES, namespace, metadata_only=True)
            metadata = (each["metadata"] for each in every)
            self._listed[namespace] = {str(each["name"]): str(each["uid"]) for each in metadata}
        return self._listed[namespace].get(name)
