"""Finds what an expression does wrong, and says what to write instead.

Errors are what cannot work: syntax, unknown names, shadowed names, `$eval`. Warnings are the traps
in which a mapping works on the laptop and is wrong in production: lists that collapse, money in
floating point, ids beyond 2^53, patterns that explode, time zones by name. Used by the plan and the
command line; never while messages flow.

The engine judges the syntax; `syntax` reads the tree with its places; a walk visits each node with
its scope; each check is a small generator from a `Site` to findings, listed in `_CHECKS`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from isthmus_api.expressions import builtins, engine, jlens_engine, syntax
from isthmus_api.expressions.syntax import Node, Shape

Severity = Literal["error", "warning"]
Schema = Mapping[str, Any]

MONEY_WORDS: Final = frozenset(
    {
        *("price", "amount", "total", "subtotal", "net", "gross", "tax", "vat", "discount"),
        *("cost", "fee", "charge", "balance", "payment", "refund", "surcharge"),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend. `hint` is the rewrite; `line` and `column` start at 1."""

    code: str
    severity: Severity
    message: str
    hint: str
    offset: int
    line: int
    column: int


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
    found = {finding: None for site in _walk(root, subject) for finding in _checked(site)}
    return sorted(found, key=lambda finding: finding.offset)


# The walk


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked, and against what."""

    source: str
    variables: frozenset[str]
    functions: frozenset[str]
    money: frozenset[str]
    schema: Schema | None

    @property
    def callables(self) -> frozenset[str]:
        return self.functions | builtins.NAMES

    def text(self, node: Node) -> str:
        return node.source(self.source)


@dataclass(slots=True)
class Scope:
    """The names known at a place. `:=` declares in the nearest frame, `@` and `#` in their path.

    Bodies of functions run later than they are written, so a frame keeps them until all its names
    are known: functions may call each other and themselves.
    """

    parent: Scope | None = None
    is_frame: bool = True
    names: set[str] = field(default_factory=set)
    later: list[tuple[Node, tuple[Node, ...], Scope]] = field(default_factory=list)

    @property
    def frame(self) -> Scope:
        return self if self.is_frame or self.parent is None else self.parent.frame

    def knows(self, name: str) -> bool:
        return name in self.names or (self.parent is not None and self.parent.knows(name))


@dataclass(frozen=True, slots=True)
class Site:
    """A node where it stands: its parents from the root inwards, and the names it may use."""

    node: Node
    parents: tuple[Node, ...]
    scope: Scope
    subject: Subject

    @property
    def parent(self) -> Node | None:
        return self.parents[-1] if self.parents else None

    @property
    def is_callee(self) -> bool:
        parent = self.parent
        return parent is not None and parent.shape is Shape.CALL and parent.children[0] is self.node

    @property
    def callee(self) -> str | None:
        return _callee(self.node)

    def finding(
        self, severity: Severity, code: str, message: str, hint: str, node: Node | None = None
    ) -> Finding:
        offset = (node or self.node).start
        line, column = engine.position(self.subject.source, offset)
        return Finding(code, severity, message, hint, offset, line, column)


_STEPS: Final = frozenset(
    {*(Shape.PATH, Shape.FILTER, Shape.FORCE, Shape.GROUP), Shape.FOCUS, Shape.INDEX, Shape.SORT}
)


def _walk(root: Node, subject: Subject) -> Iterator[Site]:
    scope = Scope(names=set(subject.variables) | {"", "$"})
    yield from _visit(root, (), scope, subject)
    yield from _visit_later(scope, subject)


def _visit(node: Node, parents: tuple[Node, ...], scope: Scope, subject: Subject) -> Iterator[Site]:
    yield Site(node, parents, scope, subject)
    inner = (*parents, node)
    match node.shape:
        case Shape.LAMBDA:
            scope.frame.later.append((node, inner, scope))
        case Shape.BIND:
            yield from _visit(node.children[1], inner, scope, subject)
            scope.frame.names.add(node.children[0].text)
        case Shape.BLOCK:
            block = Scope(scope)
            yield from _visit_all(node.children, inner, block, subject)
            yield from _visit_later(block, subject)
        case shape if shape in _STEPS:
            yield from _visit_step(node, inner, scope, subject)
        case _:
            yield from _visit_all(node.children, inner, scope, subject)


def _visit_step(
    node: Node, inner: tuple[Node, ...], scope: Scope, subject: Subject
) -> Iterator[Site]:
    parent = inner[-2] if len(inner) > 1 else None
    continues = parent is not None and parent.shape in _STEPS and parent.children[0] is node
    path = scope if continues else Scope(scope, is_frame=False)
    if node.shape in (Shape.FOCUS, Shape.INDEX):
        yield from _visit(node.children[0], inner, path, subject)
        path.names.add(node.children[1].text)
    else:
        yield from _visit_all(node.children, inner, path, subject)


def _visit_all(
    nodes: Iterable[Node], parents: tuple[Node, ...], scope: Scope, subject: Subject
) -> Iterator[Site]:
    for node in nodes:
        yield from _visit(node, parents, scope, subject)


def _visit_later(frame: Scope, subject: Subject) -> Iterator[Site]:
    while frame.later:
        node, parents, scope = frame.later.pop(0)
        body = Scope(scope, names={parameter.text for parameter in node.parameters})
        yield from _visit_all(node.children, parents, body, subject)
        yield from _visit_later(body, subject)


# Names


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
    if in_output or (parent is not None and _is_arithmetic(parent)):
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


# Calls that are refused or doubtful


def eval_call(site: Site) -> Iterator[Finding]:
    """`$eval` hides from us what an expression reads, and runs what a message says."""
    if site.node.shape is Shape.VARIABLE and site.node.text == "eval":
        yield site.finding(
            "error",
            "EvalRefused",
            "$eval is refused: it runs text as code, which no check can see",
            "write the expression itself, or look the case up with $lookup or $table",
        )


_OFFSET: Final = re.compile(r"[+-]?[0-9]{4}")


def zone_name(site: Site) -> Iterator[Finding]:
    """JSONata's date functions know offsets only, and an offset is wrong half of the year."""
    ours = {"fromMillis": "dateFormat", "toMillis": "dateParse"}.get(site.callee or "")
    arguments = site.node.children[1:]
    if ours is None or len(arguments) < 3:
        return
    zone = arguments[2]
    if zone.shape is Shape.STRING and not _OFFSET.fullmatch(zone.text):
        written = ", ".join(site.subject.text(each) for each in arguments)
        yield site.finding(
            "warning",
            "ZoneName",
            f"${site.callee} takes offsets such as +0200, not the time zone {zone.text}",
            f"${ours}({written})",
            zone,
        )


def nested_quantifier(site: Site) -> Iterator[Finding]:
    """`(a+)+` takes exponential time on text that almost matches."""
    if site.node.shape is Shape.REGEX and _has_nested_quantifier(site.node.text):
        yield site.finding(
            "warning",
            "RegexUnbounded",
            "a repeated group repeats inside, which takes exponential time on some text",
            "repeat once, as in a+ for (a+)+, or give bounds such as {1,20}",
        )


_REGEX_TOKEN: Final = re.compile(
    r"\\.|\[(?:[^\]\\]|\\.)*\]|\{(?P<low>\d+)(?P<open>,?)(?P<high>\d*)\}|.", re.DOTALL
)


def _has_nested_quantifier(pattern: str) -> bool:
    # One entry for each open group: whether something in it repeats without bound.
    repeats, closed = [False], False
    for found in _REGEX_TOKEN.finditer(pattern):
        mark = found.group()
        unbounded = mark in "*+" or (found["open"] == "," and not found["high"])
        if unbounded and closed:
            return True
        repeats[-1] |= unbounded
        closed = False
        if mark == "(":
            repeats.append(False)
        elif mark == ")" and len(repeats) > 1:
            closed = repeats.pop()
            repeats[-1] |= closed
    return False


# Numbers that are not numbers

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NO_MONEY_LAST: Final = frozenset(
    {
        *("count", "hits", "percent", "percentage", "pct", "rate", "class", "code", "id", "name"),
        *("type", "pages", "items", "lines", "quantity", "qty", "number", "weight", "list", "date"),
        *("at", "cents", "minor", "elements", "results", "label", "text", "status", "method"),
    }
)
_ID_LAST: Final = frozenset(
    {
        "id",
        "ids",
        "uuid",
        "ean",
        "gtin",
        "sku",
        "barcode",
        "reference",
        "ref",
        "number",
        "no",
        "key",
    }
)
_MONEY_OPERATORS: Final = {
    "+": "$moneyAdd({}, {})",
    "-": "$moneySubtract({}, {})",
    "*": "$moneyMultiply({}, {})",
    "/": "$moneyDivide({}, {}, {scale})",
}
_MONEY_CALLS: Final = {"sum": "moneySum", "round": "moneyRound"}


def money_arithmetic(site: Site) -> Iterator[Finding]:
    """0.1 + 0.2 is 0.30000000000000004, and a tax comes out a cent short."""
    money = site.subject.money
    field_name = _money_name(site.node, money) if _is_money_work(site.node) else None
    # Only the outermost piece of work: its rewrite holds those within.
    around = (parent for parent in site.parents if _is_money_work(parent))
    if field_name is not None and not any(_money_name(parent, money) for parent in around):
        yield site.finding(
            "warning",
            "MoneyArithmetic",
            f"{field_name} looks like money, and numbers here are binary fractions",
            _money_rewrite(site.node, site.subject),
        )


def _is_money_work(node: Node) -> bool:
    return _is_arithmetic(node) or _callee(node) in _MONEY_CALLS


def _is_arithmetic(node: Node) -> bool:
    return node.shape is Shape.BINARY and node.text in _MONEY_OPERATORS


def _money_name(node: Node, money: frozenset[str]) -> str | None:
    """Find the first operand named like money, through everything that hands its value on."""
    match node.shape:
        case Shape.NAME | Shape.VARIABLE:
            return node.text if _is_money(node.text, money) else None
        case Shape.CALL if _callee(node) in _MONEY_CALLS:
            return _money_name(node.children[1], money) if len(node.children) > 1 else None
        case Shape.BINARY if _is_arithmetic(node):
            names = (_money_name(child, money) for child in node.children)
            return next((name for name in names if name), None)
        case Shape.PATH | Shape.BLOCK if node.children:
            return _money_name(node.children[-1], money)
        case Shape.NEGATE | Shape.FILTER | Shape.FORCE | Shape.SORT:
            return _money_name(node.children[0], money)
        case _:
            return None


def _is_money(name: str, money: frozenset[str]) -> bool:
    words = _words(name)
    return name in money or (
        not money.isdisjoint(words) and bool(words) and words[-1] not in _NO_MONEY_LAST
    )


def _money_rewrite(node: Node, subject: Subject, scale: int = 2) -> str:
    """Write the node with $money functions. A quotient inside keeps ten decimals, the last two."""
    match node.shape:
        case Shape.BINARY if _is_arithmetic(node):
            operands = (_money_rewrite(child, subject, 10) for child in node.children)
            return _MONEY_OPERATORS[node.text].format(*operands, scale=scale)
        case Shape.CALL if name := _MONEY_CALLS.get(_callee(node) or ""):
            arguments = [_money_rewrite(child, subject, 10) for child in node.children[1:]]
            places = ["0"] if name == "moneyRound" and len(arguments) == 1 else []
            return f"${name}({', '.join([*arguments, *places])})"
        case Shape.PATH:
            source, step = node.children
            return f"{subject.text(source)}.{_money_rewrite(step, subject, scale)}"
        case Shape.BLOCK if len(node.children) == 1:
            inner = _money_rewrite(node.children[0], subject, scale)
            return inner if _is_arithmetic(node.children[0]) else f"({inner})"
        case Shape.NEGATE:
            return f"$moneyMultiply({_money_rewrite(node.children[0], subject)}, -1)"
        case _:
            return subject.text(node)


def number_of_id(site: Site) -> Iterator[Finding]:
    """Ids are digits, not quantities: beyond 2^53 a number changes them."""
    if site.callee != "number" or len(site.node.children) < 2:
        return
    argument = site.node.children[1]
    words = _words(_last_name(argument))
    if words and words[-1] in _ID_LAST:
        written = site.subject.text(argument)
        yield site.finding(
            "warning",
            "NumberOfId",
            f"{written} looks like an id, and a number keeps only 15 to 16 digits of it",
            f"$string({written})",
        )


def large_literal(site: Site) -> Iterator[Finding]:
    """A literal beyond 2^53 is not the number that was written."""
    node = site.node
    if node.shape is Shape.NUMBER and node.text.isdigit() and _is_beyond_exact(node.text):
        yield site.finding(
            "warning", "NumberTooLarge", "integers beyond 2^53 are not exact", f'"{node.text}"'
        )


def _is_beyond_exact(digits: str) -> bool:
    return len(digits) > 16 or int(digits) > 2**53


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _last_name(node: Node) -> str:
    match node.shape:
        case Shape.NAME | Shape.VARIABLE:
            return node.text
        case Shape.PATH:
            return _last_name(node.children[-1])
        case Shape.FILTER | Shape.FORCE | Shape.SORT:
            return _last_name(node.children[0])
        case _:
            return ""


# Lists that collapse


def collapsing_list(site: Site) -> Iterator[Finding]:
    """`items.{…}` is an object for one item and absent for none."""
    subject = site.subject
    if subject.schema is not None:
        if site.parent is None:
            found = _against_schema(site.node, subject.schema, subject.schema, _bindings(site.node))
            yield from (_collapse_finding(site, node) for node in found)
        return
    outputs = [site.node] if site.parent is None else []
    if site.node.shape is Shape.OBJECT:
        outputs.extend(value for _, value in site.node.pairs())
    for node in (outcome for output in outputs for outcome in _outcomes(output)):
        if _makes_objects(node):
            yield _collapse_finding(site, node)


def _collapse_finding(site: Site, node: Node) -> Finding:
    forced = _is_forced(node)
    written = site.subject.text(node).removesuffix("[]")
    return site.finding(
        "warning",
        "ListCollapses",
        "this list is absent when it has no item"
        if forced
        else "this list becomes a single value when it has one item and is absent when it has none",
        f"[{_shortened(written)}]",
        node,
    )


def _outcomes(node: Node) -> Iterator[Node]:
    """Give the nodes whose value may become the value of `node`."""
    match node.shape:
        case Shape.BLOCK if node.children:
            yield from _outcomes(node.children[-1])
        case Shape.CONDITION:
            for branch in node.children[1:]:
                yield from _outcomes(branch)
        case _:
            yield node


def _makes_objects(node: Node) -> bool:
    """Tell whether this is a path that ends in an object for each item."""
    node = _without_stages(node)
    if node.shape is not Shape.PATH:
        return False
    last = _without_stages(node.children[1])
    return any(each.shape is Shape.OBJECT for each in _outcomes(last))


def _without_stages(node: Node) -> Node:
    while node.shape in (Shape.FORCE, Shape.SORT, Shape.FILTER):
        node = node.children[0]
    return node


def _is_forced(node: Node) -> bool:
    """Tell whether a `[]` anywhere in the path keeps the list for one item."""
    match node.shape:
        case Shape.FORCE:
            return True
        case Shape.PATH:
            return any(_is_forced(child) for child in node.children)
        case Shape.SORT | Shape.FILTER | Shape.FOCUS | Shape.INDEX:
            return _is_forced(node.children[0])
        case _:
            return False


_SEQUENCES: Final = frozenset({"map", "filter", "each", "keys", "distinct", "spread", "match"})


def _is_sequence(node: Node) -> bool:
    """Tell whether the value collapses: everything that JSONata makes a sequence for."""
    name = _callee(node)
    return node.shape in (_STEPS - {Shape.GROUP}) or node.shape is Shape.NAME or name in _SEQUENCES


def _against_schema(
    node: Node, schema: Schema, root: Schema, bindings: Mapping[str, Node]
) -> Iterator[Node]:
    """Find what collapses where the schema says array, following the shape of the output."""
    schema = _resolved(schema, root)
    wants_list = _says_array(schema)
    for each in _outcomes(node):
        if each.shape is Shape.VARIABLE and each.text in bindings:
            rest = {name: value for name, value in bindings.items() if name != each.text}
            yield from _against_schema(bindings[each.text], schema, root, rest)
            continue
        # A bare field hands on a list as it is; only steps and filters make a sequence of it.
        if wants_list and _is_sequence(each) and each.shape is not Shape.NAME:
            yield each
        yield from _inside(each, schema, root, bindings)


def _inside(
    node: Node, schema: Schema, root: Schema, bindings: Mapping[str, Node]
) -> Iterator[Node]:
    items = _member(schema, "items")
    match node.shape:
        case Shape.OBJECT:
            properties = _member(schema, "properties")
            for key, value in node.pairs():
                inner = _member(properties, key.text) if key.shape is Shape.STRING else {}
                yield from _against_schema(value, inner, root, bindings)
        case Shape.ARRAY:
            for item in node.children:
                element = _without_stages(item)
                element = element.children[1] if _makes_objects(element) else item
                yield from _against_schema(element, items, root, bindings)
        case Shape.PATH:
            yield from _against_schema(node.children[1], items or schema, root, bindings)
        case _:
            return


def _says_array(schema: Schema) -> bool:
    kind = schema.get("type")
    return kind == "array" or (isinstance(kind, list) and "array" in kind) or "items" in schema


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a local reference, once: a schema that refers in circles is not ours to judge."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    target: Schema = root
    for key in reference[2:].split("/"):
        target = _member(target, key)
    return target


def _member(schema: Schema, key: str) -> Schema:
    inner = schema.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _bindings(root: Node) -> Mapping[str, Node]:
    """Give the variables that are assigned exactly once, with what they are assigned."""
    assigned: dict[str, list[Node]] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        pending.extend(node.children)
        if node.shape is Shape.BIND:
            assigned.setdefault(node.children[0].text, []).append(node.children[1])
    return {name: values[0] for name, values in assigned.items() if len(values) == 1}


# The table


Check = Callable[[Site], Iterator[Finding]]

_CHECKS: Final[tuple[Check, ...]] = (
    unknown_variable,
    unknown_function,
    bare_call,
    uncalled_function,
    shadowed_name,
    eval_call,
    zone_name,
    nested_quantifier,
    money_arithmetic,
    number_of_id,
    large_literal,
    collapsing_list,
)


def _checked(site: Site) -> Iterator[Finding]:
    return (finding for check in _CHECKS for finding in check(site))


def _callee(node: Node) -> str | None:
    """Give the name of the function that a call calls by variable, also as a step of a path."""
    if node.shape is not Shape.CALL or node.children[0].shape is not Shape.VARIABLE:
        return None
    return node.children[0].text


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


def _known_names(scope: Scope) -> Set[str]:
    inherited = _known_names(scope.parent) if scope.parent else set()
    return {name for name in scope.names if name not in ("", "$")} | inherited


def _did_you_mean(name: str, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean ${close[0]}?" if close else None


def _listed(names: list[str]) -> str:
    return ", ".join(f"${name}" for name in names) or "no variables"


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else f"{flat[:60]} … {flat[-40:]}"
