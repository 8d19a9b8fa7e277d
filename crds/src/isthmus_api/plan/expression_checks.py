"""Expressions of resources: each is linted where it stands, with the variables it has there."""

from collections.abc import Iterator

from isthmus_api.expressions import engine, functions, jlens_engine, lint, templates
from isthmus_api.mapping import MappingSpec
from isthmus_api.plan.sites import RESERVED, Inline, MappingUse, Template
from isthmus_api.problems import Code, Path, Problem, Severity
from isthmus_api.resources import Origin, Resource

_FUNCTIONS = functions.names()
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
        findings = lint.lint(hole.source, variables=site.variables, functions=_FUNCTIONS)
        for finding in findings:
            line, column = engine.position(site.text, hole.offset + finding.offset)
            yield _problem(finding, site.path, origin, line=line, column=column)


def inline(site: Inline, origin: Origin) -> Iterator[Problem]:
    """What is wrong with an expression without marks around it."""
    findings = lint.lint(site.text, variables=site.variables, functions=_FUNCTIONS)
    yield from _problems(findings, site.path, origin)


def mapping(resource: Resource[MappingSpec]) -> Iterator[Problem]:
    """What is wrong with a Mapping's expression by itself.

    Which variables it gets is up to the Routes that use it, so every one it reads is known here.
    """
    spec = resource.spec
    findings = lint.lint(
        spec.expression,
        variables=_variables(spec),
        functions=_FUNCTIONS,
        target_schema=spec.output.schema_ if spec.output else None,
    )
    yield from _problems(findings, _MAPPING_EXPRESSION, resource.origin)


def bindings(site: MappingUse, resource: Resource[MappingSpec]) -> Iterator[Problem]:
    """Variables that a Mapping reads and that the step using it does not have."""
    for name in sorted(_variables(resource.spec) - site.variables):
        bound = ", ".join(f"${known}" for known in sorted(site.variables))
        yield Problem(
            Code.EXPRESSION_INVALID,
            f"the Mapping '{site.mapping}' reads ${name}, which no step before binds",
            hint=f"bind it with 'into: {name}', or read one of {bound}",
            path=site.path,
        )


def _variables(spec: MappingSpec) -> frozenset[str]:
    """The variables that a Mapping reads, besides the ones that are always there."""
    try:
        expression = jlens_engine.ENGINE.compile(spec.expression, functions.library(spec.tables))
    except engine.ExpressionError:
        return RESERVED
    return frozenset(expression.reads().variables) | RESERVED


def _problems(findings: list[lint.Finding], path: Path, origin: Origin) -> Iterator[Problem]:
    for finding in findings:
        yield _problem(finding, path, origin, line=finding.line, column=finding.column)


def _problem(
    finding: lint.Finding, path: Path, origin: Origin, *, line: int, column: int
) -> Problem:
    is_error = finding.severity == "error"
    return Problem(
        Code.EXPRESSION_INVALID if is_error else Code.EXPRESSION_WARNING,
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
