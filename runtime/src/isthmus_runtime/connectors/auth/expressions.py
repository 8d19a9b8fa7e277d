"""Expressions of sign-ins: evaluated on an answer or a call, with what they read and no more.

What fails here may quote a credential, so its text is dropped and its place is told instead.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from isthmus_api.expressions import bodies, engine, functions, jlens_engine, templates, trees
from isthmus_api.model import SecretValue
from isthmus_runtime.connectors.auth.scheme import SignInFailed
from isthmus_runtime.secrets import Secrets

Variables = dict[str, Any]
T = TypeVar("T")

_LIBRARY = functions.library({})
_NOTHING = bodies.ValueBody(None)


class Expression:
    """A string with `{% … %}` at a place in a Connector's auth."""

    def __init__(self, text: str, *, place: str) -> None:
        self._compiled = templates.parse(text).compile(jlens_engine.ENGINE, _LIBRARY)
        self._place = place
        self.names = {name for read in self._compiled.reads() for name in read.variables}

    def text(self, variables: Variables) -> str:
        """The text."""
        return self._guarded(lambda: self._compiled.text(_NOTHING, self._view(variables)))

    def header(self, variables: Variables) -> bytes:
        """The text as a field value."""
        made = self._guarded(lambda: self._compiled.header(_NOTHING, self._view(variables)))
        return made.encode("latin-1")

    def value(self, body: Any, variables: Variables) -> Any:
        """The typed value, read from a body."""
        read = bodies.ValueBody(body)
        return self._guarded(lambda: self._compiled.value(read, self._view(variables)))

    def _view(self, variables: Variables) -> Variables:
        """The engine converts every variable that it is given."""
        return {name: value for name, value in variables.items() if name in self.names}

    def _guarded(self, evaluate: Callable[[], T]) -> T:
        try:
            return evaluate()
        except engine.ExpressionError as error:
            raise SignInFailed(f"{self._place} cannot be made [{error.code}]") from None


def headers(texts: Mapping[str, str], *, place: str) -> tuple[tuple[bytes, Expression], ...]:
    """The fields of a map of templates."""
    return tuple(
        (name.lower().encode(), Expression(text, place=f"{place}.{name}"))
        for name, text in texts.items()
    )


def tree(value: Any, *, place: str) -> Callable[[Variables], bytes]:
    """Free-form JSON with templates in its strings, as what writes it."""
    compiled = trees.CompiledTree(value, jlens_engine.ENGINE, _LIBRARY)

    def write(variables: Variables) -> bytes:
        try:
            return compiled.json(_NOTHING, variables) or b"null"
        except engine.ExpressionError as error:
            raise SignInFailed(f"{place} cannot be made [{error.code}]") from None

    return write


def named(values: Mapping[str, SecretValue], secrets: Secrets) -> Variables:
    """`$secrets`, as they are now."""
    return {name: secrets.read(value.secret_key_ref) for name, value in values.items()}
