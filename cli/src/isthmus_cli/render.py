"""isthmus render: the objects that the operator makes of Routes."""

import difflib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from isthmus_api.problems import Code, Problem, errors
from isthmus_api.resources import Key, Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_api.workload import PodTemplate
from isthmus_cli import folder, options, rendering, report
from isthmus_cli.cluster import options as where
from isthmus_operator import settings
from isthmus_operator.desired import Context, Gateway, Journal, Manifest, SecretKey
from isthmus_operator.desired.context import CLAIM_SECONDS

T = TypeVar("T")

POSTGRES: Final = 5432
_ONE_LINE: Final = 1_000_000_000
"""The plan is JSON; folded it could not be compared."""
_OFFLINE: Final = (
    "image",
    "pull_policy",
    "pod_template",
    "journal",
    "journal_port",
    "claim_seconds",
    "gateway",
)


def _parsed(parse: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, Any], T | None]:
    """A callback of an option, from a parser that says what to write."""

    def callback(_: click.Context, __: click.Parameter, given: str | None) -> T | None:
        try:
            return None if given is None else parse(given)
        except ValueError as error:
            raise click.BadParameter(f"{given!r}: write {error}") from error

    return callback


@click.command()
@options.folder
@click.option(
    "--route", "names", multiple=True, metavar="NAME", help="This Route; may be given repeatedly."
)
@click.option(
    "-n",
    "--namespace",
    metavar="NAMESPACE",
    help="Namespace of objects that name none; with --cluster that of the context by default.",
)
@click.option(
    "--image",
    metavar="IMAGE",
    envvar="ISTHMUS_RUNTIME_IMAGE",
    callback=_parsed(settings.image),
    help="What runtime.image of the chart says.",
)
@click.option(
    "--pull-policy",
    type=click.Choice(settings.PULL_POLICIES),
    help="What runtime.image.pullPolicy of the chart says.  [default: IfNotPresent]",
)
@click.option(
    "--pod-template",
    metavar="JSON",
    callback=_parsed(settings.pod_template),
    help="What runtime.podTemplate of the chart says.",
)
@click.option(
    "--journal",
    metavar="NAME/KEY",
    callback=_parsed(settings.secret_key),
    help="The Secret of journal.postgres of the chart; NAME of the embedded one is "
    "RELEASE-journal, KEY dsn.",
)
@click.option(
    "--journal-port",
    type=click.IntRange(1, 65535),
    help=f"What journal.postgres.port of the chart says.  [default: {POSTGRES}]",
)
@click.option(
    "--claim-seconds",
    type=click.IntRange(*settings.CLAIM_SECONDS_RANGE),
    help=f"What journal.claimSeconds of the chart says.  [default: {CLAIM_SECONDS}]",
)
@click.option(
    "--gateway",
    metavar="NAMESPACE/NAME",
    callback=_parsed(settings.gateway),
    help="What gateway of the chart says.",
)
@click.option(
    "--cluster",
    "in_cluster",
    is_flag=True,
    help="Take these settings from the operator of the cluster, and uids from its Routes.",
)
@where.context
@click.option(
    "--operator-namespace",
    metavar="NAMESPACE",
    help="Where the operator is, for --cluster; looked for in all namespaces by default.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="How they are written; json is one List.",
)
def render(
    path: Path,
    names: Sequence[str],
    namespace: str | None,
    in_cluster: bool,
    context: str | None,
    operator_namespace: str | None,
    output: str,
    **given: Any,
) -> None:
    """Print the objects that the operator makes of the Routes in DIR.

    Works without a cluster: then --image has to be said, and the uid of owners and the annotation
    isthmus.dev/desired, which only the cluster knows, are left out. It is taken that the cluster
    serves the Gateway API. Ends with 1 when a Route has errors; nothing is printed then.
    """
    _check(given, in_cluster=in_cluster, context=context, operator_namespace=operator_namespace)
    loaded = folder.load(path)
    options.refuse_empty(loaded, path)
    _stop_at(errors(loaded.problems), loaded)
    if in_cluster:
        with _live(context, namespace, operator_namespace) as source:
            made = _render(loaded.resources, names, source, path)
    else:
        made = _render(loaded.resources, names, _offline(namespace, given), path)
    _stop_at([problem for each in made for problem in each.problems], loaded)
    _print([manifest for each in made for manifest in each.manifests], output)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where what a folder does not know comes from."""

    namespace: str
    context: Callable[[str], Context]
    """By the Route's namespace."""
    uid: Callable[[Key], str | None]
    problem: Callable[[Problem], Problem] = lambda problem: problem


def _check(
    given: dict[str, Any], *, in_cluster: bool, context: str | None, operator_namespace: str | None
) -> None:
    if not in_cluster:
        if context or operator_namespace:
            raise click.UsageError("--context and --operator-namespace need --cluster")
        if not given["image"]:
            raise click.UsageError(
                "write --image, the runtime.image of the chart, which has no default; "
                "or --cluster to take it from the operator"
            )
        return
    told = click.get_current_context().get_parameter_source
    typed = [name for name in _OFFLINE if told(name) is click.core.ParameterSource.COMMANDLINE]
    if typed:
        raise click.UsageError(
            f"--{typed[0].replace('_', '-')} and --cluster say the same: leave one of them out"
        )


def _offline(namespace: str | None, given: dict[str, Any]) -> _Source:
    journal, gateway = given["journal"], given["gateway"]
    context = Context(
        image=given["image"],
        pull_policy=given["pull_policy"] or "IfNotPresent",
        pod_template=given["pod_template"] or PodTemplate(),
        gateway=Gateway(*gateway) if gateway else None,
        gateway_api=True,
        journal=Journal(SecretKey(*journal), given["journal_port"] or POSTGRES)
        if journal
        else None,
        claim_seconds=given["claim_seconds"] or CLAIM_SECONDS,
    )
    return _Source(namespace or "default", lambda _: context, lambda _: None, _told_offline)


def _told_offline(problem: Problem) -> Problem:
    if problem.code is not Code.JOURNAL_NOT_CONFIGURED:
        return problem
    hint = "write --journal NAME/KEY, what the chart is told; or --cluster to ask the operator"
    return replace(problem, hint=hint)


@contextmanager
def _live(
    context: str | None, namespace: str | None, operator_namespace: str | None
) -> Iterator[_Source]:
    with where.place(context, namespace) as place:
        from isthmus_cli.cluster import operators
        from isthmus_cli.cluster.uids import Uids

        known: dict[str, Context] = {}

        def settings_of(served: str) -> Context:
            if served not in known:
                known[served] = operators.context(place.api, served, where=operator_namespace)
            return known[served]

        uids = Uids(place.api)

        def uid(key: Key) -> str | None:
            found = uids.of(key.namespace, key.name)
            if found is None:
                click.echo(f"isthmus: {key} is not in the cluster yet: it has no uid", err=True)
            return found

        yield _Source(place.namespace, settings_of, uid)


def _render(
    resources: Resources, names: Sequence[str], source: _Source, path: Path
) -> list[rendering.Rendered]:
    placed = rendering.placed(resources, source.namespace)
    chosen, unknown = rendering.choose(placed.routes(), names)
    if unknown or not chosen:
        raise click.UsageError(_no_route(unknown, placed, path))
    return [_one(route, placed, source) for route in chosen]


def _one(route: Resource[RouteSpec], placed: Resources, source: _Source) -> rendering.Rendered:
    context = source.context(route.key.namespace)
    made = rendering.render(route, placed, context=context, uid=source.uid(route.key))
    return replace(made, problems=tuple(map(source.problem, made.problems)))


def _no_route(unknown: Sequence[str], resources: Resources, path: Path) -> str:
    known = sorted({route.key.name for route in resources.routes()})
    if not known:
        return f"there is no Route in {path}"
    near = difflib.get_close_matches(unknown[0], known, n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
    return f"there is no Route {unknown[0]} in {path}; {meant}"


def _stop_at(problems: Sequence[Problem], loaded: folder.Loaded) -> None:
    if problems:
        report.show(problems, err=True, objects=loaded.objects, others=loaded.others)
        sys.exit(1)


def _print(manifests: Sequence[Manifest], output: str) -> None:
    if output == "json":
        listed = {"apiVersion": "v1", "kind": "List", "items": manifests}
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    import yaml

    text = yaml.dump_all(
        manifests,
        Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
        sort_keys=False,
        allow_unicode=True,
        width=_ONE_LINE,
    )
    click.echo(text, nl=False)
