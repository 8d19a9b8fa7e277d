"""Bound expressions: compiled, and given exactly the variables that they read.

The engine converts every variable at each call, so a large one that is not read must not be handed
over. What all expressions of a Route read is collected too: `$request` is made only as far as that.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from isthmus_api.expressions import engine, functions, jlens_engine, templates, trees
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import REQUEST_FIELDS, Exchange

_NOTHING = Body.of(None)
NO_TABLES: Mapping[str, engine.Function] = functions.library({})


class Template:
    """A string with `{% … %}`, evaluated on a message."""

    __slots__ = ("_compiled", "_names")

    def __init__(self, compiled: templates.CompiledTemplate, names: tuple[str, ...]) -> None:
        self._compiled = compiled
        self._names = names

    def value(self, x: Exchange) -> Any:
        """The typed value."""
        return self._compiled.value(x.body, x.view(self._names))

    def text(self, x: Exchange) -> str:
        """The text."""
        return self._compiled.text(x.body, x.view(self._names))

    def path(self, x: Exchange) -> str:
        """The text as a path, values percent-encoded."""
        return self._compiled.path(x.body, x.view(self._names))

    def fixed_path(self) -> str | None:
        """The path, where no expression makes it differ from message to message."""
        return self._compiled.path(_NOTHING) if self._compiled.is_constant else None

    def query(self, x: Exchange) -> list[str]:
        """The encoded values of a query parameter."""
        return self._compiled.query(x.body, x.view(self._names))

    def header(self, x: Exchange) -> bytes:
        """The text as a field value."""
        return self._compiled.header(x.body, x.view(self._names)).encode("latin-1")


class Tree:
    """Free-form JSON with templates in its strings, evaluated on a message."""

    __slots__ = ("_compiled", "_names")

    def __init__(self, compiled: trees.CompiledTree, names: tuple[str, ...]) -> None:
        self._compiled = compiled
        self._names = names

    def body(self, x: Exchange) -> Body:
        """The result as a body, without decoding JSON text where that can be avoided."""
        text = self._compiled.json(x.body, x.view(self._names))
        return Body(text if text is not None else b"null", large=x.large)


class Expression:
    """A JSONata expression, evaluated on a message."""

    __slots__ = ("_compiled", "_names")

    def __init__(self, compiled: engine.Expression, names: tuple[str, ...]) -> None:
        self._compiled = compiled
        self._names = names

    def body(self, x: Exchange) -> Body:
        """The result as a body: JSON text from JSON text where the body has not been decoded."""
        variables = x.view(self._names)
        raw = x.body.raw
        if raw is None:
            return Body.of(self._compiled.evaluate(x.body.value, variables), x.large)
        return Body(self._compiled.evaluate_json(raw, variables) or b"null")


class Binder:
    """Compiles the expressions of one Route and collects what they read."""

    def __init__(self) -> None:
        self._request_fields: set[str] = set()

    @property
    def request_fields(self) -> frozenset[str]:
        """The parts of `$request` that some expression reads."""
        return frozenset(self._request_fields)

    def template(self, text: str) -> Template:
        """Compile a string with `{% … %}`."""
        compiled = templates.parse(text).compile(jlens_engine.ENGINE, NO_TABLES)
        return Template(compiled, self._names(compiled.reads()))

    def templates(self, texts: Mapping[str, str]) -> tuple[tuple[str, Template], ...]:
        """Compile the values of a map."""
        return tuple((name, self.template(text)) for name, text in texts.items())

    def tree(self, value: Any) -> Tree:
        """Compile free-form JSON."""
        compiled = trees.CompiledTree(value, jlens_engine.ENGINE, NO_TABLES)
        return Tree(compiled, self._names(compiled.reads()))

    def expression(self, source: str) -> Expression:
        """Compile an expression without marks around it."""
        return self.bind(jlens_engine.ENGINE.compile(source, NO_TABLES))

    def bind(self, compiled: engine.Expression) -> Expression:
        """Take in an expression that is compiled already."""
        return Expression(compiled, self._names((compiled.reads(),)))

    def _names(self, reads: Iterable[engine.Reads]) -> tuple[str, ...]:
        names: set[str] = set()
        for read in reads:
            names |= read.variables.keys()
            request = read.variables.get("request")
            if request:
                self._request_fields |= (
                    REQUEST_FIELDS if request.whole else request.fields.keys() & REQUEST_FIELDS
                )
        return tuple(sorted(names))
