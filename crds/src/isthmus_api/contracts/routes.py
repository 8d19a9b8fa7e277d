"""Routes and the documents of the Connectors that they call."""

from collections.abc import Iterator
from dataclasses import dataclass

from isthmus_api.connector import HttpTransport
from isthmus_api.contracts import breaks, fit, flow
from isthmus_api.contracts.findings import Finding
from isthmus_api.contracts.flow import Use
from isthmus_api.contracts.operations import Directory
from isthmus_api.plan import branches
from isthmus_api.poll import PollSource
from isthmus_api.problems import Code
from isthmus_api.resources import Resource, Resources
from isthmus_api.route import RouteSpec


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one Route."""

    route: Resource[RouteSpec]
    uses: tuple[Use, ...]

    def of(self, connector: str) -> tuple[Use, ...]:
        """The calls of one Connector."""
        return tuple(use for use in self.uses if use.call.connector == connector)

    def misfits(
        self, connector: str, http: HttpTransport, directory: Directory
    ) -> Iterator[Finding]:
        """What does not fit the document of a Connector."""
        for use in self.of(connector):
            yield from fit.check(use, directory, http, self._poll(use))

    def breaks(
        self, connector: str, http: HttpTransport, old: Directory | None, new: Directory
    ) -> Iterator[Finding]:
        """What a new document breaks; without an old one, all that does not fit the new one."""
        if old is None:
            yield from self.misfits(connector, http, new)
            return
        for use in self.of(connector):
            yield from breaks.breaks(use, old, new, http, self._poll(use))

    def _poll(self, use: Use) -> PollSource | None:
        return self.route.spec.source.poll if use.path[1] == "source" else None


def calls(route: Resource[RouteSpec], resources: Resources) -> Calls:
    """The calls of a Route; none are known of one whose branches lead back to themselves."""
    wrong = branches.check(route.spec)
    if any(problem.code is Code.BRANCH_CYCLE for problem in wrong):
        return Calls(route, ())
    return Calls(route, flow.uses(route, resources))
