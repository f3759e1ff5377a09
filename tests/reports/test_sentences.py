"""The verdict in one sentence."""

from typing import Any

import pytest

from service.measure.tiers import Direction
from service.reports.comparison import Comparison, OwnEstimates
from service.reports.registry import Name
from service.reports.sentences import Judged, locked_sentence, verdict_sentence


def kept(**changes: Any) -> dict[str, Any]:
    """A verdict by the first version of the rule, as it was kept."""
    return {
        "verdict": "compresses",
        "cohort": "intake",
        "baseline": "before",
        "ratio": 0.8234,
        "ci": [0.7012, 0.9588],
        "confidence": 0.95,
        **changes,
    }


def own(**changes: Any) -> OwnEstimates:
    """A comparison with what the builders expected."""
    return OwnEstimates.model_validate(
        {
            "label": "versus the builders' own estimates",
            "verdict": "inconclusive",
            "ratio": 1.2,
            "ci": [0.9, 1.6],
            "guard": {"ratio": 1.2, "ci": [0.9, 1.6]},
            "tau_days": 90.0,
            "cases": 40,
            "completed": 30,
            "optimism_band": 1.4,
            "notes": [],
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("changes", "expected", "says"),
    [
        (
            {},
            None,
            "Intake compresses time-to-production: 0.82 of before, 95% between 0.70 and 0.96.",
        ),
        (
            {"verdict": "inconclusive"},
            None,
            "It is not clear yet whether intake compresses or extends time-to-production: "
            "0.82 of before, 95% between 0.70 and 0.96.",
        ),
        (
            {"ci": None, "verdict": "inconclusive"},
            None,
            "Intake: 0.82 of before, and how uncertain this is cannot be told.",
        ),
        (
            {"ratio": None, "ci": None, "verdict": "inconclusive"},
            None,
            "Intake: nothing can be said yet about its time-to-production.",
        ),
        (
            {"ratio": None, "ci": None, "baseline": None},
            own(),
            "It is not clear yet whether intake compresses or extends time-to-production: 1.20 of "
            "what was expected, 95% between 0.90 and 1.60, versus the builders' own estimates.",
        ),
        (
            {"ratio": None, "ci": None},
            own(ratio=None, ci=None),
            "Intake: nothing can be said yet about its time-to-production.",
        ),
    ],
)
def test_the_sentence_says_what_is_known_and_how_well(
    changes: dict[str, Any], expected: OwnEstimates | None, says: str
) -> None:
    assert verdict_sentence(Judged.kept(kept(**changes)), expected) == says


def test_a_locked_quarter_says_so() -> None:
    quarter = Judged.kept(kept(confidence=0.9875, verdict="extends", ratio=1.3))
    assert locked_sentence("2026-Q3", quarter) == (
        "Intake extends time-to-production: 1.30 of before, 98.75% between 0.70 and 0.96, "
        "locked for 2026 Q3."
    )


def test_a_comparison_and_the_same_as_it_is_kept_say_the_same() -> None:
    example = {**Name.VERDICT.of.example, "verdict": Direction.INCONCLUSIVE, "why": ["mix"]}
    fields = {name: example[name] for name in Comparison.model_fields if name in example}
    found = Comparison.model_validate(fields)
    assert Judged.of(found) == Judged.kept(found.model_dump())
