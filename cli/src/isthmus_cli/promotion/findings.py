"""Findings: what speaks against a promotion, as problems with the field they are about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from isthmus_api.problems import Code, Problem, Severity
from isthmus_cli import cases
from isthmus_cli.cases import Case
from isthmus_cli.promotion.environment import Field
from isthmus_cli.promotion.needs import Need, Wanted
from isthmus_cli.promotion.overlays import Overlay
from isthmus_cli.promotion.sets import Object
from isthmus_cli.promotion.supply import Keys, Seen, has

LIST = "secrets.list"


@dataclass(frozen=True, slots=True)
class Supply:
    """What is known of the Secrets and ConfigMaps of the target."""

    declared: Keys
    listed: Keys
    seen: Seen | None = None
    """None: no cluster was asked."""


def of_supply(needs: Iterable[Need], supply: Supply, target: Overlay) -> Iterator[Problem]:
    """Keys that the target does not have, or of which nothing tells."""
    for need in needs:
        if not has(supply.declared, need.wanted):
            found = (
                _of_cluster(need.wanted, supply, target, supply.seen)
                if supply.seen
                else _of_list(need.wanted, supply, target)
            )
            if found:
                yield replace(found, subject=str(need.owner.key), path=need.path)


def _of_list(wanted: Wanted, supply: Supply, target: Overlay) -> Problem | None:
    if has(supply.listed, wanted):
        return None
    return Problem(
        Code.INVALID_VALUE,
        f"nothing says that {target.folder} has {wanted}",
        f"make it there and write '{wanted}' into {target.folder / LIST}, or ask the cluster with "
        "--context",
    )


def _of_cluster(wanted: Wanted, supply: Supply, target: Overlay, seen: Seen) -> Problem | None:
    at = (wanted.kind, wanted.name)
    if has(seen.keys, wanted):
        return None
    if at in seen.refused:
        return Problem(
            Code.INVALID_VALUE,
            f"whether there is {wanted} cannot be seen: it needs {seen.right(wanted.kind)}",
            f"ask for that right, or for somebody who has it; {target.folder / LIST} counts "
            "meanwhile",
            severity=Severity.WARNING if has(supply.listed, wanted) else Severity.ERROR,
        )
    if at in seen.keys:
        return Problem(
            Code.INVALID_VALUE,
            f"the {wanted.kind} '{wanted.name}' of the namespace {seen.namespace} has no key "
            f"'{wanted.key}'",
            f"add it, or name another one; there are: {', '.join(sorted(seen.keys[at])) or 'none'}",
        )
    return Problem(
        Code.INVALID_VALUE,
        f"the namespace {seen.namespace} has no {wanted.kind} '{wanted.name}'",
        "make it, or name another one in the overlay",
    )


def of_unsaid(
    fields: Iterable[Field], namespace: str | None, source: Overlay, target: Overlay
) -> Iterator[Problem]:
    """Fields that the overlay of the set replaces, and the target leaves as the base has them."""
    for field in fields:
        _group, kind, name = field.key
        yield Problem(
            Code.MISSING_FIELD,
            f"{source.folder} replaces this field, and {target.folder} says nothing of it",
            hint=f"add a patch for it to {target.file}",
            subject=f"{kind} {namespace or 'default'}/{name}",
            path=field.path,
            severity=Severity.ERROR if field.is_name else Severity.WARNING,
        )


def of_secrets(objects: Iterable[Object]) -> Iterator[Problem]:
    """Secrets among what is to be copied."""
    for each in objects:
        if each.is_secret:
            namespace = each.value["metadata"].get("namespace") or "default"
            yield Problem(
                Code.MISPLACED,
                "a Secret stands among what all environments share, and is never copied",
                hint="move it to the overlays, or make it outside of Git",
                subject=f"Secret {namespace}/{each.name}",
            )


def of_tests(found: Iterable[Case]) -> Iterator[Problem]:
    """Tests of the set that fail; `isthmus test` shows how."""
    for each in found:
        if not cases.run(each).passed:
            yield Problem(
                Code.TEST_FAILED,
                f"the test '{each.name}' fails",
                hint="`isthmus test` on the folder of this file shows how",
                subject=each.subject,
                path=("spec", "tests"),
            )
