"""When an asset is said to help or to hurt, and what stands against it."""

import json
from dataclasses import replace
from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated_adoptions import NOTHING, World, simulate
from service.domain.case import Outcome
from service.library.cox import hazard_ratio
from service.library.effects import (
    FEWEST_ADOPTERS,
    Effect,
    EffectVerdict,
    as_json,
    effects,
    notes_of,
    said,
)
from service.library.false_discovery import benjamini_hochberg
from service.library.risk_sets import Moments
from service.measure.adoptions import Adoptions
from service.measure.cases import Cases
from tests.library.samples import Row, cases_of, drawn

TWICE = World("hazard twice as high", hazard=2.0)


def one(rows: list[Row]) -> Effect:
    cases, adoptions = cases_of(rows)
    (found,) = effects(cases, [adoptions])
    return found


def simulated(world: World, size: int = 1_500, seed: int = 1) -> tuple[Cases, Adoptions]:
    cases, (asset,) = simulate(np.random.default_rng(seed), size, world)
    return cases, asset


def moments(rows: list[tuple[int, int, int, int]]) -> Moments:
    return Moments(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def test_the_model_by_hand() -> None:
    """First one of 2 with and 2 without ends, with: chance 2r / (2r + 2). Then one of 1 with and 2
    without, without. The score is zero where 2r / (2r + 2) + r / (r + 2) = 1: r = sqrt(2)."""
    found = hazard_ratio(moments([(4, 2, 1, 1), (3, 1, 1, 0)]))
    r = sqrt(2.0)
    p, q = r / (r + 1.0), r / (r + 2.0)

    assert found is not None
    assert found.ratio == pytest.approx(r)
    assert found.se == pytest.approx(1.0 / sqrt(p * (1.0 - p) + q * (1.0 - q)))
    assert found.ci.low == pytest.approx(r * exp(-1.959964 * found.se))
    assert found.ci.high == pytest.approx(r * exp(1.959964 * found.se))


@pytest.mark.parametrize(
    "rows",
    [
        [(4, 2, 1, 1), (3, 1, 1, 1)],
        [(4, 2, 1, 0), (3, 2, 1, 0)],
        [(4, 4, 1, 1), (3, 0, 1, 0)],
    ],
    ids=["all with", "all without", "never both there"],
)
def test_a_likelihood_that_rises_for_ever_gives_no_figure(
    rows: list[tuple[int, int, int, int]],
) -> None:
    assert hazard_ratio(moments(rows)) is None


@pytest.mark.parametrize("side", [1, -1])
def test_a_huge_effect_is_found(side: int) -> None:
    """Newton's method alone would overshoot."""
    rows = [(2_000, 1_000, 1, 1)] * 500 + [(2_000, 1_000, 1, 0)]
    if side < 0:
        rows = [(n, n1, d, d - d1) for n, n1, d, d1 in rows]
    found = hazard_ratio(moments(rows))
    assert found is not None
    assert found.log_ratio == pytest.approx(side * np.log(500.0))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(0, 5), st.integers(0, 5)),
        min_size=1,
        max_size=30,
    )
)
def test_the_score_is_zero_at_what_is_found(counts: list[tuple[int, int, int, int]]) -> None:
    """At the maximum as many events with the asset are expected as came, Efron's way."""
    rows = [(n0, n1, min(d0, n0), min(d1, n1)) for n0, n1, d0, d1 in counts]
    rows = [row for row in rows if row[2] + row[3] > 0]
    found = hazard_ratio(moments([(n0 + n1, n1, d0 + d1, d1) for n0, n1, d0, d1 in rows]))
    some_with, some_without = any(row[3] for row in rows), any(row[2] for row in rows)
    assert (found is not None) is (some_with and some_without)
    if found is None:
        return
    expected = 0.0
    for n0, n1, d0, d1 in rows:
        for nth in range(d0 + d1):
            part = nth / (d0 + d1)
            weight = found.ratio * (n1 - part * d1)
            expected += weight / (weight + n0 - part * d0)
    assert expected == pytest.approx(sum(row[3] for row in rows), abs=1e-6)


def test_an_asset_that_helps_and_one_that_hurts() -> None:
    cases, asset = simulated(TWICE)
    (found,) = effects(cases, [asset])
    assert (found.verdict, found.why) == (EffectVerdict.HELPS, "")
    assert found.time_dependent is not None
    assert found.time_dependent.ci.low < 2.0 < found.time_dependent.ci.high
    assert said(found).startswith("asset 0 helps: on any day a case with it is ")

    (slow,) = effects(*_lists(simulated(World("half", hazard=0.5))))
    assert slow.verdict is EffectVerdict.HURTS
    assert said(slow).startswith("asset 0 hurts: on any day a case with it is 0.")


def _lists(simulated: tuple[Cases, Adoptions]) -> tuple[Cases, list[Adoptions]]:
    cases, asset = simulated
    return cases, [asset]


def test_fewer_than_eight_adopters_get_no_verdict() -> None:
    cases, asset = simulated(World("ten times", hazard=10.0), 4_000)
    early = np.argsort(asset.ages)[:FEWEST_ADOPTERS]
    enough = Adoptions("eight", asset.cases[early], asset.ages[early])
    few = Adoptions("seven", asset.cases[early[1:]], asset.ages[early[1:]])
    eight, seven = effects(cases, [enough, few])
    assert (eight.adopters, seven.adopters) == (8, 7)
    assert seven.verdict is EffectVerdict.NONE
    assert seven.why == "7 cases adopted it, and 8 are needed"
    assert seven.time_dependent is not None
    assert eight.why != seven.why


def test_nobody_adopted_or_nobody_is_through() -> None:
    rows = [replace(row, adopted=None) for row in drawn(1)]
    found = one(rows)
    assert (found.adopters, found.verdict) == (0, EffectVerdict.NONE)
    assert (found.time_dependent, found.naive, found.mantel_byar) == (None, None, None)
    assert found.p_adjusted is None
    assert found.why == "0 cases adopted it, and 8 are needed"

    still_open = one([replace(row, outcome=Outcome.OPEN) for row in drawn(1)])
    assert still_open.adopters >= FEWEST_ADOPTERS
    assert (still_open.time_dependent, still_open.mantel_byar) == (None, None)
    assert still_open.why.startswith("it cannot be told")


def test_events_on_one_side_only_give_no_verdict() -> None:
    """All who adopted went to production and nobody else did: no model has a figure for that."""
    rows = [Row(20.0 + i, Outcome.PRODUCTION, 5.0) for i in range(20)]
    rows += [Row(60.0, Outcome.OPEN) for _ in range(20)]
    found = one(rows)
    assert found.time_dependent is None
    assert found.mantel_byar is not None
    assert found.mantel_byar.p < 0.001
    assert found.verdict is EffectVerdict.NONE
    assert "on one side only" in found.why


def test_adopting_counts_from_just_after_its_moment() -> None:
    """Whoever ends at the very moment of another's adoption ended while that one was without."""
    moved = [Row(10.0, Outcome.PRODUCTION), Row(20.0, Outcome.PRODUCTION, 10.0), Row(30.0)]
    before = [Row(10.0, Outcome.PRODUCTION), Row(20.0, Outcome.PRODUCTION, 9.0), Row(30.0)]
    at, earlier = one(moved).mantel_byar, one(before).mantel_byar
    assert at is not None
    assert earlier is not None
    assert (at.expected, earlier.expected) == pytest.approx((1 / 2, 1 / 3 + 1 / 2))


def test_adopting_at_the_start_is_with_from_the_start_on() -> None:
    rows = [Row(10.0, adopted=0.0), Row(20.0), Row(30.0, adopted=0.0)]
    test = one(rows).mantel_byar
    assert test is not None
    assert test.observed == 2
    assert test.expected == pytest.approx(2 / 3 + 1 / 2 + 1.0)


def test_adopting_at_the_very_end_comes_before_the_end() -> None:
    test = one([Row(10.0, adopted=10.0), Row(20.0)]).mantel_byar
    assert test is not None
    assert test.observed == 1
    assert test.expected == pytest.approx(1 / 2)


def test_declined_and_withdrawn_cases_are_censored() -> None:
    """They leave at their end, as in every curve: open ones that were watched as long are the
    same to the model."""
    rows = drawn(3)
    still = [
        replace(row, outcome=Outcome.OPEN) if row.outcome is Outcome.DECLINED else row
        for row in rows
    ]
    assert one(rows).time_dependent == one(still).time_dependent


def test_the_order_of_the_cases_does_not_matter() -> None:
    rows = drawn(4, 200)
    assert as_json([one(rows)]) == as_json([one(rows[::-1])])


def test_tiers_are_not_mixed() -> None:
    """Slow tiers adopt more, inside the tiers nothing differs: without strata it would hurt."""
    cases, _ = simulated(NOTHING, 3_000)
    rng = np.random.default_rng(1)
    ages = rng.uniform(0.0, 10.0, cases.size)
    would = rng.random(cases.size) < np.array([0.1, 0.5, 0.9])[cases.tier]
    rows = np.flatnonzero(would & (ages < cases.duration_days))
    asset = Adoptions("slow tiers' own", rows, ages[rows])
    (found,) = effects(cases, [asset])
    assert found.verdict is EffectVerdict.NONE
    mixed = replace(cases, tier=np.zeros_like(cases.tier), tiers=("all",))
    (wrong,) = effects(mixed, [asset])
    assert wrong.time_dependent is not None
    assert wrong.time_dependent.ci.high < 1.0


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (
            World("trend", a_year=0.5, published=365.0),
            "among cases that started in the same quarter the difference is not clear, so that it"
            " cannot be told from a trend",
        ),
        (
            World("written down at the end", at_the_end=0.3),
            "it hangs on who adopted in the last ",
        ),
    ],
    ids=lambda one: one.name if isinstance(one, World) else "",
)
def test_what_looks_like_an_effect_and_is_none(world: World, why: str) -> None:
    cases, asset = simulated(world)
    (found,) = effects(cases, [asset])
    assert found.time_dependent is not None
    assert found.time_dependent.ci.low > 1.0
    assert found.p_adjusted is not None
    assert found.p_adjusted < 0.05
    assert found.verdict is EffectVerdict.NONE
    assert found.why.startswith(why)


def test_fast_because_the_slow_gave_up() -> None:
    """With the asset cases are faster, and more are declined: nobody knows which of it it is."""
    cases, asset = simulated(TWICE)
    rng = np.random.default_rng(1)
    adopted = np.zeros(cases.size, dtype=np.bool_)
    adopted[asset.cases] = True
    gone = adopted & (rng.random(cases.size) < 0.3)
    declined = replace(cases, outcome=np.where(gone, 1, cases.outcome))
    (found,) = effects(declined, [asset])
    assert found.verdict is EffectVerdict.NONE
    assert found.why == (
        "more were declined or withdrawn with it, which may be why the rest was fast"
    )


def test_no_verdict_rests_on_a_record_that_leaves_something_out() -> None:
    cases, asset = simulated(TWICE)
    (found,) = effects(cases, [asset], record=["30 of 100 rows could not be used"])
    assert found.verdict is EffectVerdict.NONE
    assert found.why == "the record leaves something out (30 of 100 rows could not be used)"


def test_without_dates_there_is_no_verdict() -> None:
    cases, asset = simulated(TWICE)
    (found,) = effects(replace(cases, start_days=None), [asset])
    assert found.same_quarter is None
    assert found.verdict is EffectVerdict.NONE
    assert "trend" in found.why


def test_many_assets_are_tested_as_many() -> None:
    assert benjamini_hochberg([]) == []
    assert benjamini_hochberg([0.04]) == [0.04]
    # The worked example: 0.01 * 4, 0.02 * 4 / 2, 0.03 * 4 / 3, 0.5.
    assert benjamini_hochberg([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.04, 0.04])
    cases, assets = simulate(np.random.default_rng(2), 800, TWICE, 20)
    found = effects(cases, assets)
    for effect in found:
        assert effect.time_dependent is not None
        assert effect.p_adjusted is not None
        assert effect.p_adjusted >= effect.time_dependent.p
    assert found[0].verdict is EffectVerdict.HELPS


def test_statsmodels_adjusts_alike() -> None:
    from statsmodels.stats.multitest import multipletests

    p_values = np.random.default_rng(1).random(40) ** 2
    theirs = multipletests(p_values, method="fdr_bh")[1]
    assert benjamini_hochberg(p_values.tolist()) == pytest.approx(theirs.tolist())


def test_json_is_as_promised() -> None:
    cases, asset = simulated(TWICE)
    nobody = Adoptions("nobody's", asset.cases[:0], asset.ages[:0])
    found = effects(cases, [asset, nobody])
    text = json.dumps(as_json(found), allow_nan=False)
    some, none = json.loads(text)
    assert list(some) == [
        *("asset", "adopters", "naive", "time_dependent", "mantel_byar", "landmark"),
        *("p_adjusted", "verdict"),
    ]
    assert {key: list(value) for key, value in some.items() if isinstance(value, dict)} == {
        "naive": ["ratio", "ci"],
        "time_dependent": ["hazard_ratio", "ci", "p"],
        "mantel_byar": ["observed", "expected", "chi2", "p"],
        "landmark": ["day", "hazard_ratio", "ci"],
    }
    assert some["verdict"] == "helps"
    assert some["landmark"]["day"] == 30
    assert none["time_dependent"] == {"hazard_ratio": None, "ci": None, "p": None}
    assert (none["p_adjusted"], none["verdict"]) == (None, "no verdict")
    notes = list(notes_of(found))
    assert notes[0].startswith("asset 0: among cases that started in the same quarter the hazard")
    assert notes[1] == "nobody's: no verdict, as 0 cases adopted it, and 8 are needed."


def test_an_adoption_after_the_end_is_none() -> None:
    with pytest.raises(ValueError, match="after the end"):
        one([Row(10.0, adopted=10.5), Row(20.0)])


@pytest.mark.parametrize("day", [0.0, -1.0, float("nan"), float("inf")])
def test_a_landmark_is_a_day(day: float) -> None:
    with pytest.raises(ValueError, match="a number of days above 0"):
        effects(*_lists(simulated(TWICE, 100)), landmark_day=day)


def test_counts_are_no_cases() -> None:
    cases, asset = simulated(TWICE, 100)
    with pytest.raises(ValueError, match="single cases"):
        effects(replace(cases, weight=np.ones(cases.size)), [asset])
