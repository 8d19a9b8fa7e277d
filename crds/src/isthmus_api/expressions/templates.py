"""Templates: `{% … %}` marks JSONata inside any string, and nothing else does.

A string that is one `{% x %}` and blanks around it gives the typed value of `x`; any other string
gives text with the values put in. What the same text means depends on where it stands, so a
compiled template has one method for each place: a value, text, a path, a query, a header, JSON.

Undefined and null are one: `None`, `""` in text, no parameter in a query.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from isthmus_api import json_text
from isthmus_api.expressions import bodies, engine, holes
from isthmus_api.expressions.holes import Hole

Variables = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed string: literal text and holes in turn."""

    text: str
    parts: tuple[str | Hole, ...]

    @property
    def holes(self) -> tuple[Hole, ...]:
        return tuple(part for part in self.parts if isinstance(part, Hole))

    @property
    def is_constant(self) -> bool:
        return not self.holes

    @property
    def is_typed(self) -> bool:
        """Whether the whole string is one expression, which then gives a typed value."""
        literals = (part for part in self.parts if isinstance(part, str))
        return len(self.holes) == 1 and not any(part.strip() for part in literals)

    def compile(
        self,
        compiler: engine.Engine,
        functions: Mapping[str, engine.Function] = engine.NO_FUNCTIONS,
    ) -> CompiledTemplate:
        """Compile every hole; raises `SyntaxFault` located in the whole string."""
        parts = tuple(
            part if isinstance(part, str) else _compiled_hole(part, self, compiler, functions)
            for part in self.parts
        )
        if self.is_typed:
            parts = tuple(part for part in parts if isinstance(part, _CompiledHole))
        return CompiledTemplate(self, parts, self.is_typed)


def parse(text: str) -> Template:
    """Parse a string; raises `SyntaxFault` for an unclosed `{%` and an empty `{% %}`."""
    return Template(text, tuple(holes.cut(text)))


@dataclass(frozen=True, slots=True)
class _CompiledHole:
    """An expression ready to run, and where it stands in the template."""

    expression: engine.Expression
    template: str
    offset: int
    reads_body: bool

    def value(
        self,
        body: bodies.Body,
        variables: Variables | None,
        now: engine.Clock | None,
        seed: int | None,
    ) -> Any:
        try:
            if not self.reads_body:
                return self.expression.evaluate(None, variables, now=now, seed=seed)
            raw = body.raw
            if raw is None:
                return self.expression.evaluate(body.value, variables, now=now, seed=seed)
            result = self.expression.evaluate_json(raw, variables, now=now, seed=seed)
        except engine.ExpressionError as error:
            raise error.within(self.template, self.offset) from error
        return None if result is None else json_text.decode_plain(result)

    def json(
        self,
        body: bodies.Body,
        variables: Variables | None,
        now: engine.Clock | None,
        seed: int | None,
    ) -> bytes | None:
        raw = body.raw
        if raw is None:
            value = self.value(body, variables, now, seed)
            return None if value is None else json_text.encode(value, body.large)
        try:
            result = self.expression.evaluate_json(raw, variables, now=now, seed=seed)
        except engine.ExpressionError as error:
            raise error.within(self.template, self.offset) from error
        return None if result == b"null" else result


_Part = str | _CompiledHole


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template ready to run. A template without holes answers without any work."""

    template: Template
    parts: tuple[_Part, ...]
    is_typed: bool
    segments: tuple[tuple[_Part, ...], ...] = field(init=False, repr=False)
    tail: tuple[_Part, ...] = field(init=False, repr=False)
    only: _CompiledHole | None = field(init=False, repr=False)
    """The expression that is the whole string, where one is."""

    def __post_init__(self) -> None:
        segments, tail = _segments(self.parts)
        first = self.parts[0] if self.is_typed else None
        object.__setattr__(self, "segments", segments)
        object.__setattr__(self, "tail", tail)
        object.__setattr__(self, "only", None if isinstance(first, str) else first)

    @property
    def is_constant(self) -> bool:
        return self.template.is_constant

    def reads(self) -> tuple[engine.Reads, ...]:
        """Give what each expression in the template reads."""
        return tuple(part.expression.reads() for part in self.parts if not isinstance(part, str))

    def value(
        self,
        body: bodies.Body,
        variables: Variables | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> Any:
        """Give the typed value where the whole string is one expression, else the text."""
        if self.only is None:
            return self.text(body, variables, now=now, seed=seed)
        return self.only.value(body, variables, now, seed)

    def json(
        self,
        body: bodies.Body,
        variables: Variables | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> bytes | None:
        """Give the value as JSON text, without building it while the body is text itself."""
        if self.only is None:
            return json_text.encode(self.text(body, variables, now=now, seed=seed))
        return self.only.json(body, variables, now, seed)

    def text(
        self,
        body: bodies.Body,
        variables: Variables | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> str:
        """Give the text with every value put in."""
        return "".join(
            part if isinstance(part, str) else as_text(part.value(body, variables, now, seed))
            for part in self.parts
        )

    def path(
        self,
        body: bodies.Body,
        variables: Variables | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> str:
        """Give the path with every value percent-encoded, `/` included.

        Refuses what would name another resource than the author meant: an empty value in a segment
        of its own, and a segment that comes out as `.` or `..`.
        """
        segments = []
        for parts in self.segments:
            segment = _joined_encoded(parts, body, variables, now, seed)
            if segment in _REFUSED_SEGMENTS:
                self._check_segment(segment, parts)
            segments.append(segment)
        return "/".join(segments) + _joined_encoded(self.tail, body, variables, now, seed)

    def query(
        self,
        body: bodies.Body,
        variables: Variables | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> list[str]:
        """Give the encoded values of one parameter: none for `None`, several for an array."""
        value = self.value(body, variables, now=now, seed=seed)
        if isinstance(value, str):
            return [_encoded(value)]
        values = value if isinstance(value, list) else [value]
        return [_encoded(as_text(each)) for each in values if each is not None]

    def header(
        self,
        body: bodies.Body,
        variables: Variables | None = None,
        *,
        now: engine.Clock | None = None,
        seed: int | None = None,
    ) -> str:
        """Give text that may stand in a header; refuses line ends, NUL and what is not latin-1."""
        text = self.text(body, variables, now=now, seed=seed)
        for character in text:
            if character in "\r\n\0" or ord(character) > 255:
                self._refuse(
                    f"a header cannot hold the character U+{ord(character):04X}",
                    "replace it, or encode the value with $encodeUrlComponent",
                )
        return text

    def _check_segment(self, segment: str, parts: tuple[_Part, ...]) -> None:
        hole = next((part for part in parts if not isinstance(part, str)), None)
        if segment:
            self._refuse(
                f"the path has a segment {segment!r}, which would name another resource",
                "let every segment be a name",
                hole,
            )
        if hole is not None:
            self._refuse(
                "an expression in the path gives nothing, which would leave an empty segment",
                "filter such messages out, or give a default with ?:",
                hole,
            )

    def _refuse(self, message: str, hint: str, hole: _CompiledHole | None = None) -> NoReturn:
        first = hole or next((part for part in self.parts if not isinstance(part, str)), None)
        raise engine.EvaluationFault(
            message,
            code="TemplateRefused",
            source=self.template.text,
            offset=first.offset if first else 0,
            hint=hint,
        )


def as_text(value: Any) -> str:
    """Give a value as it appears inside text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json_text.encode(value).decode()


_REFUSED_SEGMENTS: Final = frozenset({"", ".", ".."})


_PERCENT: Final = {n: urllib.parse.quote(chr(n), safe="") for n in range(128)}


def _encoded(text: str) -> str:
    # For ASCII a tenth of the time that `quote` takes.
    return text.translate(_PERCENT) if text.isascii() else urllib.parse.quote(text, safe="")


def _joined_encoded(
    parts: tuple[_Part, ...],
    body: bodies.Body,
    variables: Variables | None,
    now: engine.Clock | None,
    seed: int | None,
) -> str:
    return "".join(
        part if isinstance(part, str) else _encoded(as_text(part.value(body, variables, now, seed)))
        for part in parts
    )


def _compiled_hole(
    hole: Hole,
    template: Template,
    compiler: engine.Engine,
    functions: Mapping[str, engine.Function],
) -> _CompiledHole:
    try:
        expression = compiler.compile(hole.source, functions)
    except engine.ExpressionError as error:
        raise error.within(template.text, hole.offset) from error
    reads_body = expression.reads().input is not None
    return _CompiledHole(expression, template.text, hole.offset, reads_body)


def _segments(
    parts: tuple[_Part, ...],
) -> tuple[tuple[tuple[_Part, ...], ...], tuple[_Part, ...]]:
    """Cut parts at the slashes of their literal text, up to a `?`; the rest is the tail."""
    segments: list[list[_Part]] = [[]]
    for index, part in enumerate(parts):
        if not isinstance(part, str):
            segments[-1].append(part)
            continue
        path, mark, query = part.partition("?")
        first, *rest = path.split("/")
        segments[-1].extend([first] if first else [])
        segments.extend([piece] if piece else [] for piece in rest)
        if mark:
            return _frozen(segments), (mark + query, *parts[index + 1 :])
    return _frozen(segments), ()


def _frozen(segments: list[list[_Part]]) -> tuple[tuple[_Part, ...], ...]:
    return tuple(tuple(segment) for segment in segments)
