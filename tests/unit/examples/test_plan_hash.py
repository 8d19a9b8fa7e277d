"""A Route of the example keeps its plan: a new version of Isthmus must not roll its pods."""

from pathlib import Path

from isthmus_api import manifests
from isthmus_api.plan import plan
from isthmus_api.resources import Resources

EXAMPLE = Path(__file__).parents[3] / "examples/search-with-prices"


def test_the_plan_of_search_with_prices_has_the_hash_it_always_had() -> None:
    files = sorted(EXAMPLE.glob("*.yaml"))
    found = [manifests.read(file.read_bytes(), file=file.name) for file in files]
    resources = Resources.of(each for read in found for each in read.resources)

    hashes = {}
    for route in resources.routes():
        made = plan(route, resources).plan
        assert made is not None
        hashes[route.key.name] = made.hash

    assert hashes == {"product-search": "9c488ecf4f84d01c"}
