"""Expressions of resources: each is linted where it stands, with the variables it has there."""

import contextlib
import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from isthmus_api.expressions import engine, functions, jlens_engine, lint, syntax, templates
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
        for finding in _findings(hole.source, site.variables):
            line, column = engine.position(site.text, hole.offset + finding.offset)
            yield _problem(finding, site.path, origin, line=line, column=column)


def inline(site: Inline, origin: Origin) -> Iterator[Problem]:
    """What is wrong with an expression without marks around it."""
    yield from _problems(_findings(site.text, site.variables), site.path, origin)


def mapping(resource: Resource[MappingSpec]) -> Iterator[Problem]:
    """What is wrong with a Mapping's expression by itself.

    Which variables it gets is up to the Routes that use it, so every one it reads is known here.
    """
    spec = resource.spec
    schema = spec.output.schema_ if spec.output else None
    known = scope.ANYWHERE | _reads(spec).keys()
    findings = _findings(spec.expression, known, tables=spec.tables, schema=schema)
    yield from _problems(findings, _MAPPING_EXPRESSION, resource.origin)


def bindings(site: MappingUse, resource: Resource[MappingSpec]) -> Iterator[Problem]:
    """Variables that a Mapping reads and that the step using it does not have."""
    for name in sorted(_reads(resource.spec).keys() - site.variables):
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
            yield from _reads(mapping.spec).items()


def _reads(spec: MappingSpec) -> Mapping[str, engine.Fields]:
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
    called = {call.function for call in _calls(source)}
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
    for call in _calls(source):
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


@dataclass(frozen=True, slots=True)
class _Call:
    function: str
    first: syntax.Node | None
    """The first argument, where it is written: `a ~> $f(b)` is `$f(a, b)`."""


def _calls(source: str) -> Iterator[_Call]:
    """The calls of functions by name."""
    try:
        ahead = [syntax.parse(source)]
    except syntax.Unreadable:
        return
    chained: set[int] = set()
    while ahead:
        node = ahead.pop()
        ahead += node.children
        if node.shape is syntax.Shape.BINARY and node.text == "~>":
            chained.add(node.children[1].start)
        if node.shape is syntax.Shape.CALL and node.children[0].shape is syntax.Shape.VARIABLE:
            callee, *arguments = node.children
            is_whole = arguments and node.start not in chained
            yield _Call(callee.text, arguments[0] if is_whole else None)


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
