"""How many cases would show a 25% effect: that the number holds, and the laws it keeps."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.calibration import NEEDED, PILOT, Asked, asked_for, found_with
from benchmarks.simulated_cases import LAST_YEAR, ONE_TIER, World, simulate
from service.measure.cases import OPEN, PRODUCTION, WITHDRAWN, Cases
from service.measure.needed import FASTER, needed_cases
from service.measure.pairs import Pair
from service.measure.record import signs
from service.measure.rule import Why, found_in
from service.measure.tiers import Direction, Question, by_tier
from service.measure.units import units
from service.measure.verdict import judge

pytestmark = pytest.mark.long

WHOLE = World(medians=ONE_TIER, lost=0.0)
THREE = World(lost=0.0)


def pairs_of(cases: Cases) -> Sequence[Pair]:
    return by_tier(cases, Question("intake", "before", None)).pairs


def pilot(world: World, per_arm: int, seed: int = 1) -> Sequence[Pair]:
    return pairs_of(simulate(np.random.default_rng(seed), world, per_arm).known())


def number(world: World, per_arm: int = 4_000, seed: int = 1) -> int:
    needed = needed_cases(pilot(world, per_arm, seed), 0.05)
    assert needed is not None
    return needed


@pytest.mark.parametrize("asked", [NEEDED[0], NEEDED[4]], ids=lambda asked: asked.name)
def test_the_number_holds_what_it_promises(asked: Asked) -> None:
    """77 to 83% of longer runs with permutations (benchmarks/calibration.py --needed): of 120 at
    80% fewer than 84 or more than 108 come in 1 of 100 seeds. With the number that version 1 asked
    for it was 71% and 58%."""
    rng = np.random.default_rng(2)
    pilots = (pairs_of(simulate(rng, asked.world, PILOT).known()) for _ in range(30))
    numbers = [number for number in (needed_cases(some, 0.05) for some in pilots) if number]
    assert len(numbers) >= 29
    per_arm = round(float(np.median(numbers)))
    said = [said_as_is(simulate(rng, asked.with_effect, per_arm).known()) for _ in range(120)]
    assert 84 <= said.count(Direction.COMPRESSES) <= 108


def said_as_is(cases: Cases) -> Direction:
    """What the rule says as is, with 1.96 standard errors in place of permutations."""
    question = Question("intake", "before", None)
    record = tuple(signs({name: cases.group(name) for name in cases.cohorts}))
    found = found_in(
        by_tier(cases, question),
        question,
        alpha=0.05,
        vouched=(),
        record=record,
        critical_of=lambda pairs, alpha: 1.96,
    )
    assert found is not None
    return found.as_is


def test_the_benchmark_asks_pilots_and_tries_their_number() -> None:
    answers = asked_for(NEEDED[0], 3, seed=4)
    assert answers == asked_for(NEEDED[0], 3, seed=4)
    assert all(60 < needed < 300 and said in {0, 1} for needed, said in answers)
    assert 2 <= found_with(NEEDED[0], 300, 4, np.random.default_rng(1)) <= 4


def test_with_all_cases_followed_it_is_the_textbook_formula() -> None:
    """One tier, nothing lost or open: n = ((1.96 + z) SE / log R)^2, z for a chance of 80% / 0.97
    of a ratio that spreads 1.07 times as wide as its standard error says. Effect and variance are
    read off a baseline so large that they are known, of exponential times."""
    rng = np.random.default_rng(3)
    days = rng.exponential(30.0, size=20_000)
    size = days.size
    cases = Cases(
        as_of=simulate(rng, WHOLE, 4).known().as_of,
        duration_days=days,
        followed_days=np.full(size, 1_000.0),
        outcome=np.full(size, PRODUCTION),
        cohort=np.arange(size) % 2,
        tier=np.zeros(size, dtype=np.int64),
        cohorts=("before", "intake"),
        tiers=("t0",),
        started_later=0,
    )
    (pair,) = pairs_of(cases)
    tau = pair.tau / 30.0
    means = [scale * (1.0 - np.exp(-tau / scale)) for scale in (FASTER, 1.0)]
    # E[min(T, tau)^2] of an exponential T: 2 a (mean - tau exp(-tau / a)).
    squares = [
        2.0 * scale * (mean - tau * np.exp(-tau / scale))
        for scale, mean in zip((FASTER, 1.0), means, strict=True)
    ]
    spread = sum(square / mean**2 - 1.0 for square, mean in zip(squares, means, strict=True))
    z = 1.959964 + 0.9347 * 1.07
    wanted = spread * (z / np.log(means[0] / means[1])) ** 2
    assert needed_cases([pair], 0.05) == pytest.approx(wanted, rel=0.04)


def test_the_more_is_lost_or_open_the_more_cases_it_takes() -> None:
    alone = number(WHOLE)
    assert alone < number(replace(WHOLE, lost=0.3)) < number(replace(WHOLE, lost=0.6))
    assert alone < number(replace(WHOLE, before=LAST_YEAR, now=(0.0, 90.0)))
    assert alone < number(THREE)  # as the comparison without tiers is asked for
    assert needed_cases(pilot(WHOLE, 400), 0.0125) > needed_cases(pilot(WHOLE, 400), 0.05)  # type: ignore[operator]


def test_a_small_pilot_asks_for_about_as_many_as_a_large_one() -> None:
    world = replace(THREE, lost=0.3)
    small = [number(world, PILOT, seed) for seed in range(12)]
    assert np.median(small) == pytest.approx(number(world), rel=0.2)


def test_a_shift_to_riskier_work_takes_more_unless_the_triage_is_vouched_for() -> None:
    pairs = pilot(replace(THREE, mix_before=(0.5, 0.3, 0.2), mix_now=(0.4, 0.3, 0.3)), 1_000)
    vouched = needed_cases(pairs, 0.05, same_triage=True)
    assert vouched == pytest.approx(number(THREE), rel=0.25)
    asked = needed_cases(pairs, 0.05)
    assert asked is None or asked > 2 * vouched  # type: ignore[operator]
    far = pilot(replace(THREE, mix_before=(0.6, 0.3, 0.1), mix_now=(0.1, 0.3, 0.6)), 1_000)
    assert needed_cases(far, 0.05) is None


def test_units_that_widen_the_interval_take_as_many_more_cases() -> None:
    cases = simulate(np.random.default_rng(5), replace(THREE, before=LAST_YEAR), 150).known()
    # Cases of like duration are in one unit, eight of them in each arm.
    place = np.argsort(np.argsort(cases.duration_days))
    unit = place * 8 // cases.size + np.where(cases.cohort == 1, 8, 0)
    pairs = pairs_of(replace(cases, unit=unit, units=tuple(f"u{code}" for code in range(16))))
    alone = needed_cases(pairs, 0.05)
    assert alone is not None
    assert needed_cases(pairs, 0.05, units(pairs)) > 2 * alone  # type: ignore[operator]
    assert needed_cases(pairs, 0.05, units(pairs_of(cases))) == alone  # none are known


def test_late_entries_and_cases_counted_in_one_row_are_as_good_as_others() -> None:
    cases = simulate(np.random.default_rng(6), replace(THREE, lost=0.3), 200).known()
    assert cases.start_days is not None
    doubled = replace(
        cases,
        duration_days=np.tile(cases.duration_days, 2),
        followed_days=np.tile(cases.followed_days, 2),
        outcome=np.tile(cases.outcome, 2),
        cohort=np.tile(cases.cohort, 2),
        tier=np.tile(cases.tier, 2),
        start_days=np.tile(cases.start_days, 2),
    )
    weighted = replace(cases, weight=np.full(cases.size, 2.0))
    assert needed_cases(pairs_of(doubled), 0.05) == needed_cases(pairs_of(weighted), 0.05)
    # Known an instant after they began: the same cases.
    late = replace(cases, entry_days=np.full(cases.size, 1e-9))
    assert needed_cases(pairs_of(late), 0.05) == pytest.approx(
        needed_cases(pairs_of(cases), 0.05), abs=1
    )


def test_the_unit_of_time_changes_nothing() -> None:
    cases = simulate(np.random.default_rng(7), replace(THREE, lost=0.3), 150).known()
    hours = replace(
        cases,
        duration_days=cases.duration_days * 24.0,
        followed_days=cases.followed_days * 24.0,
    )
    assert needed_cases(pairs_of(hours), 0.05) == needed_cases(pairs_of(cases), 0.05)


@pytest.mark.parametrize("outcome", [OPEN, WITHDRAWN])
def test_without_a_completion_in_the_baseline_no_number_would_do(outcome: int) -> None:
    cases = simulate(np.random.default_rng(8), WHOLE, 60).known()
    none = np.where(cases.cohort == 0, outcome, cases.outcome)
    assert needed_cases(pairs_of(replace(cases, outcome=none)), 0.05) is None


def test_cases_that_do_not_vary_need_next_to_none() -> None:
    cases = simulate(np.random.default_rng(9), WHOLE, 20).known()
    alike = replace(
        cases,
        duration_days=np.full(cases.size, 20.0),
        followed_days=np.full(cases.size, 900.0),
        outcome=np.full(cases.size, PRODUCTION),
    )
    assert needed_cases(pairs_of(alike), 0.05) == 2


def test_the_verdict_says_the_number_where_it_would_help() -> None:
    cases = simulate(np.random.default_rng(10), replace(WHOLE, before=LAST_YEAR), 60).known()
    verdict = judge(cases)
    assert verdict.why == (Why.INTERVAL,)
    assert verdict.needed_cases_per_arm == needed_cases(pairs_of(cases), 0.05)
    assert verdict.needed_cases_per_arm is not None
    assert verdict.more_cases == (verdict.needed_cases_per_arm - 60,) * 2
