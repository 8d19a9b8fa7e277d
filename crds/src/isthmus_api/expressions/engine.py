"""The seam to the JSONata engine: what an engine is, what guards it, and how it fails.

Nothing here knows a particular engine. Steps, mappings and templates are written against `Engine`
and `Expression`; `jlens_engine` is the one that runs, `jsonata2py_engine` the one that tests
compare it with.

Errors of this package:

    ExpressionError             an expression could not do its work
    ├── SyntaxFault             the text is no JSONata expression or no template
    ├── EvaluationFault         it failed on this input, or a function of ours refused its arguments
    │   └── SchemaMisfit        a Mapping that it called was not given, or did not make, what fits
    └── GuardExceeded           it ran too long, too deep or grew too large

All are permanent: the same input fails the same way, so nothing retries them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, Self

from isthmus_api.compiled_schema import Misfits
from isthmus_api.expressions.accounts import Account

Side = Literal["input", "output"]
"""Of a Mapping: what it is given, or what it makes."""

MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Bound what one evaluation may use. They are always set: there is no evaluation without.

    `max_steps` is the guard that does not depend on the load of the machine. The benchmark's order
    mapping takes 2,155 steps for 20 lines and 196,195 for 2,000 (jlens 0.25.0), at some 20 million
    steps a second: 5,000,000 leaves a factor of 25 and still ends before the timeout does.
    """

    timeout: float = 1.0
    max_depth: int = 200
    max_steps: int = 5_000_000
    max_array_length: int = 1_000_000
    max_string_length: int = 16 * MEBIBYTE
    max_result_size: int = 16 * MEBIBYTE


GUARDS: Final = Guards()


class ExpressionError(Exception):
    """Tell what is wrong with an expression, where, and what to write instead.

    `offset` counts code points in `source`; `line` and `column` start at 1. `path` names the place
    of the text in a larger document (`body.lines[0]`) where there is one.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        source: str = "",
        offset: int | None = None,
        hint: str | None = None,
        path: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.source = source
        self.offset = offset
        self.hint = hint
        self.path = path

    @property
    def line(self) -> int | None:
        return None if self.offset is None else position(self.source, self.offset)[0]

    @property
    def column(self) -> int | None:
        return None if self.offset is None else position(self.source, self.offset)[1]

    def but(self, **changed: Any) -> Self:
        """Give the same error with other attributes."""
        made = type(self).__new__(type(self))
        made.__dict__.update({**self.__dict__, **changed})
        made.args = (made.message,)
        return made

    def within(self, source: str, start: int) -> Self:
        """Give the same error as seen from `source`, in which our text begins at `start`."""
        return self.but(source=source, offset=start + (self.offset or 0))

    def at(self, path: str) -> Self:
        """Give the same error with its place in a larger document."""
        return self.but(path=path)

    def __str__(self) -> str:
        place = "" if self.offset is None else f" (line {self.line}, column {self.column})"
        where = f"{self.path}: " if self.path else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.message}{place} [{self.code}]{hint}"


class SyntaxFault(ExpressionError):
    """The text is no JSONata expression, or a template does not close its `{%`."""


class EvaluationFault(ExpressionError):
    """The expression failed on this input."""


class SchemaMisfit(EvaluationFault):
    """A Mapping was called with what does not fit its schema, or its result did not.

    `misfits` say where and which rule; neither they nor the message quote a value.
    """

    mapping: str
    side: Side
    misfits: Misfits

    @classmethod
    def of(cls, message: str, *, mapping: str, side: Side, misfits: Misfits) -> Self:
        """The misfit of a call."""
        made = cls(message, code="U1007")
        made.mapping, made.side, made.misfits = mapping, side, misfits
        return made


class GuardExceeded(ExpressionError):
    """The expression ran into one of the `Guards`."""


@dataclass(frozen=True, slots=True)
class Function:
    """A Python function that expressions call as `$name`.

    It must be fast and do no I/O: no guard interrupts it. It takes `None` for undefined and null
    alike, and returning `None` gives undefined. Whatever it raises becomes an `EvaluationFault`.
    """

    name: str
    callable: Callable[..., Any]
    signature: str
    doc: str = ""

    @property
    def usage(self) -> str:
        """The call as documented: the first line of its docstring, such as `$name(a, b?)`."""
        return self.doc.partition("\n")[0] or f"${self.name}(…)"


NO_FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fields:
    """What is read of a value: all of it (`whole`), or only `fields`, each in the same way."""

    whole: bool = False
    fields: Mapping[str, Fields] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reads:
    """What an expression reads. `input` is `None` when it does not look at its input at all.

    `every_variable` says that the expression may read variables that nobody can name in advance
    (`$eval` can).
    """

    input: Fields | None
    variables: Mapping[str, Fields]
    every_variable: bool = False


Clock = int | float | str


class Expression(Protocol):
    """A compiled expression: immutable, usable from any thread."""

    @property
    def source(self) -> str: ...

    def evaluate(
        self,
        value: Any,
        variables: dict[str, Any] | None = None,
        *,
        now: Clock | None = None,
        seed: int | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Evaluate on a decoded document; `None` for undefined and for null.

        `timeout`, in seconds, takes the place of the guard of that name.
        """
        ...

    def evaluate_json(
        self,
        text: bytes,
        variables: dict[str, Any] | None = None,
        *,
        now: Clock | None = None,
        seed: int | None = None,
    ) -> bytes | None:
        """Evaluate on JSON text and give JSON text; `None` for undefined, `b"null"` for null.

        Raises `json_text.InvalidJson` when the text is none.
        """
        ...

    def reads(self) -> Reads: ...

    def account(
        self,
        value: Any,
        variables: dict[str, Any] | None = None,
        *,
        now: Clock | None = None,
        seed: int | None = None,
    ) -> Account:
        """Evaluate on a decoded document, and tell what each part gave, errors included.

        Of what another Mapping did, that it was called and what it gave.
        """
        ...


class Engine(Protocol):
    """Compiles expressions. `functions` are known to the expression from then on."""

    def compile(
        self, source: str, functions: Mapping[str, Function] = NO_FUNCTIONS
    ) -> Expression: ...


def position(source: str, offset: int) -> tuple[int, int]:
    """Give line and column, both from 1, of an offset in code points."""
    before = source[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


# D1011 depth, D1012 time, D2014 and D2015 sequence size, D2016 $pad, U1001 string, array and result
# size, U1006 steps. Ports of the reference implementation use U1001 for all sizes.
GUARD_CODES: Final = frozenset({"D1011", "D1012", "D2014", "D2015", "D2016", "U1001", "U1006"})


def evaluation_error(code: str) -> type[ExpressionError]:
    """Choose the error that a code of a running expression stands for."""
    return GuardExceeded if code in GUARD_CODES else EvaluationFault


def argument_hint(name: str | None, code: str, functions: Mapping[str, Function]) -> str | None:
    """Recall how a function of ours is called when a call of it did not fit its signature."""
    function = functions.get(name or "")
    if function is None or code not in ("T0410", "T0411", "T0412"):
        return None
    return f"call it as {function.usage}"
