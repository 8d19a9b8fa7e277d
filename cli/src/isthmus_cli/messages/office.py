"""The office: who answers requests about messages, wherever the journal is.

A request is one JSON object with `do`, and its answers are JSON objects of which the last is `end`;
`isthmus_runtime.desk` tells which there are. A request that fails raises `Refused`.
"""

from collections.abc import Iterator
from typing import Any, Protocol

Request = dict[str, Any]
Answer = dict[str, Any]


class Refused(Exception):
    """A request could not be done; the message says what to do about it."""


class NoOffice(Exception):
    """There is nobody to ask; the message says what to do about it."""


class Office(Protocol):
    """Somebody who can be asked."""

    @property
    def namespace(self) -> str:
        """Of Routes that are named without one."""
        ...

    @property
    def who(self) -> str:
        """As whom the audit knows the person who asks."""
        ...

    def ask(self, request: Request, *, route: str = "") -> Iterator[Answer]:
        """Do a request, and give its answers as they come.

        `route` is whose rules of masking are needed, as `namespace/name`.
        """
        ...


def answers(office: Office, request: Request, *, route: str = "") -> list[Answer]:
    """All answers to a request but its end."""
    return [each for each in office.ask(request, route=route) if "end" not in each]
