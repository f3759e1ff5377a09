"""How predictions came out: published values, and the laws of the score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reviews.scores import LEAST, Resolved, brier, scores, scores_by_group

RATINGS = {0.10: (2, 26), 0.25: (24, 165), 0.50: (84, 387), 0.75: (77, 222), 0.90: (10, 31)}
"""Traffic-light ratings of large government projects as probabilities, and how many of how many
grew in cost: a published panel."""
predictions = st.lists(
    st.tuples(st.sampled_from([0.05, 0.2, 0.5, 0.8, 0.99]), st.booleans()), min_size=1, max_size=60
)


def test_the_published_ratings_are_worse_than_the_base_rate() -> None:
    found = brier(
        (probability, place < events)
        for probability, (events, count) in RATINGS.items()
        for place in range(count)
    )
    assert found is not None
    assert found.predictions == 831
    assert found.score == pytest.approx(0.2700, abs=5e-5)
    assert found.reliability == pytest.approx(0.0953, abs=5e-5)
    assert found.resolution == pytest.approx(0.0061, abs=5e-5)
    assert found.uncertainty == pytest.approx(0.1809, abs=5e-5)
    assert found.skill == pytest.approx(-0.493, abs=5e-4)


@given(predictions)
def test_the_parts_add_up_to_the_mean_squared_error(some: list[tuple[float, bool]]) -> None:
    found = brier(some)
    assert found is not None
    plain = sum((probability - came_true) ** 2 for probability, came_true in some) / len(some)
    assert found.score == pytest.approx(plain, abs=1e-12)
    assert min(found.reliability, found.resolution, found.uncertainty) >= 0.0


@given(predictions)
def test_always_saying_the_base_rate_has_no_skill(some: list[tuple[float, bool]]) -> None:
    base = sum(came_true for _, came_true in some) / len(some)
    found = brier((base, came_true) for _, came_true in some)
    assert found is not None
    assert found.skill is None or found.skill == pytest.approx(0.0, abs=1e-9)


def told(count: int, *, group: str = "Claims", came_true: bool | None = True) -> list[Resolved]:
    return [Resolved(group, 0.8, came_true) for _ in range(count)]


def test_what_nobody_measured_is_neither_true_nor_false() -> None:
    found = scores([*told(6), *told(5, came_true=False), *told(4, came_true=None)])
    assert (found.predictions, found.resolved, found.unresolved) == (15, 11, 4)
    assert found.brier is not None
    assert found.brier.predictions == 11
    assert "4 more cannot be told: nobody measured" in found.sentence


def test_few_have_no_score_and_say_so() -> None:
    found = scores(told(LEAST - 1))
    assert found.brier is None
    assert (
        found.sentence == f"9 of 9 predictions came true. Too few for a score: {LEAST} are needed."
    )
    assert scores([]).sentence == "No prediction is due yet."


def test_intervals_are_counted_where_one_was_given() -> None:
    some = [Resolved("Claims", 0.5, True, inside) for inside in (True, True, False, None)]
    found = scores(some)
    assert (found.intervals, found.inside) == (3, 2)
    assert found.coverage == pytest.approx(2 / 3)
    assert scores(told(3)).coverage is None


def test_units_are_shown_with_enough_predictions_alone() -> None:
    found = scores_by_group([*told(LEAST, group="Sales"), *told(LEAST - 1, group="Claims")])
    assert [one.group for one in found] == ["Sales"]
