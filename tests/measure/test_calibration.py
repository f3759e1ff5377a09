"""A short, seeded look at how often the verdict is right; benchmarks/calibration.py looks longer.

The limits leave room for the chance of few runs: they catch a broken rule, not a slightly worse
one. The shares in the texts are those of 1,000 longer runs.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.calibration import (
    COMPRESSES,
    CONCURRENT,
    EITHER,
    LINES,
    Line,
    main,
    said,
)
from benchmarks.simulated_cases import World, simulate
from service.domain.assumption import Assumption, AssumptionKind
from service.measure.cases import OPEN, PRODUCTION, Cases
from service.measure.rule import Why
from service.measure.verdict import Direction, Verdict, judge

pytestmark = pytest.mark.long

AS_OF = datetime(2025, 3, 31, tzinfo=UTC)
TODAY = 20_178.0  # AS_OF in days since 1970


def line(name: str) -> Line:
    (found,) = (one for one in LINES if one.name == name)
    return found


def drawn(world: World, per_arm: int, runs: int, seed: int = 1) -> Iterable[Cases]:
    rng = np.random.default_rng(seed)
    return (simulate(rng, world, per_arm).known() for _ in range(runs))


def judged(name: str, per_arm: int, runs: int) -> list[Verdict]:
    return [judge(cases) for cases in drawn(line(name).world, per_arm, runs)]


def as_is(verdicts: Iterable[Verdict], *wanted: Direction) -> int:
    return sum(verdict.as_is in wanted for verdict in verdicts)


def verdicts_of(verdicts: Iterable[Verdict], *wanted: Direction) -> int:
    return sum(verdict.direction in wanted for verdict in verdicts)


# ---- without an effect


def test_no_effect_is_rarely_called_one() -> None:
    """As is 2.1%, the verdict 0.6% of runs: more come in fewer than 1 of 1,000 seeds."""
    found = judged("nothing, recent intake", 20, 60)
    assert as_is(found, *EITHER) <= 5
    assert verdicts_of(found, *EITHER) <= 3


def test_twenty_small_tiers_and_a_young_intake_do_not_look_fast() -> None:
    """Version 1 said "compresses" in 40% of runs."""
    found = judged("20 tiers of 5 v 20, young", 100, 20)
    assert as_is(found, *EITHER) <= 3
    assert verdicts_of(found, *EITHER) <= 1


def test_units_that_share_a_fate_are_counted_as_units() -> None:
    """The same cases without their units are said in a third of runs."""
    cases = list(drawn(line("8+8 units nested, ICC .2").world, 200, 12))
    with_units = [judge(some) for some in cases]
    without = [judge(replace(some, unit=None, units=())) for some in cases]
    assert as_is(with_units, *EITHER) <= 3
    assert as_is(without, *EITHER) > as_is(with_units, *EITHER)
    for one, other in zip(with_units, without, strict=True):
        assert one.time.ratio == other.time.ratio


def test_a_shift_between_units_is_not_an_effect() -> None:
    """Version 1 said "compresses" in 70% of runs."""
    found = judged("8 shared units, unit mix shifts", 200, 12)
    assert as_is(found, *EITHER) <= 2
    assert any(Why.UNIT_MIX in verdict.why for verdict in found)


def test_a_trend_that_was_there_anyway_is_said_as_is_and_not_as_a_verdict() -> None:
    found = judged("everything 15% faster a year", 200, 16)
    assert as_is(found, COMPRESSES) >= 2
    assert verdicts_of(found, *EITHER) <= 3
    assert any(Why.TREND in verdict.why for verdict in found)


def test_a_record_that_begins_late_is_seen_and_mended_by_known_from() -> None:
    late = judged("left truncation", 100, 8)
    assert as_is(late, *EITHER) <= 1
    assert sum("before: no end before" in " ".join(one.record) for one in late) >= 7
    known = judged("left truncation, known from", 100, 8)
    assert as_is(known, *EITHER) <= 2
    assert sum("before: no end before" in " ".join(one.record) for one in known) <= 1


def test_a_record_of_closed_cases_only_is_seen() -> None:
    found = judged("begun and closed in 120 days", 200, 8)
    assert as_is(found, *EITHER) == 0
    assert all("intake: nothing open" in " ".join(one.record) for one in found)


def test_a_triage_that_calls_more_cases_high_is_not_an_effect() -> None:
    """Unless somebody vouches that it is the same: then the tiers count as they are."""
    vouched = Assumption(AssumptionKind.SAME_TRIAGE, "A. Name", AS_OF, "one checklist since 2019")
    cases = list(drawn(line("triage drift").world, 200, 10))
    assert as_is((judge(some) for some in cases), *EITHER) <= 2
    assert as_is((judge(some, assumptions=[vouched]) for some in cases), COMPRESSES) >= 5


def test_giving_up_does_not_pass_for_speed() -> None:
    """The ratio alone says "compresses" in most runs, as is in hardly any."""
    found = judged("slowest 30% withdraw", 200, 10)
    assert as_is(found, *EITHER) <= 1
    assert sum(one.time.direction is COMPRESSES for one in found) >= 3


# ---- with one


@pytest.mark.parametrize(
    ("name", "per_arm", "runs", "as_is_at_least", "verdict_at_least"),
    [
        ("40% faster", 200, 8, 6, 4),
        ("25% faster, concurrent", 200, 10, 3, 3),
        ("blocks everything", 50, 8, 6, 6),
        ("25% faster, 30% declined", 200, 10, 3, 0),
    ],
)
def test_an_effect_is_found(
    name: str, per_arm: int, runs: int, as_is_at_least: int, verdict_at_least: int
) -> None:
    found = judged(name, per_arm, runs)
    wanted = line(name).said
    assert as_is(found, *wanted) >= as_is_at_least
    assert verdicts_of(found, *wanted) >= verdict_at_least


def test_a_tier_that_is_blocked_does_not_drop_out() -> None:
    """The others are 40% faster: as is, version 1 said "compresses" in up to half of the runs."""
    found = judged("slowest tier blocked: says compresses", 50, 12)
    assert as_is(found, COMPRESSES) == 0


def test_a_concurrent_baseline_costs_nothing() -> None:
    """Nothing that changed with time can lie between arms that began in the same months."""
    found = [judge(cases) for cases in drawn(replace(CONCURRENT, factor=0.7), 200, 8)]
    assert as_is(found, COMPRESSES) >= 4
    assert abs(as_is(found, COMPRESSES) - verdicts_of(found, COMPRESSES)) <= 1


# ---- the two counter-examples to version 1


def in_arms(tiers: dict[str, tuple[Sequence[float | None], Sequence[float | None]]]) -> Cases:
    """Cases by tier: the baseline's days, and the intake's (None: open). They began, one after
    the other, in the same days of half a year up to 160 days ago."""
    days: list[float] = []
    outcome, cohort, tier, began = [], [], [], []
    for code, arms in enumerate(tiers.values()):
        for arm, some in enumerate(arms):
            for place, one in enumerate(some):
                start = 160.0 + place % 200
                days.append(start if one is None else one)
                outcome.append(OPEN if one is None else PRODUCTION)
                cohort.append(arm)
                tier.append(code)
                began.append(start)
    followed = np.array(began)
    return Cases(
        as_of=AS_OF,
        duration_days=np.array(days),
        followed_days=followed,
        outcome=np.array(outcome),
        cohort=np.array(cohort),
        tier=np.array(tier),
        cohorts=("before", "intake"),
        tiers=tuple(tiers),
        started_later=0,
        start_days=TODAY - followed,
    )


def test_an_intake_that_lets_nothing_through_extends() -> None:
    """200 of 200 cases open next to 200 that were done in 10 to 29 days."""
    before = [10.0 + place * 7 % 20 for place in range(200)]
    verdict = judge(in_arms({"all": (before, [None] * 200)}))
    assert verdict.as_is is Direction.EXTENDS
    assert verdict.direction is Direction.EXTENDS


def test_a_fast_tier_does_not_hide_a_blocked_one() -> None:
    """Tier low a little faster, tier high 0 of 100 done: version 1 said "compresses, 0.65"."""
    low = [10.0 + place * 7 % 20 for place in range(40)]
    high = [30.0 + place * 7 % 60 for place in range(100)]
    faster: list[float | None] = [0.65 * day for day in low]
    verdict = judge(in_arms({"high": (high, [None] * 100), "low": (low, faster)}))
    assert verdict.as_is is not COMPRESSES
    assert verdict.direction is not COMPRESSES
    assert verdict.time.ratio is not None
    assert verdict.time.ratio > 1.0
    assert all(stratum.counted for stratum in verdict.strata)


# ---- the benchmark


def test_the_benchmark_prints_each_line_whatever_number_of_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def lines(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("|")]

    def printed(*arguments: str) -> list[str]:
        main(["--seed", "2", *arguments])
        return lines(capsys.readouterr().out)

    world = ("--runs", "30", "--worlds", "25% faster, 80% declined")
    one = printed(*world)
    command = [sys.executable, "-m", "benchmarks.calibration", "--seed", "2", *world, "--jobs", "2"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert one == lines(run.stdout)
    assert "| 25% faster, 80% declined | 200 | 5 |" in one[-1]
    assert "(10)" in one[-1]
    needed = printed("--needed", "--runs", "2", "--worlds", "before/after, one tier, 0%")
    assert "+-" in needed[-1]
    looks = printed("--looks", "--runs", "1")
    assert len(looks) == 4
    assert "four locked verdicts" in looks[-1]


def test_what_is_counted_is_what_is_printed() -> None:
    """`said` is seeded: the same runs each time."""
    faster = line("40% faster")
    assert said(faster, 100, 4, seed=3) == said(faster, 100, 4, seed=3)
