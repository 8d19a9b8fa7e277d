"""A plain path read without the engine gives what the engine gives."""

import jlens
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.expressions import jlens_engine, variable_path

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES), st.sampled_from(["a", "a.b"]))
def test_it_gives_what_the_engine_gives(variable: dict[str, object], fields: str) -> None:
    source = f"$x.{fields}"

    ours = jlens_engine.ENGINE.compile(source).evaluate(None, {"x": variable})

    assert ours == jlens.Expression(source).evaluate(None, {"x": variable})


def test_a_variable_that_is_not_there_gives_nothing() -> None:
    assert jlens_engine.ENGINE.compile("$x.a").evaluate(None, {}) is None


@pytest.mark.parametrize(
    "source",
    [
        "$x",
        "x.y",
        "$.a",
        "$x.a[0]",
        "$x.a & 'b'",
        "$x.$y",
        "$x.a.b()",
        "$x.and",
        "$x.`a b`",
        "$x.*",
    ],
)
def test_other_expressions_are_left_to_the_engine(source: str) -> None:
    assert variable_path.parse(source) is None


def test_blanks_around_a_path_do_not_matter() -> None:
    assert variable_path.parse(" $request.query.q ") == ("request", ("query", "q"))
