"""Undo: how each owner of a Route goes back."""

import datetime
from typing import Any

import pytest

from isthmus_cli.cluster.revisions import Revision
from isthmus_cli.rollout import undo

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def revision(number: int, *, is_current: bool = False) -> Revision:
    return Revision(
        number=number,
        plan=f"plan-{number}",
        image="runtime:1",
        made="2026-01-01T00:00:00Z",
        restarted="",
        cause="",
        changed=("plan",) if number > 1 else (),
        ready=1,
        wanted=1,
        is_current=is_current,
    )


def found(kind: str = "Route", *, manager: str = "kubectl", at: str = "", **meta: Any) -> Any:
    entry = {"manager": manager, "operation": "Update", "time": at or "2026-01-01T00:00:00Z"}
    metadata = {"name": "it", "namespace": "shop", "managedFields": [entry]}
    return {"kind": kind, "metadata": metadata | meta}


def told(*objects: Any) -> list[str]:
    return list(undo.told(objects, [revision(1), revision(2, is_current=True)], NOW))


@pytest.mark.parametrize(
    ("route", "advice"),
    [
        pytest.param(found(), "`kubectl apply -n shop -f` it", id="kubectl"),
        pytest.param(found(manager="argocd-controller"), "`argocd app sync`", id="Argo CD"),
        pytest.param(
            found(
                labels={
                    "kustomize.toolkit.fluxcd.io/name": "apps",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux",
                }
            ),
            "`flux reconcile kustomization apps -n flux --with-source`",
            id="Flux",
        ),
        pytest.param(
            found(manager="helm-controller"), "`flux reconcile helmrelease NAME`", id="Flux, Helm"
        ),
        pytest.param(
            found(annotations={"meta.helm.sh/release-name": "apps"}),
            "`helm rollback apps -n shop`",
            id="Helm",
        ),
    ],
)
def test_each_owner_has_a_way_back(route: Any, advice: str) -> None:
    assert advice in told(route)[-1]


def test_who_wrote_last_comes_first() -> None:
    lines = told(
        found(at="2026-01-01T00:00:00Z"),
        found("Mapping", manager="kubectl-edit", at="2026-01-01T23:00:00Z"),
        found("Connector", at="2026-01-01T12:00:00Z"),
    )

    start = lines.index("written last, the newest first:") + 1
    assert lines[start : start + 3] == [
        "  Mapping/it 1h ago by kubectl-edit",
        "  Connector/it 12h ago by kubectl",
        "  Route/it 1d ago by kubectl",
    ]


@pytest.mark.parametrize(
    ("kept", "said"),
    [([], "has no revisions yet"), ([revision(2, is_current=True)], "no earlier revision")],
    ids=["none", "one"],
)
def test_where_there_is_nothing_to_go_back_to(kept: list[Revision], said: str) -> None:
    *_, last = undo.told([found()], kept, NOW)

    assert said in last
