"""`kubectl wait` on what the operator writes; the tests play the Deployment controller."""

import manifests_text
from operating import Cluster

ROUTE = manifests_text.route("- respond: {body: hello}")
READY = ("wait", "route/it", "--for=condition=Ready")
PATIENCE = "--timeout=15s"
BRIEFLY = "--timeout=1s"


async def test_wait_ends_when_pods_run_and_not_on_what_was_before_the_last_change(
    cluster: Cluster,
) -> None:
    async with cluster.client:
        async with cluster.operator():
            await cluster.apply(ROUTE)
            await cluster.condition("Route", "it", status="Unknown")
            assert await cluster.kubectl(*READY, BRIEFLY, check=False) == ""
            await cluster.rolled_out("it")
            assert "condition met" in await cluster.kubectl(*READY, PATIENCE)

        # Nobody is there to see this change: the status is still that of the generation before.
        await cluster.patch("route", "it", {"spec": {"env": {"edition": "second"}}})
        route = await cluster.eventually_there("Route", "it")
        assert route["status"]["conditions"][0]["status"] == "True"
        assert await cluster.kubectl(*READY, BRIEFLY, check=False) == ""

        async with cluster.operator():
            await cluster.condition("Route", "it", status="Unknown")
            assert await cluster.kubectl(*READY, BRIEFLY, check=False) == ""
            await cluster.rolled_out("it")
            assert "condition met" in await cluster.kubectl(*READY, PATIENCE)


async def test_wait_tells_a_mistake_by_stalled(cluster: Cluster) -> None:
    async with cluster.client, cluster.operator():
        await cluster.apply(manifests_text.route("- filter: '{% $nix %}'"))

        stalled = await cluster.kubectl("wait", "route/it", "--for=condition=Stalled", PATIENCE)

        assert "condition met" in stalled
        assert await cluster.kubectl(*READY, BRIEFLY, check=False) == ""
