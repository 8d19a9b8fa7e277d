"""isthmus run: serve every Route of a folder on this machine."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import click
import uvloop

from isthmus_api import secret_references
from isthmus_api.contract import Contract
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.plan import RoutePlan, check, plan
from isthmus_api.problems import Problem, Severity, errors
from isthmus_cli import contracts, folder, local_journal, report, shared_tables, watching
from isthmus_runtime import logs, secrets
from isthmus_runtime.runtime import Runtime, Settings
from isthmus_runtime.shared_tables import GivenConfigMaps, SharedTables
from isthmus_runtime.stopping import Signals

Output = Literal["text", "json"]

_UNUSABLE = (ExpressionError, OSError, ValueError)


@click.command()
@click.argument("path", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Reload when a file changes; a wrong one is refused.")
@click.option(
    "--secrets",
    "secrets_path",
    type=click.Path(path_type=Path, exists=True),
    help="A folder NAME/KEY, or an env file of lines NAME/KEY=value.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port of the Routes; 0 for any.")
@click.option(
    "--admin-port", default=9090, show_default=True, help="Port of health and metrics; 0 for any."
)
@click.option(
    "--journal",
    metavar="FILE|ADDRESS",
    help="Where messages are kept that are delivered later; DIR/.isthmus/journal.db by default.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How logs and problems are written.",
)
def run(
    path: Path,
    watch: bool,
    secrets_path: Path | None,
    host: str,
    port: int,
    admin_port: int,
    journal: str | None,
    output: Output,
) -> None:
    """Serve every Route in a folder of manifests, until Ctrl-C."""
    logs.setup("json" if output == "json" else "console")
    settings = Settings(
        host=host,
        port=port,
        admin_host=host,
        admin_port=admin_port,
        journal=local_journal.address(path, journal),
    )
    session = _Session(path, settings, secrets_path, output, has_own_journal=journal is None)
    sys.exit(uvloop.run(session.serve(watch=watch)))


class _Session:
    """One `isthmus run`: what is read, what is served, what is said."""

    def __init__(
        self,
        path: Path,
        settings: Settings,
        secrets_path: Path | None,
        output: Output,
        *,
        has_own_journal: bool,
    ) -> None:
        self._path = path
        self._has_own_journal = has_own_journal
        self._settings = settings
        self._output = output
        self._secrets_path = secrets_path
        self._loaded: folder.Loaded | None = None
        self._tables = SharedTables(GivenConfigMaps())

    async def serve(self, *, watch: bool) -> int:
        """Serve until a signal comes; the exit code."""
        plans, problems, tables = self._read()
        self._show(problems)
        if errors(problems):
            return 1
        if not plans:
            click.echo(f"isthmus: there is no Route in {self._path}", err=True)
            return 1
        try:
            store = secrets.at(self._secrets_path)
        except secrets.MissingSecret as error:
            click.echo(f"isthmus: {error}", err=True)
            return 2
        self._warn_of_missing(plans, store)
        self._tables.use(tables)
        runtime = Runtime(
            self._settings, store, tables=self._tables, find_contract=self._find_contract
        )
        try:
            await self._load(runtime, plans)
        except _UNUSABLE as error:
            click.echo(f"isthmus: {error}", err=True)
            return 1
        # Before anything is announced: whoever reads that may end it at once.
        signals = Signals()
        try:
            port, admin_port = await runtime.start()
        except OSError as error:
            click.echo(f"isthmus: {_cannot_listen(error, self._settings)}", err=True)
            return 1
        self._announce(plans, port, admin_port)
        await self._until(signals.first, runtime, watch=watch)
        return 0 if await signals.drain(runtime) else 1

    async def _until(self, stop: asyncio.Event, runtime: Runtime, *, watch: bool) -> None:
        watching = asyncio.create_task(self._watch(runtime, stop)) if watch else None
        await stop.wait()
        if watching:
            await watching

    async def _watch(self, runtime: Runtime, stop: asyncio.Event) -> None:
        async for _ in watching.changes(self._path, stop):
            plans, problems, tables = self._read()
            self._show(problems)
            if errors(problems) or not plans:
                click.echo("isthmus: not reloaded; the version before goes on", err=True)
                continue
            self._tables.use(tables)
            try:
                await self._load(runtime, plans)
                await self._tables.refresh()
            except _UNUSABLE as error:
                click.echo(f"isthmus: not reloaded; the version before goes on: {error}", err=True)
                continue
            click.echo(f"isthmus: reloaded, {_counted(plans)}", err=True)

    def _read(self) -> tuple[list[RoutePlan], tuple[Problem, ...], GivenConfigMaps]:
        """The plans of the folder, everything that is wrong with it, and its ConfigMaps."""
        loaded = self._loaded = folder.load(self._path)
        unreadable = shared_tables.problems(loaded.resources, loaded.config_maps)
        found = (*check(loaded.resources), *unreadable)
        # A contract stops nothing, whatever is wrong with it.
        misfits = (replace(each, severity=Severity.WARNING) for each in contracts.check(loaded))
        problems = (*loaded.problems, *found, *misfits)
        planned = [plan(route, loaded.resources).plan for route in loaded.resources.routes()]
        plans = [each for each in planned if each is not None]
        return plans, problems, GivenConfigMaps(loaded.config_maps)

    def _find_contract(
        self, namespace: str, name: str, contract: Contract
    ) -> Callable[[], bytes] | None:
        loaded = self._loaded
        connector = loaded.resources.connector(namespace, name) if loaded else None
        return contracts.reader(connector, loaded) if connector and loaded else None

    async def _load(self, runtime: Runtime, plans: list[RoutePlan]) -> None:
        if self._has_own_journal and any(found.needs_journal for found in plans):
            local_journal.keep_out_of_git(self._path)
        await runtime.load(plans)

    def _show(self, problems: tuple[Problem, ...]) -> None:
        if problems:
            report.show(problems, output=self._output, err=True)

    def _warn_of_missing(self, plans: list[RoutePlan], store: secrets.Secrets) -> None:
        for ref in sorted({ref for p in plans for ref in secret_references.within(p)}, key=str):
            try:
                store.read(ref)
            except secrets.MissingSecret as error:
                click.echo(f"isthmus: {error}; calls that need it will fail", err=True)

    def _announce(self, plans: list[RoutePlan], port: int, admin_port: int) -> None:
        host = self._settings.host
        for found in plans:
            served = found.source.endpoint
            url = f"{served.method} http://{host}:{port}{served.path}" if served else _kind(found)
            click.echo(f"{url}  {found.namespace}/{found.name}")
        click.echo(f"health, metrics and status: http://{host}:{admin_port}/status")


def _cannot_listen(error: OSError, settings: Settings) -> str:
    return (
        f"cannot listen on {settings.host}, port {settings.port} or {settings.admin_port}: "
        f"{error.strerror or error}. Stop the other program, or choose --port and --admin-port."
    )


def _kind(plan: RoutePlan) -> str:
    """What its messages come from, where nobody sends them."""
    return next(iter(plan.source.written()))


def _counted(plans: list[RoutePlan]) -> str:
    return "1 Route" if len(plans) == 1 else f"{len(plans)} Routes"
