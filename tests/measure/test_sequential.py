"""Many looks: the quarterly level and the live interval."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest

from service.measure.sequential import always_valid, live, quarter_alpha
from service.measure.verdict import Direction, Ratio, judge
from tests.measure.simulation import simulate


def test_four_looks_share_the_year() -> None:
    assert quarter_alpha() == 0.0125
    assert quarter_alpha(0.1, looks=2) == 0.05
    with pytest.raises(ValueError, match="at least one look"):
        quarter_alpha(looks=0)


def test_a_stricter_level_gives_a_wider_interval() -> None:
    cases = simulate(1, 40)
    plain, locked = judge(cases).time.ci, judge(cases, alpha=quarter_alpha()).time.ci
    assert plain is not None
    assert locked is not None
    assert locked.low < plain.low < plain.high < locked.high


def test_always_valid_interval_by_hand() -> None:
    """se 0.1 is information 100; the mixing precision is 1 / log(0.75)^2 = 12.083.

    sqrt(112.083 * log(112.083 / (12.083 * 0.0025))) / 100 = 0.30352
    """
    interval = always_valid(Ratio(1.0, None, 0.1)).ci
    assert interval is not None
    assert log(interval.low) == pytest.approx(-0.30352, abs=2e-5)
    assert log(interval.high) == pytest.approx(0.30352, abs=2e-5)
    assert always_valid(Ratio(None, None, None)).ci is None
    assert always_valid(Ratio(1.2, None, 0.0)).ci is None
    assert always_valid(Ratio(1.2, None, 1e6)).ci is None


def test_the_sequence_is_rarely_wrong_however_often_one_looks() -> None:
    """A driftless walk, looked at 200 times: at most 5% may ever leave the sequence; a plain 95%
    interval is left by about half of the walks."""
    rng = np.random.default_rng(11)
    walks, looks = 2_000, 200
    information = np.linspace(5.0, 400.0, looks)
    steps = rng.normal(size=(walks, looks)) * np.sqrt(np.diff(information, prepend=0.0))
    estimates = np.cumsum(steps, axis=1) / information
    reaches = []
    for known in information:
        interval = always_valid(Ratio(1.0, None, 1.0 / sqrt(known))).ci
        assert interval is not None
        reaches.append(log(interval.high))
    assert np.mean(np.any(np.abs(estimates) > np.array(reaches), axis=1)) <= 0.05
    assert np.mean(np.any(np.abs(estimates) > 1.96 / np.sqrt(information), axis=1)) > 0.3


def test_live_waits_for_enough() -> None:
    few = live(simulate(2, 12))
    assert few.waiting_for is not None
    assert "8 cases and 5 completions" in few.waiting_for
    assert few.time.ci is None
    cases = simulate(2, 300, 0.5)
    some = live(cases)
    assert some.waiting_for is None
    assert some.direction is Direction.COMPRESSES
    # Only 15 of the intake's cases are in production yet: enough per tier, not in all.
    intake = np.flatnonzero(cases.cohort == 1)
    production = [row for row in intake if cases.outcome[row] == 0]
    kept = [row for tier in (0, 1, 2) for row in production if cases.tier[row] == tier]
    by_tier = [[row for row in kept if cases.tier[row] == tier][:5] for tier in (0, 1, 2)]
    still_open = [row for row in intake if cases.outcome[row] != 0]
    rows = np.array(
        sorted(
            [*np.flatnonzero(cases.cohort == 0), *sum(by_tier, []), *still_open]  # noqa: RUF017
        )
    )
    early = live(
        replace(
            cases,
            duration_days=cases.duration_days[rows],
            followed_days=cases.followed_days[rows],
            outcome=cases.outcome[rows],
            cohort=cases.cohort[rows],
            tier=cases.tier[rows],
        )
    )
    assert early.waiting_for is not None
    assert "there are 15" in early.waiting_for
    assert early.time.ci is None
    assert early.direction is Direction.INCONCLUSIVE


def test_live_is_wider_than_a_single_look() -> None:
    cases = simulate(3, 200)
    now, once = live(cases), judge(cases)
    assert now.time.ratio == once.time.ratio
    assert now.time.ci is not None
    assert once.time.ci is not None
    assert now.time.ci.low < once.time.ci.low
    assert now.time.ci.high > once.time.ci.high
