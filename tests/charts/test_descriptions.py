"""Every picture in words: the figures that somebody who cannot see it needs."""

import pytest

from charts import ages, calibration, clock, flow, savings, stages, survival, trend
from tests.charts.examples import (
    AGES,
    CALIBRATION,
    CURVES,
    EXTREME,
    FLOW,
    FLOW_STAGES,
    MEDIANS,
    QUARTERS,
    REALISTIC,
    SAVINGS,
    STAGE_TIMES,
    USUAL,
    bars,
    curve,
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            survival.describe(CURVES, MEDIANS, 120),
            (
                "Intake (64 cases): half are in production by day 38",
                "Baseline 2024 (112 cases): half are in production by day 52",
                "12% are still not in production on day 156",
                "Compared over the first 120 days.",
            ),
        ),
        (
            clock.describe([bars("")]),
            (
                "45 days per case",
                "Builder working 14 (32%, 2.1 of it rework)",
                "Enablement waiting 12 (26%, 1.5 of it rework)",
                "Parked waiting 2.0 (4%)",
            ),
        ),
        (
            stages.describe(STAGE_TIMES),
            ("Risk assessment, queue (120 entries): 9.0, 23 and 37 days.",),
        ),
        (
            flow.describe(FLOW, FLOW_STAGES),
            (
                "from 2025-01-01 to 2026-08-21",
                "Open cases went from 35 to 35 cases",
                "Left: Declined or withdrawn 0 to 74 and In production 0 to 74.",
            ),
        ),
        (
            calibration.describe(CALIBRATION),
            (
                "High, p50: promised 50%, observed 31% (95% interval 21% to 42%) of 74 forecasts, "
                "less often than promised.",
                "Low, p85: promised 85%, observed 93% (95% interval 88% to 97%) of 120 forecasts, "
                "more often.",
                "of 180 forecasts.",
            ),
        ),
        (
            trend.describe(QUARTERS),
            ("2026 Q2: 0.82 (0.70 to 0.96), compresses.", "2025 Q4: no ratio."),
        ),
        (
            savings.describe(SAVINGS),
            (
                "1. Launch review: waiting for enablement: 6.4 days (4.1 to 8.9).",
                "3. Shape: waiting for the builder: 9 h 36 min "
                "(\N{MINUS SIGN}7 h 12 min to 1.2 d).",
            ),
        ),
        (
            ages.describe(AGES, USUAL),
            ("Triage: 9 cases, 8 older than the 3.0 days that 85% took", "the oldest is UC-"),
        ),
    ],
    ids=lambda value: value.split(":")[0][:20] if isinstance(value, str) else "",
)
def test_the_figures_are_said(words: str, said: tuple[str, ...]) -> None:
    for part in said:
        assert part in words
    assert "\n" not in words


def test_what_is_not_known_is_said_not_to_be() -> None:
    open_ended = survival.describe([curve("Intake", 3, ((40, 0.9, 0.9, 0.9),))], {})
    assert "the median is not reached" in open_ended
    assert "90% are still not in production on day 40" in open_ended
    assert "no case yet" in survival.describe([*CURVES, curve("Round it", 0, ())], MEDIANS)


@pytest.mark.parametrize("example", REALISTIC + EXTREME, ids=lambda example: example.name)
def test_words_have_no_figure_that_is_none_or_a_long_fraction(example: object) -> None:
    words = getattr(example, "words", "")

    assert words.endswith(".")
    assert "None" not in words
    assert "nan" not in words.split()
