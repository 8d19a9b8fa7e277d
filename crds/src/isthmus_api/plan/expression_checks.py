"""Expressions of resources: each is linted where it stands, with the variables it has there."""

import contextlib
import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from typing import Any

from isthmus_api.expressions import calls, engine, functions, jlens_engine, lint, syntax, templates
from isthmus_api.mapping import MappingSpec
from isthmus_api.message import Message
from isthmus_api.plan import scope
from isthmus_api.plan.site import Inline, MappingUse, Site, Template
from isthmus_api.problems import Code, Path, Problem, Severity
from isthmus_api.resources import Origin, Resource

_FUNCTIONS = functions.names()
_LIBRARY = functions.library({})
_MAPPING_EXPRESSION: Path = ("spec", "expression")


def template(site: Template, origin: Origin) -> Iterator[Problem]:
    """What is wrong with a string that may hold `{% … %}`."""
    try:
        parsed = templates.parse(site.text)
    except engine.SyntaxFault as fault:
        yield _fault(fault, site.path, origin)
        return
    if site.is_whole and not parsed.is_typed:
        yield Problem(
            Code.EXPRESSION_INVALID,
            "this must be one {% … %} and nothing else: any text would count as a value",
            hint="join the expressions, as in {% a and b %}",
            path=site.path,
            location=origin.locate(site.path),
        )
    for hole in parsed.holes:
        for finding in (*_findings(hole.source, site.variables), *_foreign(hole.source)):
            line, column = engine.position(site.text, hole.offset + finding.offset)
            yield _problem(finding, site.path, origin, line=line, column=column)


def inline(site: Inline, origin: Origin) -> Iterator[Problem]:
    """What is wrong with an expression without marks around it."""
    yield from _problems(_findings(site.text, site.variables), site.path, origin)
    yield from _problems(_foreign(site.text), site.path, origin)


def mapping(resource: Resource[MappingSpec]) -> Iterator[Problem]:
    """What is wrong with a Mapping's expression by itself.

    Which variables it gets is up to the Routes that use it, so every one it reads is known here.
    """
    spec = resource.spec
    schema = spec.output.schema_ if spec.output else None
    known = scope.ANYWHERE | read_by(spec).keys()
    tables = (*spec.tables, *spec.shared_tables)
    findings = _findings(spec.expression, known, tables=tables, schema=schema)
    yield from _problems(findings, _MAPPING_EXPRESSION, resource.origin)
    for name in sorted(spec.tables.keys() & spec.shared_tables.keys()):
        yield Problem(
            Code.NAME_CLASH,
            f"there are two tables '{name}': one in tables, one in sharedTables",
            hint="give one of them another name",
            path=("spec", "sharedTables", name),
        )
    yield from _problems(_nameless(spec.expression), _MAPPING_EXPRESSION, resource.origin)


def bindings(site: MappingUse, resource: Resource[MappingSpec]) -> Iterator[Problem]:
    """Variables that a Mapping reads and that the step using it does not have."""
    for name in sorted(read_by(resource.spec).keys() - site.variables):
        bound = ", ".join(f"${known}" for known in sorted(site.variables))
        yield Problem(
            Code.EXPRESSION_INVALID,
            f"the Mapping '{site.mapping}' reads ${name}, which no step before binds",
            hint=f"bind it with 'into: {name}', or read one of {bound}",
            path=site.path,
        )


def fields(
    site: Site, mapping: Resource[MappingSpec] | None, known: Mapping[str, frozenset[str]]
) -> Iterator[Problem]:
    """Fields that a site reads of a variable that has others; `known` are those it has."""
    for name, read in _reads_of(site, mapping):
        for field in sorted(read.fields.keys() - known[name]) if name in known else ():
            there = ", ".join(sorted(known[name]))
            yield Problem(
                Code.EXPRESSION_INVALID,
                f"${name} has no '{field}' in this Route",
                hint=f"give it one in spec.message; it has: {there}"
                if field in Message.model_fields
                else f"it has: {there}",
                path=site.path,
            )


def _reads_of(
    site: Site, mapping: Resource[MappingSpec] | None
) -> Iterator[tuple[str, engine.Fields]]:
    """What a site reads of variables; nothing where it is not even an expression."""
    match site:
        case Template():
            with contextlib.suppress(engine.ExpressionError):
                for hole in templates.parse(site.text).holes:
                    yield from variables(hole.source).items()
        case Inline():
            yield from variables(site.text).items()
        case MappingUse() if mapping:
            yield from read_by(mapping.spec).items()


def read_by(spec: MappingSpec) -> Mapping[str, engine.Fields]:
    """The variables that a Mapping reads."""
    return variables(spec.expression, functions.library(spec.tables))


def variables(
    source: str, library: Mapping[str, engine.Function] = _LIBRARY
) -> Mapping[str, engine.Fields]:
    """The variables that an expression reads.

    What it calls is none of them: a variable holds JSON, never a function.
    """
    try:
        expression = jlens_engine.ENGINE.compile(source, library)
    except engine.ExpressionError:
        return {}
    called = {call.function for call in calls.of(source)}
    read = expression.reads().variables
    return {name: fields for name, fields in read.items() if name not in called}


def reads(variable: str, text: str) -> bool:
    """Whether a string with templates reads a variable. A broken one is told elsewhere."""
    try:
        holes = templates.parse(text).holes
    except engine.ExpressionError:
        return True
    return any(variable in variables(hole.source) for hole in holes)


def _findings(
    source: str,
    variables: Set[str],
    *,
    tables: Collection[str] = (),
    schema: dict[str, Any] | None = None,
) -> Iterator[lint.Finding]:
    yield from lint.lint(source, variables=variables, functions=_FUNCTIONS, target_schema=schema)
    for call in calls.of(source):
        name = call.first if call.function == "table" else None
        if name and name.shape is syntax.Shape.STRING and name.text not in tables:
            near = difflib.get_close_matches(name.text, tables, n=1)
            known = ", ".join(tables) or "none"
            yield lint.Finding(
                Code.TABLE_NOT_FOUND,
                "error",
                f"there is no table '{name.text}'",
                f"did you mean '{near[0]}'?" if near else f"this expression has: {known}",
                name.start,
                *engine.position(source, name.start),
            )


def _nameless(source: str) -> Iterator[lint.Finding]:
    """Calls of Mappings that nobody can follow without running them."""
    for node in calls.astray(source):
        yield _mapping_finding(
            source,
            node,
            "$mapping takes the name of a Mapping as literal text",
            'write $mapping("name", …); to choose, write cond ? $mapping("a", …) : …',
        )


def _foreign(source: str) -> Iterator[lint.Finding]:
    """Calls of Mappings where only the expression of a Mapping may make them."""
    if calls.mappings(source) or any(calls.astray(source)):
        nodes = [call.node for call in calls.of(source) if call.function == calls.MAPPING]
        for node in nodes or calls.astray(source):
            yield _mapping_finding(
                source,
                node,
                "only the expression of a Mapping may call $mapping",
                "use a step map: {mapping: …}",
            )


def _mapping_finding(source: str, node: syntax.Node, message: str, hint: str) -> lint.Finding:
    place = engine.position(source, node.start)
    return lint.Finding("MappingCall", "error", message, hint, node.start, *place)


def _problems(findings: Iterable[lint.Finding], path: Path, origin: Origin) -> Iterator[Problem]:
    for finding in findings:
        yield _problem(finding, path, origin, line=finding.line, column=finding.column)


def _problem(
    finding: lint.Finding, path: Path, origin: Origin, *, line: int, column: int
) -> Problem:
    is_error = finding.severity == "error"
    code = Code.EXPRESSION_INVALID if is_error else Code.EXPRESSION_WARNING
    return Problem(
        Code.TABLE_NOT_FOUND if finding.code == Code.TABLE_NOT_FOUND else code,
        finding.message,
        hint=finding.hint,
        path=path,
        location=origin.locate_text(path, line=line, column=column),
        severity=Severity.ERROR if is_error else Severity.WARNING,
    )


def _fault(fault: engine.ExpressionError, path: Path, origin: Origin) -> Problem:
    return Problem(
        Code.EXPRESSION_INVALID,
        fault.message,
        hint=fault.hint or "",
        path=path,
        location=origin.locate_text(path, line=fault.line or 1, column=fault.column or 1),
    )
