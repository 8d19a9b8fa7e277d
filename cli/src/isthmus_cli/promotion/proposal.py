"""The proposal: which files a promotion would change, and what speaks against it."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from isthmus_api import manifests
from isthmus_api.plan import check
from isthmus_api.problems import Problem, errors
from isthmus_api.resources import Resources
from isthmus_cli import folder, gathered_cases
from isthmus_cli.promotion import (
    changes,
    environment,
    findings,
    kustomize,
    needs,
    overlays,
    sets,
    supply,
)
from isthmus_cli.promotion.changes import Change
from isthmus_cli.promotion.environment import Field
from isthmus_cli.promotion.findings import Supply
from isthmus_cli.promotion.needs import Wanted
from isthmus_cli.promotion.overlays import PROMOTED, Overlay
from isthmus_cli.promotion.places import Places
from isthmus_cli.promotion.sets import Object
from isthmus_cli.promotion.supply import Keys, Seen

Look = Callable[[Iterable[Wanted]], Seen]
"""Asks a cluster."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would happen."""

    changes: list[Change]
    problems: tuple[Problem, ...]
    kept: tuple[Field, ...]
    """What the target says of the objects, and goes on saying."""
    left: tuple[Object, ...]
    """What the overlay of the set has for itself, and is not copied."""


def propose(source: Overlay, target: Overlay, *, listed: Keys, look: Look | None) -> Proposal:
    """Build both overlays, and the target with the set in it; `look` is None without a cluster."""
    everything = _everything(source, target.namespace)
    copied = tuple(each for each in everything if _is_shared(each, source))
    text = overlays.on_promoted(target, _replaced(source, target, copied))
    wished = {target.file.name: text, **_below(PROMOTED, sets.files(copied))}
    parent = target.folder.resolve().parent
    with tempfile.TemporaryDirectory(dir=parent, prefix=".promote-") as made:
        trial = _Trial(Path(made), target, wished)
        found = tuple(sets.read(trial.built()))
        said = tuple(environment.replaced(copied, sets.read(kustomize.build(source.folder))))
        unsaid = trial.unsaid(copied, [each for each in said if each.is_name or each.is_setting])
        tests = tuple(gathered_cases.of(folder.load(trial.folder / PROMOTED)))
        problems = (
            *findings.of_secrets(copied),
            *_of_language(found),
            *findings.of_unsaid(unsaid, target.namespace, source, target),
            *findings.of_tests(tests),
            *_of_supply(found, target, listed, look),
        )
    places = Places(everything, target)
    return Proposal(
        changes.between(
            _present(target), {target.folder / at: each for at, each in wished.items()}
        ),
        tuple(map(places.located, problems)),
        tuple(environment.replaced(copied, found)),
        tuple(each for each in everything if each not in copied),
    )


class _Trial:
    """A copy of the target beside it, so that what it names by `..` is found; it has the set."""

    def __init__(self, folder: Path, target: Overlay, wished: dict[str, str]) -> None:
        self.folder = folder
        shutil.copytree(target.folder, folder, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(folder / PROMOTED, ignore_errors=True)
        kustomize.write(folder, wished)

    def built(self) -> str:
        """What the target becomes."""
        return kustomize.build(self.folder)

    def unsaid(self, copied: tuple[Object, ...], fields: list[Field]) -> tuple[Field, ...]:
        """The fields of which the target says nothing: marks in the set are still there."""
        if not fields:
            return ()
        marked = {
            each.key: yaml.safe_dump(value)
            for each, value in zip(copied, environment.marked(copied, fields), strict=True)
        }
        with_marks = sets.files(replace(each, text=marked[each.key]) for each in copied)
        kustomize.write(self.folder / PROMOTED, with_marks)
        built = {each.key: each.value for each in sets.read(self.built())}
        kustomize.write(self.folder / PROMOTED, sets.files(copied))
        return tuple(environment.unsaid(built, fields))


def _everything(source: Overlay, namespace: str | None) -> tuple[Object, ...]:
    """What the overlay builds on, without what it says of it, for the namespace of the target."""
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made).resolve()

        def build(*, origins: bool) -> str:
            text = overlays.scratch(
                source.places().values(), below=scratch, namespace=namespace, origins=origins
            )
            kustomize.write(scratch, {overlays.NAMES[0]: text})
            return kustomize.build(scratch, restricted=False)

        plain, with_origins = build(origins=False), build(origins=True)
        return tuple(sets.with_sources(plain, with_origins, scratch))


def _is_shared(found: Object, source: Overlay) -> bool:
    """Whether an object is for all environments: ours are; others where the overlay has them not
    for itself, as it has what makes its Secrets.
    """
    own = source.folder.resolve()
    at = found.source
    is_own = at is not None and at.is_relative_to(own) and not at.is_relative_to(own / PROMOTED)
    return found.is_ours or found.kind == "ConfigMap" or not is_own


def _replaced(source: Overlay, target: Overlay, copied: Iterable[Object]) -> Iterator[str]:
    """The resources of the target that the set takes the place of: what the overlay of the set
    builds on, too, and other folders that have objects of the set.
    """
    taken, keys = set(source.places().values()), {each.key for each in copied}
    for each, at in target.places().items():
        if at in taken:
            yield each
        elif each != PROMOTED and Path(at).is_dir():
            built = sets.read(kustomize.build(Path(at)))
            if any(found.key in keys for found in built):
                yield each


def _of_language(found: Iterable[Object]) -> tuple[Problem, ...]:
    """What is wrong with our objects as the target has them, and with what they name."""
    read = _read(found)
    return errors((*read.problems, *check(Resources.of(read.resources))))


def _of_supply(
    found: tuple[Object, ...], target: Overlay, listed: Keys, look: Look | None
) -> Iterable[Problem]:
    wanted = tuple(needs.of(Resources.of(_read(found).resources)))
    declared = supply.declared(found)
    asked = [each.wanted for each in wanted if not supply.has(declared, each.wanted)]
    seen = look(asked) if look else None
    return findings.of_supply(wanted, Supply(declared, listed, seen), target)


def _read(found: Iterable[Object]) -> manifests.Manifests:
    text = "---\n".join(each.text for each in found if each.is_ours)
    return manifests.read(text.encode(), file="")


def _below(folder_name: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder_name}/{name}": content for name, content in files.items()}


def _present(target: Overlay) -> dict[Path, str]:
    """The files that a promotion writes, as they are."""
    files = (target.folder / PROMOTED).glob("*.yaml")
    return {target.file: target.text, **{each: each.read_text("utf-8") for each in files}}
