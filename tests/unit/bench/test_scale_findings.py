"""What a run says of the operator: ratios to the bare client, and limits of its own."""

from goals import Row
from scale import fleet, trials
from scale.findings import Findings
from scale.pods import Pods


def applied(routes: int, seconds: float, *, rss: int = 150_000_000) -> trials.Applied:
    return trials.Applied(
        routes=routes,
        from_first=seconds,
        from_last=seconds - 1,
        writes=7.5 * routes,
        by_kind={"Deployment": routes},
        events=routes,
        reconciles=2 * routes,
        operator_cpu=4.0,
        server_cpu=16.0,
        rss=rss,
        peak=rss,
        stall=0.03,
    )


def verdicts(found: Findings) -> dict[str, tuple[str, str]]:
    return {row.what: (f"{row.value:g}{row.unit}", row.verdict) for row in found.rows()}


def row(found: Findings, what: str) -> Row:
    return next(row for row in found.rows() if row.what == what)


def test_the_rate_is_the_median_over_that_of_the_bare_client() -> None:
    bare = [trials.Bare(1000, seconds, 20.0) for seconds in (10.0, 20.0, 100.0)]
    ours = [applied(1000, seconds) for seconds in (20.0, 25.0, 100.0)]

    found = row(Findings(bare=bare, applied=ours), "1,000 Routes at once")

    assert (found.ours, found.theirs) == ("40/s", "50/s")
    assert (found.value, found.verdict) == (80.0, "aim")


def test_memory_is_that_with_the_most_routes() -> None:
    found = Findings(applied=[applied(5000, 90, rss=300_000_000), applied(1000, 20)])

    assert verdicts(found)["RSS with 5,000 Routes"] == ("300 MB", "floor")


def test_one_write_of_an_idle_operator_is_a_goal_missed() -> None:
    later = trials.Later(
        changes=[0.1, 0.2, 5.0],
        idle_seconds=60,
        idle_writes=1,
        idle_cpu=0.5,
        quiet=4.0,
        restart_writes=0,
        restart_changed=0,
        restart_stall=0.05,
        rss=120_000_000,
    )

    found = verdicts(Findings(later={5000: later}))

    assert found["writes in 60 s of idleness"] == ("1", "MISSED")
    assert found["writes after a restart"] == ("0", "aim")
    assert found["one Route of 5,000 changed"] == ("0.2 s", "aim")
    assert found["RSS after a restart, 5,000 Routes"] == ("120 MB", "aim")


def test_scaling_is_compared_with_a_deployment_of_the_same_image() -> None:
    found = verdicts(Findings(pods=Pods(ready=3.0, bare_ready=2.0, scaled=4.5, bare_scaled=3.0)))

    assert found == {"kubectl scale 1 -> 3 to Ready": ("1.5x", "floor")}


def test_figures_are_lines_of_equal_length() -> None:
    lines = Findings(applied=[applied(1000, 20)]).figures()

    assert {len(line) for line in lines} == {3}
    assert ["", "writes a Route, Events left out", "7.50"] in lines


def test_the_fleet_names_every_connector_and_mapping() -> None:
    named = {
        name
        for number in range(1000)
        for step in fleet.route(number)["spec"]["steps"]
        for name in (step.get("call", {}).get("connector"), step.get("map", {}).get("mapping"))
        if name
    }

    assert named == {found["metadata"]["name"] for found in fleet.shared()}
