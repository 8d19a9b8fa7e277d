"""Mappings that call Mappings, as lint, the plan and whoever watches them see it."""

from typing import Any

import pytest

from isthmus_api.mapping import MappingSpec
from isthmus_api.model import Model, ObjectMeta
from isthmus_api.plan import check, plan
from isthmus_api.problems import Code
from isthmus_api.resources import MAPPING, ROUTE, Key, Resource, Resources
from isthmus_api.route import RouteSpec


def mapping(name: str, expression: str, **spec: Any) -> Resource[Model]:
    model = MappingSpec.model_validate({"expression": expression, **spec})
    return Resource(Key(MAPPING.name, "default", name), ObjectMeta(name=name), model)


def route(**step: Any) -> Resource[RouteSpec]:
    steps = [{"map": step or {"mapping": "a"}}, {"respond": {}}]
    model = RouteSpec.model_validate({"source": {"http": {"path": "/x"}}, "steps": steps})
    return Resource(Key(ROUTE.name, "default", "r"), ObjectMeta(name="r"), model)


def calls(*names: str) -> str:
    return " & ".join(f"$mapping('{name}', $)" for name in names) or "'end'"


def told(*mappings: Resource[Model]) -> list[tuple[str, str, str]]:
    found = check(Resources.of(mappings))
    return [(each.subject.rpartition("/")[2], str(each.code), each.message) for each in found]


def test_the_plan_has_all_that_is_called_in_turn_and_nothing_else() -> None:
    mappings = [mapping("a", calls("b")), mapping("b", calls("c")), mapping("c", calls()),
                mapping("unused", calls("c"))]  # fmt: skip
    found = plan(route(), Resources.of([route(), *mappings]))

    assert found.problems == ()
    assert found.plan is not None
    assert sorted(found.plan.mappings) == ["a", "b", "c"]


def test_another_text_of_a_called_mapping_is_another_plan() -> None:
    hashes = set()
    for deepest in ("1", "2"):
        mappings = [mapping("a", calls("b")), mapping("b", calls("c")), mapping("c", deepest)]
        found = plan(route(), Resources.of([route(), *mappings])).plan
        assert found is not None
        hashes.add(found.hash)

    assert len(hashes) == 2


def test_a_called_mapping_that_is_missing_is_told_of_its_caller() -> None:
    found = plan(
        route(),
        Resources.of([route(), mapping("a", calls("b")), mapping("b", "$mapping('no', 1)")]),
    )

    [problem] = found.problems
    assert (problem.code, problem.subject) == (Code.MAPPING_NOT_FOUND, "Mapping default/b")
    assert found.plan is None


def test_an_error_in_a_called_mapping_keeps_the_route_from_running() -> None:
    found = plan(
        route(), Resources.of([route(), mapping("a", calls("b")), mapping("b", "$nosuch()")])
    )

    assert [each.subject for each in found.problems] == ["Mapping default/b"]
    assert found.plan is None


def test_a_circle_is_told_with_its_path_by_each_that_is_in_it() -> None:
    found = told(
        mapping("a", calls("b")), mapping("b", calls("c")), mapping("c", calls("a")),
        mapping("outside", calls("a")), mapping("own", calls("own")),
    )  # fmt: skip

    message = "the Mappings call each other in a circle: "
    assert found == [
        ("a", "MappingCycle", f"{message}a → b → c → a"),
        ("b", "MappingCycle", f"{message}b → c → a → b"),
        ("c", "MappingCycle", f"{message}c → a → b → c"),
        ("own", "MappingCycle", f"{message}own → own"),
    ]


def test_a_route_to_a_circle_has_no_plan() -> None:
    mappings = [mapping("a", calls("b")), mapping("b", calls("c")), mapping("c", calls("b"))]

    assert plan(route(), Resources.of([route(), *mappings])).plan is None


def test_a_chain_that_is_too_long_is_told_where_it_begins() -> None:
    chain = [mapping(f"m{n:02}", calls(f"m{n + 1:02}")) for n in range(17)]

    [(subject, _, message)] = told(*chain, mapping("m17", "1"))

    assert subject == "m00"
    assert message.startswith("more than 16 Mappings")


def test_a_diamond_is_no_circle() -> None:
    assert told(mapping("a", calls("b", "c")), mapping("b", calls("d")),
                mapping("c", calls("d")), mapping("d", "1")) == []  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "missing"),
    [
        pytest.param("$mapping('m', a)", ["rate"], id="nothing is handed over"),
        pytest.param("$mapping('m', a, {'rate': b})", [], id="all that is read"),
        pytest.param("$mapping('m', a, {'other': b})", ["rate"], id="something else"),
        pytest.param("$mapping('m', a, b)", [], id="what only running it tells"),
        pytest.param("$map(a, $mapping('m', ?))", ["rate"], id="handed to a function"),
    ],
)
def test_variables_that_the_called_one_reads(expression: str, missing: list[str]) -> None:
    found = told(mapping("caller", expression), mapping("m", "$rate"))

    assert found == [
        ("caller", "ExpressionInvalid",
         f"the Mapping 'm' reads ${name}, which this call does not give it")
        for name in missing
    ]  # fmt: skip


@pytest.mark.parametrize(
    "expression", ["$mapping(name, a)", "$map(a, $mapping)", "'m' ~> $mapping(a)"]
)
def test_a_name_that_is_not_literal(expression: str) -> None:
    messages = {message for _, _, message in told(mapping("caller", expression))}

    assert "$mapping takes the name of a Mapping as literal text" in messages


@pytest.mark.parametrize(
    "step", [{"expression": "$mapping('m', $)"}, {"expression": "$map(a, $mapping)"}]
)
def test_only_mappings_call_mappings(step: dict[str, Any]) -> None:
    found = plan(route(**step), Resources.of([route(**step), mapping("m", "1")]))

    assert "only the expression of a Mapping may call $mapping" in {
        each.message for each in found.problems
    }
    assert found.plan is None
