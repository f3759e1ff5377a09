"""What days on the clocks cost: no day is lost where a quarter begins."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.measure.clock import clock_bar, clocked
from service.measure.delay import stretches
from service.measure.traces import of
from tests.measure.traced import case, day, many

WAIT, WORK = Mode.WAITING, Mode.WORKING


@given(many())
def test_no_day_is_lost_where_a_quarter_begins(traced: list[TracedCase]) -> None:
    """Cases moved to the end of a quarter: cut there, they have the days that they had."""
    near = [later(item, 85.0) for item in traced]
    traces = of(near, day(130.0))
    cut = stretches(traces)
    kept = np.bincount(cut.case, cut.days, traces.cases.size)
    whole = np.bincount(traces.case, traces.length_days, traces.cases.size)
    assert kept == pytest.approx(whole, abs=1e-9)
    assert [quarter.name for quarter in cut.quarters][-1] == "2024-Q2"
    in_first = sum(
        max(0.0, min(91.0, begin + length) - begin)
        for begin, length in zip(
            (traces.started_days - _epoch_day(0))[traces.case] + traces.begin_days,
            traces.length_days,
            strict=True,
        )
    )
    before = np.array([one.name == "2024-Q1" for one in cut.quarters])[cut.quarter]
    assert cut.days[before].sum() == pytest.approx(in_first, abs=1e-6)


@given(many())
def test_days_are_those_of_the_clock_on_the_same_cases(traced: list[TracedCase]) -> None:
    """Of cases that are all in production the clock's means, times the cases, are these days."""
    through = [item for item in traced if item.case.outcome is Outcome.PRODUCTION]
    traces = of(through, day(400.0))
    bar = clock_bar("", clocked(traces, np.ones(len(through), np.bool_)), tau_days=300.0)
    cut = stretches(traces)
    for part in bar.parts:
        rows = (cut.holder == traces.holders.index(part.holder)) & (
            cut.working == (part.mode is WORK)
        )
        assert cut.days[rows].sum() == pytest.approx(part.mean_days * len(through), abs=1e-6)
    assert cut.days.sum() == pytest.approx(bar.mean_days * len(through), abs=1e-6)


def test_without_cases_nothing_is_cut() -> None:
    assert stretches(of([], day(5.0))).days.size == 0


def later(item: TracedCase, days: float) -> TracedCase:
    """The same case so many days later."""
    ends = item.case.ended_at
    spans = [
        (step.stage, step.holder, step.mode, 0.0 if after is None else _days(after - step.at))
        for step, after in zip(
            item.steps, [*(step.at for step in item.steps[1:]), ends], strict=True
        )
    ]
    begins = _days(item.case.started_at - day(0.0)) + days
    return case(
        item.case.case_id, spans, begins=begins, tier=item.case.tier, outcome=item.case.outcome
    )


def _days(length: timedelta) -> float:
    return length / timedelta(days=1)


def _epoch_day(number: float) -> float:
    return _days(day(number) - datetime(1970, 1, 1, tzinfo=UTC))
