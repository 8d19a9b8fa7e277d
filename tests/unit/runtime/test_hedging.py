"""How many calls are made a second time."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.connectors.hedging import Budget


@given(share=st.sampled_from([0.01, 0.1, 0.5, 1.0]), slow=st.lists(st.booleans(), max_size=300))
def test_no_more_second_attempts_are_made_than_the_budget_allows(
    share: float, slow: list[bool]
) -> None:
    budget = Budget(share)
    made = 0
    for number, is_slow in enumerate(slow, start=1):
        budget.earn()
        made += is_slow and budget.take()

        assert made <= 1 + share * number + 1e-6


def test_what_is_saved_is_bounded() -> None:
    budget = Budget(0.1)
    for _ in range(10_000):
        budget.earn()

    assert sum(budget.take() for _ in range(100)) == 10


def test_what_was_not_made_is_not_spent() -> None:
    budget = Budget(0.1)

    assert budget.take()
    assert not budget.take()
    budget.give_back()
    assert budget.take()
