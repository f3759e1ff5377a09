"""Many looks: the quarterly level and the live interval."""

from datetime import UTC, datetime, timedelta
from math import sqrt

import numpy as np
import pytest

from service.domain.case import Case, Outcome
from service.measure.cases import of
from service.measure.sequential import always_valid, live, quarter_alpha
from service.measure.verdict import Direction, judge
from tests.measure.simulation import simulate

AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
PRODUCTION = Outcome.PRODUCTION


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
    assert 0.1 * always_valid(0.1) == pytest.approx(0.30352, abs=2e-5)


def test_the_sequence_is_rarely_wrong_however_often_one_looks() -> None:
    """A driftless walk, looked at 200 times: at most 5% may ever leave the sequence; a plain 95%
    interval is left by about half of the walks."""
    rng = np.random.default_rng(11)
    walks, looks = 2_000, 200
    information = np.linspace(5.0, 400.0, looks)
    steps = rng.normal(size=(walks, looks)) * np.sqrt(np.diff(information, prepend=0.0))
    estimates = np.cumsum(steps, axis=1) / information
    reaches = [always_valid(1.0 / sqrt(known)) / sqrt(known) for known in information]
    assert np.mean(np.any(np.abs(estimates) > np.array(reaches), axis=1)) <= 0.05
    assert np.mean(np.any(np.abs(estimates) > 1.96 / np.sqrt(information), axis=1)) > 0.3


def test_live_waits_for_enough() -> None:
    few = live(simulate(2, 12))
    assert few.waiting_for is not None
    assert "8 cases" in few.waiting_for
    assert few.time.ci is None
    some = live(simulate(2, 300, 0.5))
    assert some.waiting_for is None
    assert some.as_is is Direction.COMPRESSES


def test_live_waits_for_what_could_have_come_out_not_for_what_did() -> None:
    """Of an intake that began 20 days ago half could be through by now: too few to look at daily.
    Of one that began a year ago all could, and none is."""
    start = AS_OF - timedelta(days=700)
    before = [
        Case(f"b{n}", "before", "low", "", start, start + timedelta(days=n % 40 + 1), PRODUCTION)
        for n in range(120)
    ]

    def intake(size: int, days: int) -> list[Case]:
        begun = AS_OF - timedelta(days=days)
        return [Case(f"i{n}", "intake", "low", "", begun, None, Outcome.OPEN) for n in range(size)]

    early = live(of([*before, *intake(30, 20)], AS_OF))
    assert early.waiting_for is not None
    assert "20 completions that could be expected by now in each arm" in early.waiting_for
    assert early.time.ci is None
    assert early.direction is Direction.INCONCLUSIVE
    blocked = live(of([*before, *intake(30, 365)], AS_OF))
    assert blocked.waiting_for is None
    assert blocked.as_is is Direction.EXTENDS


def test_live_is_wider_than_a_single_look() -> None:
    cases = simulate(3, 200)
    now, once = live(cases), judge(cases)
    assert now.time.ratio == once.time.ratio
    assert now.time.ci is not None
    assert once.time.ci is not None
    assert now.time.ci.low < once.time.ci.low
    assert now.time.ci.high > once.time.ci.high
