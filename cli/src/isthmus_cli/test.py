"""isthmus test: the tests that Mappings and Routes hold, run by the code of production."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from isthmus_api.model import Model
from isthmus_api.plan import check
from isthmus_api.problems import errors
from isthmus_api.resources import Resource, Resources
from isthmus_cli import (
    cases,
    folder,
    gathered_cases,
    junit,
    options,
    report,
    results,
    shared_tables,
    watching,
)


@click.command()
@options.folder
@click.option("-k", "text", metavar="TEXT", default="", help="Only tests with TEXT in their name.")
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the results as JUnit XML, too.",
)
@click.option(
    "--watch", is_flag=True, help="Run them again whenever a manifest is saved, until Ctrl-C."
)
@options.output
def test(
    path: Path, text: str, junit_file: Path | None, watch: bool, output: report.Output
) -> None:
    """Run the tests that Mappings and Routes hold.

    Reads DIR (or one file). Nothing is called: the Connectors answer what the tests say. Ends with
    1 when a test fails or the manifests have errors.
    """

    def once() -> int:
        return _run(path, text, junit_file, output)

    sys.exit(watching.again([path], once) if watch else once())


def _run(path: Path, text: str, junit_file: Path | None, output: report.Output) -> int:
    """Run the tests and show how they ended; the exit code."""
    loaded = folder.load(path)
    options.refuse_empty(loaded, path)
    unreadable = shared_tables.problems(loaded.resources, loaded.config_maps)
    wrong = errors((*loaded.problems, *check(loaded.resources), *unreadable))
    if wrong:
        report.show(wrong, output=output, objects=loaded.objects, others=loaded.others)
        return 1
    chosen = [found for found in gathered_cases.of(loaded) if found.fits(text)]
    if not chosen:
        raise click.UsageError(_nothing_to_run(path, text))
    done = [cases.run(found) for found in chosen]
    untested = () if text else tuple(_untested(loaded.resources))
    write = results.as_json if output == "json" else results.as_text
    click.echo(write(done, untested))
    if junit_file:
        _write(junit_file, junit.document(done))
    return 0 if all(result.passed for result in done) else 1


def _untested(resources: Resources) -> Iterator[Resource[Model]]:
    yield from (mapping for mapping in resources.mappings() if not mapping.spec.tests)
    yield from (route for route in resources.routes() if not route.spec.tests)


def _nothing_to_run(path: Path, text: str) -> str:
    if text:
        return f"no test in {path} has '{text}' in its name"
    return f"no Mapping or Route in {path} has tests; write them under spec.tests"


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from error
