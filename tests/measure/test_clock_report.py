"""Where the time went: parts add up to the restricted mean, from traces and from counts alike."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.case import Case, Outcome
from service.domain.cohort import INTAKE
from service.domain.people import BUILDER, ENABLEMENT
from service.domain.standing import Mode
from service.domain.trace import Step, TracedCase, steps
from service.facts.as_of import Moment
from service.measure.clock import ClockBar, clock_bar, clocked
from service.measure.survival import restricted_mean
from service.measure.traces import Traces, of
from service.reports.clock import bars_from_counts, bars_from_traces
from service.reports.question import Grouping
from tests.domain.lives import Life, lives
from tests.measure.walks import counted

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def case(
    days: float | None,
    walk: Sequence[tuple[float, str, str, Mode]],
    *,
    began: float = 0.0,
    rework: Sequence[int] = (),
    outcome: Outcome = Outcome.PRODUCTION,
) -> TracedCase:
    """A case that took so many days (or is open), with (day, stage, holder, mode) for each step."""
    start = START + began * DAY
    ended = None if days is None else start + days * DAY
    return TracedCase(
        Case(
            case_id="a",
            cohort=INTAKE,
            tier="low",
            business_unit="Sales",
            started_at=start,
            ended_at=ended,
            outcome=Outcome.OPEN if days is None else outcome,
        ),
        tuple(
            Step(start + day * DAY, stage, holder, mode, number in rework)
            for number, (day, stage, holder, mode) in enumerate(walk)
        ),
    )


def bar_of(traced: Sequence[TracedCase], days: float, tau: float | None = None) -> ClockBar:
    """The bar of all cases as known so many days after START."""
    traces = of(traced, START + days * DAY)
    return clock_bar("all", clocked(traces, np.ones(traces.cases.size, np.bool_)), tau_days=tau)


def means(bar: ClockBar) -> dict[tuple[str, Mode], float]:
    """Mean days by clock."""
    return {(part.holder, part.mode): part.mean_days for part in bar.parts}


WAIT_THEN_BUILD = [
    (0.0, "triage", ENABLEMENT, Mode.WAITING),
    (2.5, "build", BUILDER, Mode.WORKING),
]


def test_without_open_cases_the_means_are_the_plain_means() -> None:
    quick = [(0.0, "triage", ENABLEMENT, Mode.WAITING), (0.25, "build", BUILDER, Mode.WORKING)]
    bar = bar_of([case(10.0, WAIT_THEN_BUILD), case(4.0, quick)], 30, tau=30)

    assert means(bar) == pytest.approx(
        {(BUILDER, Mode.WORKING): (7.5 + 3.75) / 2, (ENABLEMENT, Mode.WAITING): (2.5 + 0.25) / 2}
    )
    assert bar.mean_days == pytest.approx(7.0)
    assert bar.gate_tax == pytest.approx((1.375, 1.375 / 7.0))
    medians = {part.holder: part.median_days for part in bar.parts}
    assert medians == {BUILDER: 3.75, ENABLEMENT: 0.25}


def test_an_open_case_counts_for_as_long_as_it_was_watched() -> None:
    # By hand: at risk 2, 2, 2, 2 | 2, 1 ...; the first is through on day 4, the second still waits
    # on day 6: S = 1 until 4, then 1/2. Waiting: 2/2 in the first two days, 1/2 until 4, then all.
    walk = [(0.0, "triage", ENABLEMENT, Mode.WAITING), (2.0, "build", BUILDER, Mode.WORKING)]
    stuck = [(0.0, "triage", ENABLEMENT, Mode.WAITING)]
    bar = bar_of([case(4.0, walk), case(None, stuck)], 6, tau=6)

    assert bar.mean_days == pytest.approx(4.0 + 0.5 * 2.0)
    assert means(bar) == pytest.approx(
        {(ENABLEMENT, Mode.WAITING): 2.0 + 0.5 * 2.0 + 0.5 * 2.0, (BUILDER, Mode.WORKING): 1.0}
    )


def test_rework_is_told_apart_and_is_part_of_its_clock() -> None:
    walk = [
        (0.0, "build", BUILDER, Mode.WORKING),
        (3.0, "evaluate", ENABLEMENT, Mode.WAITING),
        (5.0, "build", BUILDER, Mode.WORKING),
        (6.0, "evaluate", ENABLEMENT, Mode.WAITING),
    ]
    bar = bar_of([case(8.0, walk, rework=[2])], 20, tau=20)

    [builder] = [part for part in bar.parts if part.holder == BUILDER]
    assert (builder.mean_days, builder.rework_days) == pytest.approx((4.0, 1.0))
    assert bar.rework == pytest.approx((1.0, 1.0 / 8.0))


def test_the_median_counts_a_finished_case_for_those_that_could_not_be_finished_yet() -> None:
    # Four cases of 2 days on the builder's clock, four of 20 of which the two younger ones are
    # still open: those finished stand for them (Kaplan-Meier of the censoring is 1/2 then).
    short = [(0.0, "build", BUILDER, Mode.WORKING)]
    cases = [case(2.0, short) for _ in range(4)]
    cases += [case(20.0, short) for _ in range(2)]
    cases += [case(None, short, began=15.0), case(None, short, began=16.0)]
    bar = bar_of(cases, 25)

    [builder] = bar.parts
    assert builder.median_days == 2.0
    assert bar_of([*cases, case(20.0, short)], 25).parts[0].median_days == 20.0


def test_nothing_is_said_of_nobody() -> None:
    assert bar_of([], 5).parts == ()
    assert bar_of([], 5).tau_days is None


def traced(life: Life, until: datetime, number: int) -> TracedCase:
    """A random life as a case, as known at a moment."""
    log = [step for step in life.log if step.at <= until]
    outcome = life.standing.outcome if len(log) == len(life.log) else Outcome.OPEN
    return TracedCase(
        Case(
            case_id=str(number),
            cohort=INTAKE,
            tier=log[-1].tier.value,
            business_unit=f"Unit {number % 2}",
            started_at=log[0].at,
            ended_at=log[-1].at if outcome is not Outcome.OPEN else None,
            outcome=outcome,
        ),
        steps(log),
    )


def some_traces(drawn: Sequence[Life], days: float) -> tuple[list[TracedCase], Traces, Moment]:
    """Random lives as known so many days after START."""
    at = START + days * DAY
    cases = [traced(life, at, number) for number, life in enumerate(drawn)]
    return cases, of(cases, at), Moment(at, asked=False)


@given(st.lists(lives(most=12), min_size=1, max_size=8), st.floats(1.0, 400.0))
def test_the_parts_add_up_to_the_restricted_mean(drawn: list[Life], days: float) -> None:
    _, traces, _ = some_traces(drawn, days)

    for bar in bars_from_traces(traces, Grouping.TIER, None):
        if bar.tau_days is None:
            assert bar.parts == ()
            continue
        picked = np.ones(traces.cases.size, np.bool_)
        if bar.name != "all":
            picked = np.equal(traces.cases.tier, traces.cases.tiers.index(bar.name))
        table = traces.cases.all.rows(picked).table
        expected = restricted_mean(table, bar.tau_days).days
        assert bar.mean_days == pytest.approx(expected, abs=1e-6)
        if expected > 0:
            assert sum(part.share for part in bar.parts) == pytest.approx(1.0)
        assert all(0.0 <= part.rework_days <= part.mean_days + 1e-9 for part in bar.parts)


@given(st.lists(lives(most=12), min_size=1, max_size=6), st.floats(1.0, 400.0))
def test_the_stages_add_up_to_the_whole(drawn: list[Life], days: float) -> None:
    _, traces, _ = some_traces(drawn, days)
    whole, *stages = bars_from_traces(traces, Grouping.STAGE, None)

    assert sum(bar.mean_days for bar in stages) == pytest.approx(whole.mean_days, abs=1e-6)
    assert sum(bar.gate_tax[0] for bar in stages) == pytest.approx(whole.gate_tax[0], abs=1e-6)
    assert sum(bar.rework[0] for bar in stages) == pytest.approx(whole.rework[0], abs=1e-6)


@given(st.lists(lives(most=12), min_size=1, max_size=6), st.floats(1.0, 400.0))
def test_counts_know_the_same_person_days_as_the_traces(drawn: list[Life], days: float) -> None:
    cases, traces, moment = some_traces(drawn, days)
    everybody = np.ones(traces.cases.size, np.bool_)
    exact = clocked(traces, everybody)
    total = exact.stopped.days.sum() - exact.began.days.sum()
    [from_counts, *_] = bars_from_counts(counted(cases), moment, None, Grouping.NOTHING, 1e5)

    assert total == pytest.approx(traces.cases.duration_days.sum(), abs=1e-6)
    assert from_counts.cases == len(cases)
    assert from_counts.completed == int(traces.cases.all.in_production.sum())


def test_many_cases_give_the_same_bars_from_counts_and_from_traces() -> None:
    dice = np.random.default_rng(5)
    cases = []
    for number in range(6000):
        wait, build = dice.lognormal(1.0, 0.8), dice.lognormal(2.5, 0.7)
        began = float(dice.uniform(-200, 0))
        done = wait + build
        walk = [
            (0.0, "triage", ENABLEMENT, Mode.WAITING),
            (wait, "build", BUILDER, Mode.WORKING),
        ]
        if began + done > 0:
            cases.append(case(None, [step for step in walk if began + step[0] <= 0], began=began))
        else:
            gave_up = Outcome.WITHDRAWN if number % 9 == 0 else Outcome.PRODUCTION
            cases.append(case(done, walk, began=began, outcome=gave_up))
    moment = Moment(START, asked=False)
    exact = bars_from_traces(of(cases, START), Grouping.STAGE, 60.0)
    close = bars_from_counts(counted(cases), moment, None, Grouping.STAGE, 60.0)

    for one, other in zip(exact, close, strict=True):
        assert (one.name, one.cases, one.completed) == (other.name, other.cases, other.completed)
        assert other.mean_days == pytest.approx(one.mean_days, rel=2e-3)
        for part, again in zip(one.parts, other.parts, strict=True):
            assert (part.stage, part.holder, part.mode) == (again.stage, again.holder, again.mode)
            assert again.mean_days == pytest.approx(part.mean_days, rel=3e-3)
            if part.median_days is not None:
                assert again.median_days == pytest.approx(part.median_days, abs=0.3)
