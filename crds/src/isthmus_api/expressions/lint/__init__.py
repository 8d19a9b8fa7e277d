"""Finds what an expression does wrong, and says what to write instead.

Errors are what cannot work: syntax, unknown names, shadowed names, `$eval`. Warnings are the traps
in which a mapping works on the laptop and is wrong in production: lists that collapse, money in
floating point, ids beyond 2^53, patterns that explode, time zones by name. Used by the plan and the
command line; never while messages flow.

The engine judges the syntax; `syntax` reads the tree with its places; a walk visits each node with
its scope; each check is a small generator from a `Site` to findings, listed in `_CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from typing import Final

from isthmus_api.expressions import engine, jlens_engine, syntax
from isthmus_api.expressions.lint import calls, lists, money, names, nulls, numbers, patterns
from isthmus_api.expressions.lint.money import MONEY_WORDS
from isthmus_api.expressions.lint.site import Finding, Schema, Severity, Site, Subject
from isthmus_api.expressions.lint.walk import sites

__all__ = ["MONEY_WORDS", "Finding", "Schema", "Severity", "lint"]

Check = Callable[[Site], Iterator[Finding]]

_CHECKS: Final[tuple[Check, ...]] = (
    names.unknown_variable,
    names.unknown_function,
    names.bare_call,
    names.uncalled_function,
    names.shadowed_name,
    calls.eval_call,
    calls.zone_name,
    patterns.nested_quantifier,
    money.money_arithmetic,
    numbers.number_of_id,
    numbers.large_literal,
    nulls.not_null,
    lists.collapsing_list,
)


def lint(
    source: str,
    *,
    variables: Set[str],
    functions: Set[str],
    money_fields: Set[str] = MONEY_WORDS,
    target_schema: Schema | None = None,
) -> list[Finding]:
    """Check an expression; findings come in the order of the text.

    `variables` and `functions` are the names that exist besides JSONata's own, without `$`.
    `money_fields` are the words that make a field's name mean money. With a `target_schema` list
    collapse is reported exactly where the schema says array; without, where it is likely.
    """
    try:
        jlens_engine.ENGINE.compile(source)
    except engine.ExpressionError as error:
        return [_syntax_finding(error)]
    try:
        root = syntax.parse(source)
    except syntax.Unreadable as error:
        return [_unread_finding(source, str(error))]
    subject = Subject(
        source, frozenset(variables), frozenset(functions), frozenset(money_fields), target_schema
    )
    found = {finding: None for site in sites(root, subject) for finding in _checked(site)}
    return sorted(found, key=lambda finding: finding.offset)


def _checked(site: Site) -> Iterator[Finding]:
    return (finding for check in _CHECKS for finding in check(site))


def _syntax_finding(error: engine.ExpressionError) -> Finding:
    hint = error.hint or "see https://docs.jsonata.org"
    return Finding(
        f"Syntax{error.code}",
        "error",
        error.message,
        hint,
        error.offset or 0,
        error.line or 1,
        error.column or 1,
    )


def _unread_finding(source: str, reason: str) -> Finding:
    return Finding(
        "NotChecked",
        "warning",
        f"the linter cannot read this expression ({reason}), though the engine can",
        "please report it, with the expression",
        *(0, *engine.position(source, 0)),
    )
