"""Which count a Deployment has on its way to an autoscaler, and which one it leaves."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.route import RouteSpec
from isthmus_operator.desired import REPLICAS_ANNOTATION
from isthmus_operator.live import Child
from isthmus_operator.reconcile import handover, scaling

COUNTS = st.integers(0, 12)
BOUNDS = st.tuples(st.integers(1, 6), st.integers(6, 9))
MARKS = st.sampled_from(["autoscaled", "", "0", "3", "11"])


def deployment(count: int, mark: str) -> Child:
    annotations = {REPLICAS_ANNOTATION: mark} if mark else {}
    metadata = {"name": "it", "uid": "u", "resourceVersion": "1", "annotations": annotations}
    return Child.of({"kind": "Deployment", "metadata": metadata, "spec": {"replicas": count}})


def spec(*, autoscaled: bool, paused: bool = False, replicas: int = 1) -> RouteSpec:
    scaled = {"autoscaling": {"maxReplicas": 9, "cpu": 70}} if autoscaled else {}
    flow = {"source": {"http": {"path": "/"}}, "steps": [{"respond": {}}]}
    return RouteSpec.model_validate({**flow, "paused": paused, "replicas": replicas, **scaled})


@given(count=COUNTS, mark=MARKS, bounds=BOUNDS)
def test_a_count_is_handed_over_within_the_bounds_and_as_near_as_they_allow(
    count: int, mark: str, bounds: tuple[int, int]
) -> None:
    least, most = bounds
    before = int(mark) if mark.isdecimal() else count

    written = handover.handed_over(deployment(count, mark), bounds)

    if written is None:
        assert mark == "autoscaled"
        assert least <= count <= most
    else:
        assert least <= written <= most
        assert written in (before, least, most)
        assert written == before or not least <= before <= most


@given(count=COUNTS, mark=MARKS)
def test_beside_an_autoscaler_of_somebody_else_no_count_changes_that_is_not_ours(
    count: int, mark: str
) -> None:
    written = handover.handed_over(deployment(count, mark), None)

    kept = int(mark) if mark.isdecimal() else count
    assert written == (None if mark == "autoscaled" else kept)


@given(count=COUNTS, mark=MARKS)
def test_a_count_is_kept_while_nobody_says_another(count: int, mark: str) -> None:
    there = deployment(count, mark)
    left = {"autoscaled": count, "": None}.get(mark, int(mark) if mark.isdecimal() else None)

    assert scaling.kept(spec(autoscaled=False), there) == left
    assert scaling.kept(spec(autoscaled=False, paused=True), there) == left
    assert scaling.kept(spec(autoscaled=True, paused=True), there) == left
    assert scaling.kept(spec(autoscaled=False, replicas=2), there) is None
    assert scaling.kept(spec(autoscaled=True), there) is None
    assert scaling.kept(spec(autoscaled=False), None) is None
