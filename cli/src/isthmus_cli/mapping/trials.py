"""Trials: an expression on an input, from the options of a command; and the watch over them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import click

from isthmus_api import json_text
from isthmus_api.expressions.accounts import Account
from isthmus_api.expressions.engine import ExpressionError, Fields, GuardExceeded
from isthmus_api.plan import expression_checks
from isthmus_api.problems import Code, Problem
from isthmus_api.translation import Message, Translation
from isthmus_cli import report, watching
from isthmus_cli.mapping import inputs, subjects
from isthmus_cli.mapping.subjects import Refused, Subject

SEED = 0
"""Of `$random`: what is shown of the parts is of the same evaluation as the result."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An expression, compiled, with the message that it is tried on."""

    subject: Subject
    translation: Translation
    message: Message
    now: int
    """Milliseconds since 1970."""

    def variables_read(self) -> Mapping[str, Fields]:
        """What the expression reads of variables."""
        return expression_checks.read_by(self.subject.mapping.spec)

    @property
    def missing(self) -> list[str]:
        """Variables that the expression reads and that have no value."""
        return sorted(self.variables_read().keys() - self.message.variables.keys())

    def result(self) -> bytes:
        """The result in JSON; `Refused` where the expression fails."""
        try:
            return self.translation.result(self.message, now=self.now, seed=SEED)
        except ExpressionError as error:
            raise Refused((_failed(error, self.subject),)) from error
        except json_text.NotEncodable as error:
            message = f"the result has no JSON form: {error}"
            raise Refused((_problem(Code.EXPRESSION_FAILED, message, self.subject),)) from error

    def account(self) -> Account:
        """What each part gave, in an evaluation like that of the result."""
        return self.translation.account(self.message, now=self.now, seed=SEED)


def made(given: dict[str, Any]) -> Trial:
    """The trial of the options; `Refused` or `UsageError` where there is none."""
    subject = subjects.made(given)
    mapping = subject.mapping
    message = inputs.made(given, mapping)
    translation = Translation(mapping, subject.resources, config_maps=subject.config_maps)
    read = translation.message(message.body, message.variables)
    return Trial(subject, translation, read, time.time_ns() // 1_000_000)


def show(problems: tuple[Problem, ...], given: dict[str, Any]) -> None:
    """Say on the standard error output why there is nothing to show."""
    told = [replace(each, subject="", path=()) if _is_argument(each) else each for each in problems]
    report.show(told, err=True, texts={subjects.ARGUMENT: given["expression"] or ""})


def _is_argument(problem: Problem) -> bool:
    """Whether it is about no object, but about what stands on the command line."""
    return problem.location is not None and problem.location.file == subjects.ARGUMENT


watch = click.option(
    "--watch", is_flag=True, help="Do it again whenever one of the files is saved, until Ctrl-C."
)


def run(shown: Callable[[], None], given: dict[str, Any], *, watch: bool) -> int:
    """Show a trial, or why there is none; the exit code."""

    def once() -> int:
        try:
            shown()
        except Refused as refused:
            show(refused.problems, given)
            return 1
        return 0

    if not watch:
        return once()
    paths = [*inputs.files(given), *([given["path"]] if given["path"] else [])]
    if not paths:
        raise click.UsageError("--watch needs files: name some with -f or --input")
    return watching.again(paths, once)


def tell_missing(trial: Trial) -> None:
    """Say which variables have no value: JSONata takes them for nothing, without a word."""
    for name in trial.missing:
        click.echo(f"isthmus: ${name} has no value; give it one with --variable {name}=…", err=True)


def tell_warned(trial: Trial) -> None:
    """Say where called Mappings were not given, or did not make, what fits; pods log it."""
    for each in trial.translation.warned:
        click.echo(f"isthmus: warning: {each}", err=True)


def _failed(error: ExpressionError, subject: Subject) -> Problem:
    is_guard = isinstance(error, GuardExceeded)
    code = Code.GUARD_EXCEEDED if is_guard else Code.EXPRESSION_FAILED
    return _problem(code, error.message, subject, error)


def _problem(
    code: Code, message: str, subject: Subject, error: ExpressionError | None = None
) -> Problem:
    origin = subject.mapping.origin
    line, column = (error.line, error.column) if error else (None, None)
    return Problem(
        code,
        message,
        hint=(error and error.hint) or "`isthmus mapping explain` shows what each part gave",
        subject=str(subject.mapping.key),
        path=subjects.PATH,
        location=origin.locate_text(subjects.PATH, line=line, column=column)
        if line and column
        else origin.locate(subjects.PATH),
    )
