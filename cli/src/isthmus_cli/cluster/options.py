"""Arguments and options that say which cluster, which namespace and which Route."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from isthmus_cli.cluster.errors import NoCluster
from isthmus_cli.options import output as output

if TYPE_CHECKING:
    from isthmus_cli.cluster.api import Api

Command = TypeVar("Command", bound=Callable[..., Any])

FOUND: Final = 1
_PATIENCE_SECONDS: Final = 3.0
"""For so long a shell is kept waiting for names."""
_KINDS: Final = frozenset({"", "route", "routes", "rt", "route.isthmus.dev", "routes.isthmus.dev"})


def _name(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    if given is None:
        return None
    kind, _slash, name = given.rpartition("/")
    if kind.lower() not in _KINDS or not name:
        raise click.BadParameter(f"{given!r} is no Route; write route/NAME")
    return name


def _names(ctx: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """The Routes that a shell offers; none where the cluster cannot be asked."""
    from isthmus_cli.cluster import kinds
    from isthmus_cli.cluster.api import Api

    kind, slash, start = typed.rpartition("/")
    if kind.lower() not in _KINDS:
        return []
    try:
        api = Api(ctx.params.get("context"), patience=_PATIENCE_SECONDS)
        namespace = ctx.params.get("namespace") or api.namespace
        names = api.names(kinds.ROUTES, namespace)
    except NoCluster:
        return []
    return [f"{kind}{slash}{name}" for name in names if name.startswith(start)]


route = click.argument("name", metavar="route/NAME", callback=_name, shell_complete=_names)
"""A Route, as kubectl names it; `NAME` alone will do."""

optional_route = click.argument("name", metavar="[route/NAME]", required=False, callback=_name)
"""A Route, or all those of a namespace."""

namespace = click.option(
    "-n",
    "--namespace",
    metavar="NAMESPACE",
    help="Its namespace; that of the kubeconfig's context by default.",
)
everywhere = click.option(
    "-A", "--all-namespaces", "everywhere", is_flag=True, help="Of all namespaces."
)
context = click.option("--context", metavar="NAME", help="Context of the kubeconfig.")


def refuse_both(name: str | None, namespace: str | None, *, everywhere: bool) -> None:
    """End with a wrong use when all namespaces are asked for, and one of them."""
    if everywhere and (name or namespace):
        raise click.UsageError("--all-namespaces goes with neither route/NAME nor --namespace")


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace of a cluster."""

    api: "Api"
    namespace: str


@contextlib.contextmanager
def place(context: str | None, namespace: str | None = None) -> Iterator[Place]:
    """The cluster and the namespace. What goes wrong there ends the command, with a word about it.

    The kubernetes package is imported here, by the commands that need it.
    """
    from isthmus_cli.cluster.api import Api

    try:
        api = Api(context)
        yield Place(api, namespace or api.namespace)
    except NoCluster as error:
        click.echo(f"isthmus: {error}", err=True)
        raise SystemExit(error.code) from error
