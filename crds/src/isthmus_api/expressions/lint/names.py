"""Names: variables and functions that do not exist, are not called, or mean something else."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Set

from isthmus_api.expressions import builtins
from isthmus_api.expressions.lint.money import is_arithmetic
from isthmus_api.expressions.lint.site import Finding, Scope, Site
from isthmus_api.expressions.syntax import Node, Shape


def unknown_variable(site: Site) -> Iterator[Finding]:
    """A variable that nothing binds is silently nothing, and its key vanishes."""
    node = site.node
    if node.shape is not Shape.VARIABLE or site.is_callee or site.scope.knows(node.text):
        return
    if node.text not in site.subject.callables:
        known = sorted(_known_names(site.scope))
        hint = _did_you_mean(node.text, known) or f"known here: {_listed(known)}"
        yield site.finding(
            "error", "UnknownVariable", f"nothing binds the variable ${node.text}", hint
        )


def unknown_function(site: Site) -> Iterator[Finding]:
    """Calling what does not exist fails every message."""
    name = site.callee
    if name is None or site.scope.knows(name) or name in site.subject.callables:
        return
    hint = _did_you_mean(name, site.subject.callables) or "see docs/reference/functions.md"
    yield site.finding("error", "UnknownFunction", f"there is no function ${name}", hint)


def bare_call(site: Site) -> Iterator[Finding]:
    """`sum(x)` calls a field named sum, and no field is a function."""
    if site.node.shape is not Shape.CALL:
        return
    name = site.node.children[0]
    if name.shape is Shape.NAME:
        yield site.finding(
            "error",
            "FieldCalled",
            f"{name.text} is a field here, and fields cannot be called",
            f"functions begin with a dollar sign: ${name.text}(…)",
            name,
        )


def uncalled_function(site: Site) -> Iterator[Finding]:
    """A function as a value of the output is dropped: its brackets were forgotten."""
    node, parent = site.node, site.parent
    if node.shape is not Shape.VARIABLE or site.scope.knows(node.text):
        return
    if node.text not in site.subject.callables:
        return
    in_output = parent is None or parent.shape in (Shape.OBJECT, Shape.ARRAY)
    if in_output or (parent is not None and is_arithmetic(parent)):
        yield site.finding(
            "warning",
            "FunctionNotCalled",
            f"${node.text} is a function and is not called",
            f"${node.text}(…)",
        )


def shadowed_name(site: Site) -> Iterator[Finding]:
    """A second meaning for a known name misleads every reader."""
    for declared in _declared(site.node):
        name, subject = declared.text, site.subject
        if name in builtins.NAMES:
            what = "a function of JSONata"
        elif name in subject.functions:
            what = "a function of Isthmus"
        elif name in subject.variables or name in ("", "$"):
            what = "a variable that is always there"
        else:
            continue
        yield site.finding(
            "error", "NameShadowed", f"${name} is {what}", "choose another name", declared
        )


def _declared(node: Node) -> tuple[Node, ...]:
    match node.shape:
        case Shape.BIND:
            return node.children[:1]
        case Shape.FOCUS | Shape.INDEX:
            return node.children[1:]
        case _:
            return node.parameters


def _known_names(scope: Scope) -> Set[str]:
    inherited = _known_names(scope.parent) if scope.parent else set()
    return {name for name in scope.names if name not in ("", "$")} | inherited


def _did_you_mean(name: str, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean ${close[0]}?" if close else None


def _listed(names: list[str]) -> str:
    return ", ".join(f"${name}" for name in names) or "no variables"
