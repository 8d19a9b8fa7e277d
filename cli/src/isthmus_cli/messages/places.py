"""Places: the options that say where the journal is, and the office there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from isthmus_cli import local_journal
from isthmus_cli.cluster.errors import NoCluster
from isthmus_cli.messages.office import NoOffice, Office, Refused

Command = TypeVar("Command", bound=Callable[..., Any])

FOUND: Final = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where the journal is: in a namespace of a cluster, or else on this machine."""

    folder: Path
    journal: str | None
    secrets: Path | None
    namespace: str | None
    context: str | None

    @contextmanager
    def office(self) -> Iterator[Office]:
        """Somebody to ask there. What goes wrong ends the command, with a word about it."""
        try:
            with self._opened() as office:
                yield office
        except (NoCluster, NoOffice, Refused) as error:
            click.echo(f"isthmus: {error}", err=True)
            code = error.code if isinstance(error, NoCluster) else FOUND
            raise SystemExit(code) from error

    @contextmanager
    def _opened(self) -> Iterator[Office]:
        if self.namespace is None:
            from isthmus_cli.messages import local

            address = local_journal.address(self.folder, self.journal)
            with local.office(address, folder=self.folder, secrets=self.secrets) as here:
                yield here
            return
        from isthmus_cli.messages import cluster

        with cluster.office(self.namespace, context=self.context) as there:
            yield there


def options(command: Command) -> Command:
    """The options that make a `Place`; see `made`."""
    for option in reversed(
        (
            click.option(
                "--dir",
                "folder",
                type=click.Path(path_type=Path, exists=True),
                default=".",
                show_default=True,
                help="The folder that `isthmus run` serves.",
            ),
            click.option(
                "--journal",
                metavar="FILE|ADDRESS",
                envvar="ISTHMUS_JOURNAL",
                help="Its journal, where that is not DIR/.isthmus/journal.db.",
            ),
            click.option(
                "--secrets",
                type=click.Path(path_type=Path, exists=True),
                help="Secrets of `isthmus run`, which are masked in what is shown.",
            ),
            click.option(
                "-n", "--namespace", metavar="NAMESPACE", help="A namespace of a cluster instead."
            ),
            click.option(
                "--context", metavar="NAME", help="Context of the kubeconfig; with --namespace."
            ),
        )
    ):
        command = option(command)
    return command


def made(options: dict[str, Any]) -> Place:
    """The place that the options say; they are taken out of the dictionary."""
    names = ("folder", "journal", "secrets", "namespace", "context")
    place = Place(**{name: options.pop(name) for name in names})
    if place.context and place.namespace is None:
        raise click.UsageError("--context needs --namespace")
    return place
