"""The office on this machine: the desk of a journal, in this process."""

import asyncio
import contextlib
import getpass
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from isthmus_api.plan import planner
from isthmus_api.resources import Resources
from isthmus_cli import folder as manifests
from isthmus_cli.messages.office import Answer, NoOffice, Refused, Request
from isthmus_runtime import secrets
from isthmus_runtime.desk.clerk import Clerk
from isthmus_runtime.desk.manual import CannotRun, ManualRun
from isthmus_runtime.desk.showing import Window
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.desk import Desk
from isthmus_runtime.journal.journal import JournalError

_NAMESPACE = "default"


@contextlib.contextmanager
def office(address: str, *, folder: Path, secrets: Path | None) -> Iterator["LocalOffice"]:
    """The desk of the journal at an address; `folder` has the Routes, which say what is masked."""
    with asyncio.Runner() as runner:
        try:
            desk = runner.run(opening.desk(address))
        except JournalError as error:
            raise NoOffice(str(error)) from error
        try:
            yield LocalOffice(runner, desk, _Folder(folder, secrets))
        finally:
            runner.run(desk.close())


class LocalOffice:
    """Asks a desk."""

    def __init__(self, runner: asyncio.Runner, desk: Desk, folder: "_Folder") -> None:
        self._runner = runner
        self._folder = folder
        self._clerk = Clerk(desk, folder.window, folder.run)

    @property
    def namespace(self) -> str:
        """The one of the folder's Routes, where they have one."""
        return self._folder.namespace

    @property
    def who(self) -> str:
        """The user of this machine."""
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a user without a name, as containers have
            return "unknown"

    def ask(self, request: Request, *, route: str = "") -> Iterator[Answer]:
        """Do a request here."""
        answers = self._clerk.answer(request)

        async def following() -> Answer | None:
            return await anext(answers, None)

        while (answer := self._runner.run(following())) is not None:
            if "error" in answer:
                raise Refused(str(answer["error"]))
            yield answer


class _Folder:
    """The manifests of `isthmus run`, read when something is asked of them."""

    def __init__(self, path: Path, secrets: Path | None) -> None:
        self._path = path
        self._secrets = secrets

    @cached_property
    def _resources(self) -> Resources:
        return manifests.load(self._path).resources

    @cached_property
    def _hidden(self) -> tuple[str, ...]:
        return tuple(secrets.everything(self._secrets)) if self._secrets else ()

    @property
    def namespace(self) -> str:
        """The namespace of all Routes, or the usual one."""
        found = {route.key.namespace for route in self._resources.routes()}
        return found.pop() if len(found) == 1 else _NAMESPACE

    def run(self, name: str) -> ManualRun:
        """What makes the messages of a Route."""
        namespace, _, route = name.partition("/")
        found = self._resources.route(namespace, route)
        if found is None:
            raise CannotRun(f"there is no Route {name} in {self._path}")
        plan = planner.plan(found, self._resources).plan
        if plan is None:
            raise CannotRun(f"{name} has mistakes; `isthmus lint {self._path}` shows them")
        return ManualRun(plan)

    def window(self, name: str) -> Window | None:
        """What may be seen of a Route's messages; None where the Route is not here."""
        namespace, _, route = name.partition("/")
        found = self._resources.route(namespace, route)
        if found is None:
            return None
        privacy = found.spec.privacy
        return Window(privacy.mask if privacy else (), self._hidden)
