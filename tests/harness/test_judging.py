"""What passes: rules held against scores, their limits and samples. Published values, laws."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.harness.judging import (
    Judged,
    Metric,
    Missed,
    Verdict,
    judge,
    verdict_of,
)
from service.library.pass_rules import (
    MOST_RULES,
    Bound,
    PassRule,
    checked_rules,
    rule_from_line,
)

ACCURACY = PassRule("accuracy", Bound.AT_LEAST, 0.85)


def judged(rule: PassRule, *metrics: Metric) -> Judged:
    (one,) = judge([rule], metrics)
    return one


def test_the_limits_of_a_share_are_wilsons() -> None:
    """Newcombe, Statistics in Medicine 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of
    29."""
    for passed, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert Metric("a", passed / of, None, of).limits() == pytest.approx((low, high), abs=5e-5)


def test_the_limits_of_any_other_score_are_two_standard_errors_away() -> None:
    assert Metric("a", 12.0, 0.5).limits() == pytest.approx((11.02, 12.98), abs=1e-3)
    assert Metric("a", 1.2, 0.5, 400).limits() == pytest.approx((0.22, 2.18), abs=1e-3)
    assert Metric("a", 1.2, None, 400).limits() is None
    assert Metric("a", 0.9).limits() is None


@pytest.mark.parametrize(
    ("rule", "metric", "missed", "said"),
    [
        (ACCURACY, Metric("accuracy", 0.85), None, "accuracy: 0.85 is at least 0.85"),
        (
            ACCURACY,
            Metric("accuracy", 0.81),
            Missed.SCORE,
            "accuracy: 0.81 is 0.04 below 0.85",
        ),
        (
            replace(ACCURACY, limit=True),
            Metric("accuracy", 0.88, 0.02, 200),
            Missed.LIMIT,
            "accuracy: the lower 95% limit 0.8277 is 0.022 below 0.85 (score 0.88 of 200 samples)",
        ),
        (
            replace(ACCURACY, limit=True),
            Metric("accuracy", 0.93, None, 200),
            None,
            "accuracy: 0.93 is at least 0.85, and so is its lower 95% limit 0.8859",
        ),
        (
            replace(ACCURACY, limit=True),
            Metric("accuracy", 0.93),
            Missed.UNSURE,
            "accuracy: the rule asks for the lower 95% limit; a standard error is missing, or, for "
            "a score between 0 and 1, the number of samples",
        ),
        (
            replace(ACCURACY, least_samples=200),
            Metric("accuracy", 0.93, None, 120),
            Missed.SAMPLES,
            "accuracy: 120 samples, 80 fewer than 200",
        ),
        (
            replace(ACCURACY, least_samples=200),
            Metric("accuracy", 0.93),
            Missed.SAMPLES,
            "accuracy: the rule asks for at least 200 samples, and the run names no number",
        ),
        (
            PassRule("latency", Bound.AT_MOST, 2.0, limit=True),
            Metric("latency", 1.9, 0.1),
            Missed.LIMIT,
            "latency: the upper 95% limit 2.096 is 0.096 above 2 (score 1.9)",
        ),
        (
            PassRule("latency", Bound.AT_MOST, 2.0, limit=True),
            Metric("latency", 1.7, 0.1, 50),
            None,
            "latency: 1.7 is at most 2, and so is its upper 95% limit 1.896",
        ),
        (
            PassRule("latency", Bound.AT_MOST, 2.0),
            Metric("latency", 2.5),
            Missed.SCORE,
            "latency: 2.5 is 0.5 above 2",
        ),
        (
            ACCURACY,
            Metric("f1", 0.9),
            Missed.ABSENT,
            "accuracy: the run does not say which one this is; it has f1",
        ),
    ],
)
def test_a_rule_says_what_missed_it_and_by_how_much(
    rule: PassRule, metric: Metric, missed: Missed | None, said: str
) -> None:
    found = judged(rule, metric)
    assert (found.missed, found.said) == (missed, said)


def test_a_metric_is_found_under_its_scorer_if_only_one_has_it() -> None:
    assert judged(ACCURACY, Metric("match/accuracy", 0.9)).missed is None
    both = (Metric("match/accuracy", 0.9), Metric("judge/accuracy", 0.2))
    assert judged(ACCURACY, *both).missed is Missed.ABSENT
    assert judged(replace(ACCURACY, metric="judge/accuracy"), *both).missed is Missed.SCORE
    named = Metric("accuracy", 0.95)
    assert judged(ACCURACY, *both, named).metric == named


def test_a_run_passes_if_it_keeps_all_rules_and_there_is_one() -> None:
    good, other = Metric("accuracy", 0.9), PassRule("f1", Bound.AT_LEAST, 0.5)
    assert verdict_of(judge([ACCURACY], [good])) is Verdict.PASSED
    assert verdict_of(judge([ACCURACY, other], [good])) is Verdict.FAILED
    assert verdict_of(judge([], [good])) is Verdict.NO_RULES


finite = st.floats(-1e6, 1e6)


@given(finite, finite, st.floats(0, 1e3) | st.none(), st.integers(1, 10**6) | st.none())
def test_a_stricter_rule_is_never_easier(
    score: float, threshold: float, error: float | None, samples: int | None
) -> None:
    metric = Metric("a", score, error, samples)
    for bound, tighter in ((Bound.AT_LEAST, 1.0), (Bound.AT_MOST, -1.0)):
        plain = PassRule("a", bound, threshold)
        for strict in (
            replace(plain, limit=True),
            replace(plain, least_samples=100),
            replace(plain, threshold=threshold + tighter),
        ):
            if judged(strict, metric).missed is None:
                assert judged(plain, metric).missed is None
        found = judged(plain, metric)
        assert (found.by is None) == (found.missed is None)
        assert found.by is None or found.by > 0


@given(
    st.builds(
        PassRule,
        metric=st.from_regex(r"[a-z][a-z/ _]{0,20}[a-z]", fullmatch=True),
        bound=st.sampled_from(Bound),
        threshold=st.floats(-1e6, 1e6).map(lambda one: float(f"{one:.12g}")),
        least_samples=st.integers(0, 10**9),
        limit=st.booleans(),
    )
)
def test_a_rule_is_read_as_it_is_written(rule: PassRule) -> None:
    assert rule_from_line(str(rule)) == rule


@pytest.mark.parametrize(
    "line",
    [
        "",
        "accuracy",
        "accuracy 0.9",
        "accuracy at least",
        "at least 0.9",
        "a at least ...",
        "a < 1",
    ],
)
def test_what_is_no_rule_is_refused(line: str) -> None:
    with pytest.raises(BadInput, match="write a rule like"):
        rule_from_line(line)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([ACCURACY] * 2, "one rule for each side"),
        ([ACCURACY, PassRule("accuracy", Bound.AT_MOST, 0.8)], "at least 0.85 and at most 0.8"),
        ([replace(ACCURACY, threshold=math.nan)], "not a number that can be met"),
        ([replace(ACCURACY, threshold=math.inf)], "not a number that can be met"),
        ([replace(ACCURACY, metric="  ")], "has a name"),
        ([replace(ACCURACY, metric="a" * 201)], "has a name"),
        ([replace(ACCURACY, least_samples=-1)], "samples"),
        ([replace(ACCURACY, metric=f"m{n}") for n in range(MOST_RULES + 1)], "up to 20"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: list[PassRule], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        checked_rules(rules)
    inside = [ACCURACY, PassRule("accuracy", Bound.AT_MOST, 0.95)]
    assert checked_rules(inside) == tuple(inside)
