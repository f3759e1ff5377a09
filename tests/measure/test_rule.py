"""The parts of rule 2, each against something that it was not made of."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from scipy.stats import t as student

from service.domain.assumption import Assumption, AssumptionKind
from service.domain.case import Outcome
from service.measure import student_t
from service.measure.cases import OPEN, PRODUCTION, Cases, Codes, Collector, Group, of_arrays
from service.measure.pairs import Pair, influence
from service.measure.record import Rejected, rejected_signs, signs
from service.measure.student_t import t_quantile
from service.measure.survival import Floats, life_table, restricted_mean
from service.measure.units import units
from service.measure.verdict import Direction, Why, judge
from service.reports.comparison import Comparison
from tests.kit.examples import examples
from tests.kit.shared import CASES
from tests.measure.simulation import simulate

FILES = CASES / "rule2"
AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
OTHER_WORDS = {"a tier says the opposite": "tier opposite"}


def read(path: Path) -> Cases:
    """The cases of a file with all of the canonical columns."""

    def moment(text: str) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    collector = Collector()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            collector.add(
                row["cohort"],
                row["tier"],
                datetime.fromisoformat(row["started_at"]),
                moment(row["ended_at"]),
                Outcome(row["outcome"]),
                unit=row["business_unit"],
                known_from=moment(row["known_from"]),
                observed_until=moment(row["observed_until"]),
                estimate_days=float(row["estimate_days"]) if row["estimate_days"] else None,
            )
    return collector.cases(AS_OF)


def expectations() -> dict[str, dict[str, object]]:
    path = FILES / "expected.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


@pytest.mark.skipif(not FILES.exists(), reason="the files of rule 2 are not in ../shared")
@pytest.mark.parametrize("name", expectations())
def test_it_agrees_with_another_implementation(name: str) -> None:
    """Figures to four digits; its random numbers are its own, so c to 0.05 and what hangs on it."""
    wanted: dict[str, object] = expectations()[name]
    found = Comparison.of(judge(read(FILES / f"{name}.csv"))).as_json()
    assert (found["verdict"], found["as_is"]) == (wanted["verdict"], wanted["as_is"])
    assert isinstance(wanted["why"], list)
    assert isinstance(found["why"], list)
    assert [why for why in found["why"] if ": " not in why] == [
        OTHER_WORDS.get(why, why) for why in wanted["why"] if ": " not in why
    ]
    assert len(str(found["record"]).split(": ")) == len(str(wanted["record"]).split(": "))
    if "ratio" not in wanted:
        assert found["ratio"] is None
        return
    exact = {
        "ratio": found["ratio"],
        "taus": {s["tier"]: s["tau_days"] for s in found["strata"] if s["counted"]},
        "information": list(found["information"].values()),
        "lost": found["guard"]["lost"],
        "trend_per_year": found["trend"]["per_year"],
        "gap_years": found["trend"]["gap_years"],
        "adjusted_ratio": found["adjusted"]["ratio"],
    }
    for field, value in exact.items():
        assert value == pytest.approx(wanted[field], rel=2e-4, abs=2e-6), field
    se = wanted["units"]["se"]  # type: ignore[index]
    assert found["units"]["se"] == (None if se is None else pytest.approx(se, rel=1e-4))
    assert found["units"]["df"] == pytest.approx(wanted["units"]["df"], rel=1e-4)  # type: ignore[index]
    assert found["units"]["shared"] is wanted["units"]["shared"]  # type: ignore[index]
    assert found["ci"] == pytest.approx(wanted["ci"], rel=0.02)
    assert found["adjusted"]["ci"] == pytest.approx(wanted["adjusted_ci"], rel=0.02)
    said, others = found["statements"], wanted["statements"]
    assert isinstance(said, dict)
    assert isinstance(others, dict)
    assert said.keys() == others.keys()
    for field, value in others.items():
        if isinstance(value, bool) or value is None:
            assert said[field] is value, field
        else:
            assert said[field] == pytest.approx(value, rel=0.03, abs=0.01), field


@pytest.mark.parametrize("df", [0.3, 1.0, 1.00332, 2.0, 6.926665, 30.0, 1e5])
@pytest.mark.parametrize("level", [0.6, 0.9, 0.975, 0.99375, 0.9999])
def test_quantiles_of_t(df: float, level: float) -> None:
    assert t_quantile(level, df) == pytest.approx(student.ppf(level, df), rel=1e-9)


@given(df=st.floats(0.1, 1e6), level=st.floats(0.5001, 0.9999))
def test_a_quantile_is_what_halving_alone_finds(df: float, level: float) -> None:
    """To the last digit: what was computed from it before, and locked, stays as it is."""
    found = t_quantile(level, df)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(student_t, "EVEN", 0.0)
        assert t_quantile(level, df) == found


@pytest.mark.parametrize(("level", "df"), [(0.5, 3.0), (1.0, 3.0), (0.9, 0.0)])
def test_no_quantile_where_there_is_none(level: float, df: float) -> None:
    with pytest.raises(ValueError, match="no such quantile"):
        t_quantile(level, df)


LATE = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 20), st.booleans()), min_size=12, max_size=60
)


@settings(max_examples=examples(60), deadline=None)
@given(LATE)
def test_delayed_entry_is_that_of_lifelines(rows: list[tuple[int, int, bool]]) -> None:
    """Where the risk set never empties; what is done there is told in the next test."""
    entry = np.array([first for first, _, _ in rows], dtype=np.float64)
    age = entry + np.array([more for _, more, _ in rows])
    done = np.array([ended for _, _, ended in rows])
    entry[:6], age[:6], done[:6] = 0.0, 41.0, False
    table = life_table(age, done, entries=entry)
    fitted = KaplanMeierFitter().fit(age, done, entry=entry)
    for moment, height in zip(table.times, table.survival, strict=True):
        assert height == pytest.approx(fitted.predict(moment))


def test_an_end_that_empties_the_risk_set_does_not_end_the_curve() -> None:
    age, entry = np.array([3.0, 30.0, 40.0]), np.array([-1.0, 10.0, 10.0])
    table = life_table(age, np.array([True, True, False]), entries=entry)
    assert table.times.tolist() == [30.0]
    assert table.survival.tolist() == [0.5]


def group(days: Floats, outcome: Codes, unit: Codes | None = None) -> Group:
    return Group(days, np.maximum(days, 400.0), outcome, unit=unit)


@settings(max_examples=examples(40), deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0, 0, 1, 3])), min_size=5, max_size=60),
    st.floats(1.0, 40.0),
)
def test_influences_add_up_to_nothing_and_are_slopes(
    rows: list[tuple[int, int]], tau: float
) -> None:
    """The psi of an arm add up to 0, and each is what the mean changes per case like it."""
    days = np.array([float(day) for day, _ in rows])
    outcome = np.array([code for _, code in rows])
    arm = group(days, outcome)
    psi = influence(arm, tau)
    assert float(psi.sum()) == pytest.approx(0.0, abs=1e-8)
    step = 1e-5
    before = restricted_mean(arm.table, tau).days
    if restricted_mean(arm.table, tau).se == 0.0 or arm.table.complete:
        return
    for place in range(0, days.size, 7):
        weight = np.ones(days.size)
        weight[place] += step
        more = Group(days, days, outcome, weight)
        slope = (restricted_mean(more.table, tau).days - before) / step
        assert slope == pytest.approx(psi[place], rel=1e-3, abs=1e-3)


def test_the_squares_of_influences_are_the_variance() -> None:
    """Over many cases the infinitesimal jackknife and Greenwood agree."""
    dice = np.random.default_rng(3)
    days = dice.exponential(30.0, 4_000)
    arm = group(days, np.where(dice.random(4_000) < 0.2, OPEN, PRODUCTION))
    se = restricted_mean(arm.table, 50.0).se
    assert float(np.sqrt(np.sum(influence(arm, 50.0) ** 2))) == pytest.approx(se, rel=0.02)


def test_units_of_one_case_each_are_cases() -> None:
    """Then the error over units is that over cases, but for the leverage of each."""
    dice = np.random.default_rng(5)
    one, zero = (
        group(dice.exponential(30.0, 300), np.full(300, PRODUCTION), np.arange(300) + first)
        for first in (0, 300)
    )
    pair = Pair("low", one, zero, 60.0)
    found = units([pair])
    mean_1, mean_0 = pair.mean(one), pair.mean(zero)
    se = ((mean_1.se / mean_1.days) ** 2 + (mean_0.se / mean_0.days) ** 2) ** 0.5
    assert found.shared is False
    assert found.effective == pytest.approx(300.0)
    assert found.se == pytest.approx(se, rel=0.01)


def test_one_unit_in_an_arm_is_no_comparison_of_intakes() -> None:
    data = simulate(3, 100, 0.4, at_once=True)
    unit = np.where(data.cohort == 1, 0, 1 + np.arange(data.size) % 6)
    alone = judge(
        Cases(**{**data.__dict__, "unit": unit, "units": tuple("abcdefg")}),
    )
    assert judge(data).direction is Direction.COMPRESSES
    assert alone.direction is alone.as_is is Direction.INCONCLUSIVE
    assert alone.units.alone
    assert any("of one business unit" in note for note in alone.notes)


def vouched(kind: AssumptionKind) -> Assumption:
    return Assumption(kind, "Ada", AS_OF, "the teams and tools stayed")


def test_a_trend_is_allowed_for_until_somebody_vouches_that_there_is_none() -> None:
    """20% faster than cases of one to three years ago; that it was the intake is another matter."""
    data = simulate(5, 300, 0.8)
    plain = judge(data)
    assert plain.as_is is Direction.COMPRESSES
    assert plain.direction is Direction.INCONCLUSIVE
    assert plain.why == (Why.TREND,)
    sure = judge(data, assumptions=[vouched(AssumptionKind.NOTHING_ELSE_CHANGED)])
    assert sure.direction is Direction.COMPRESSES
    assert sure.adjusted.ratio == pytest.approx(sure.time.ratio)
    assert sure.adjusted.ci is not None
    assert sure.time.ci is not None
    assert sure.adjusted.ci.high == pytest.approx(sure.time.ci.high)
    assert sure.assumptions[0].by == "Ada"


def test_cases_at_the_same_time_cost_nothing_for_a_trend() -> None:
    found = judge(simulate(1, 300, 0.6, at_once=True))
    assert found.time.ci is not None
    assert found.adjusted.ci is not None
    assert found.trend is not None
    assert abs(found.trend.gap_years) < 0.1
    assert found.adjusted.ci.high == pytest.approx(found.time.ci.high, rel=0.03)


def test_a_triage_that_changed_is_not_speed_unless_somebody_vouches_for_it() -> None:
    """Half of what was low is called high now: both tiers look faster, and nothing is."""
    dice = np.random.default_rng(11)
    size = 400
    truly_high = dice.random(2 * size) < 0.4
    days = np.where(truly_high, 90.0, 20.0) * np.exp(0.5 * dice.normal(size=2 * size))
    intake = np.arange(2 * size) < size
    called_high = truly_high | (intake & (dice.random(2 * size) < 0.5))
    followed = np.full(2 * size, 900.0)
    data = of_arrays(
        np.where(intake, "intake", "before").tolist(),
        np.where(called_high, "high", "low").tolist(),
        days,
        [Outcome.PRODUCTION] * (2 * size),
        followed_days=followed,
        start_days=20_000.0 + dice.uniform(0.0, 100.0, 2 * size),
    )
    found = judge(data)
    assert found.time.direction is Direction.COMPRESSES
    assert Why.MIX in found.why
    assert found.as_is is Direction.INCONCLUSIVE
    trusted = judge(data, assumptions=[vouched(AssumptionKind.SAME_TRIAGE)])
    assert Why.MIX not in trusted.why


def complete(seed: int, size: int = 150) -> Group:
    """Cases of three years, every one in the record, those that still run as well."""
    dice = np.random.default_rng(seed)
    start = dice.uniform(20_000.0, 21_100.0, size)
    needed = 40.0 * np.exp(0.8 * dice.normal(size=size))
    until = 21_100.0 - start
    return Group(
        np.minimum(needed, until),
        until,
        np.where(needed > until, OPEN, PRODUCTION),
        start_days=start,
    )


def test_complete_records_rarely_give_a_sign() -> None:
    """One in a hundred each; 200 records give more than 8 signs in less than 1 of 1,000 seeds."""
    assert sum(bool(list(signs({"before": complete(seed)}))) for seed in range(200)) <= 8


def test_what_ended_before_a_day_is_missing() -> None:
    whole = complete(1, 400)
    assert whole.start_days is not None
    ends = whole.start_days + whole.duration_days
    cut = whole.rows(ends >= 20_600.0)
    (sign,) = signs({"before": cut})
    assert sign == "before: no end before 2026-06-03"
    entry = np.where(
        np.asarray(cut.start_days) < 20_600.0, 20_600.0 - np.asarray(cut.start_days), -1.0
    )
    mended = Group(
        cut.duration_days,
        cut.followed_days,
        cut.outcome,
        start_days=cut.start_days,
        entry_days=entry,
    )
    assert not list(signs({"before": mended})), "known from that day on, and nothing is missing"


def test_closed_cases_only() -> None:
    whole = complete(2, 400)
    closed = whole.rows(whole.outcome != OPEN)
    (sign,) = signs({"intake": closed})
    assert sign.startswith("intake: nothing open on ")


@pytest.mark.parametrize(
    ("one", "zero", "told"),
    [
        (Rejected(200, 0), Rejected(200, 0), []),
        (Rejected(200, 3), Rejected(200, 2), []),
        (Rejected(200, 26), Rejected(200, 4), ["intake, before: 13.0% and 2.0% of the rows"]),
        (Rejected(20, 2), Rejected(20, 0), []),
        (Rejected(100, 30), Rejected(100, 28), ["intake: 30 of 100 rows", "before: 28 of 100"]),
        (Rejected(0, 0), Rejected(10, 0), []),
    ],
)
def test_rows_that_could_not_be_used(one: Rejected, zero: Rejected, told: list[str]) -> None:
    found = list(rejected_signs({"intake": one, "before": zero}))
    assert len(found) == len(told)
    assert all(sign.startswith(begin) for sign, begin in zip(found, told, strict=True))


def test_a_sign_of_the_record_withholds_the_verdict() -> None:
    data = simulate(1, 200, 0.4, at_once=True)
    assert judge(data).direction is Direction.COMPRESSES
    rejected = {"intake": Rejected(240, 40), "before": Rejected(200, 0)}
    withheld = judge(data, rejected=rejected, more_signs=["the latest moment stands alone"])
    assert withheld.as_is is Direction.INCONCLUSIVE
    assert len(withheld.record) == 2
    assert set(withheld.record) <= set(withheld.why)
    assert not withheld.statements or not withheld.statements.at_most_slower
