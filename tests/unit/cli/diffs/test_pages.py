"""What is said of findings, and how much of it."""

import re

import click
import pytest

from isthmus_api.resources import Key
from isthmus_cli.diffs import pages, writing
from isthmus_cli.diffs.capacity import Share
from isthmus_cli.diffs.fields import Change
from isthmus_cli.diffs.findings import Findings
from isthmus_cli.diffs.objects import ObjectChange, Verb
from isthmus_cli.diffs.workloads import Effect, Reason, Workload

ONE = Share(1, 100, 128 * 1024**2)


def restarts(name: str, path: str = "spec.http.timeout") -> Workload:
    reasons = (Reason("Connector shop/erp", path),)
    return Workload(Key("Route", "shop", name), Effect.RESTARTS, ONE, ONE, reasons)


def findings(*workloads: Workload, objects: tuple[ObjectChange, ...] = ()) -> Findings:
    return Findings(objects, workloads, (), ONE, ONE)


def test_routes_of_which_the_same_is_said_stand_together() -> None:
    found = findings(*(restarts(f"r{n}") for n in range(30)), restarts("other", "spec.http.auth"))

    routes, capacity = pages.sections(found)

    together, alone = routes.entries
    assert together.subject.startswith("30 Routes: shop/r0, shop/r1, ")
    assert together.subject.endswith("shop/r19, and 10 more")
    assert alone.subject == "Route shop/other"
    assert capacity.closing.startswith("while it rolls out, 31 more pods")
    assert pages.summary(found) == ("objects: 0 added, 0 changed, 0 removed; 31 Routes restart")


def test_of_many_changes_some_are_told_and_how_many_more() -> None:
    changes = tuple(Change(f"spec.env.v{n}", 1, 2) for n in range(25))
    changed = ObjectChange("Route shop/it", Verb.CHANGED, changes)

    (section,) = pages.sections(findings(objects=(changed,)))

    lines = section.entries[0].lines
    assert (len(lines), lines[-1].text) == (21, "and 5 more places")
    assert writing.as_json(findings(objects=(changed,))).count('"path"') == 25


def test_markdown_ends() -> None:
    objects = tuple(
        ObjectChange(f"Mapping shop/m{n}", Verb.ADDED) for n in range(writing.MAX_ENTRIES + 2)
    )

    text = writing.as_markdown(findings(objects=objects), title="T")

    assert text.count("- **Mapping") == writing.MAX_ENTRIES
    assert "\n- and 2 more\n" in text + "\n"


@pytest.mark.parametrize("value", ["`", "``a``", "<img src=x>", "@all", "![](x)"])
def test_values_have_no_meaning_for_markdown(value: str) -> None:
    changed = ObjectChange("Route shop/it", Verb.CHANGED, (Change("spec.a", "", value),))

    text = writing.as_markdown(findings(objects=(changed,)), title="T")

    [line] = [line for line in text.splitlines() if "spec.a" in line]
    found = re.fullmatch(r"  - (`+) ?(.+?) ?\1", line)
    assert found
    assert value in found[2]
    assert found[1] not in re.findall("`+", found[2])


def test_nothing_is_different() -> None:
    assert findings().is_same
    assert click.unstyle(writing.as_text(findings())) == "nothing is different"


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (Share(), ("0", "0Mi")),
        (Share(3, 1500, 192 * 1024**2), ("1.5", "192Mi")),
        (Share(1, 100, 1000), ("0.1", "1000")),
    ],
)
def test_capacity_is_written_as_kubernetes_writes_it(share: Share, told: tuple[str, str]) -> None:
    assert (share.cpu, share.memory) == told
