"""The verdict in one sentence."""

from typing import Any

import pytest

from service.reports.sentences import verdict_sentence


def found(**changes: Any) -> dict[str, Any]:
    """A verdict as a report gives it."""
    return {
        "verdict": "compresses",
        "cohort": "intake",
        "baseline": "before",
        "ratio": 0.8234,
        "ci": [0.7012, 0.9588],
        "confidence": 0.95,
        "own_estimates": None,
        "locked": [],
        **changes,
    }


OWN = {
    "label": "versus the builders' own estimates",
    "verdict": "inconclusive",
    "ratio": 1.2,
    "ci": [0.9, 1.6],
}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Intake compresses time-to-production: 0.82 of before, 95% between 0.70 and 0.96."),
        (
            {"verdict": "inconclusive"},
            "It is not clear yet whether intake compresses or extends time-to-production: "
            "0.82 of before, 95% between 0.70 and 0.96.",
        ),
        (
            {"ci": None, "verdict": "inconclusive"},
            "Intake: 0.82 of before, and how uncertain this is cannot be told.",
        ),
        (
            {"ratio": None, "ci": None, "verdict": "inconclusive"},
            "Intake: nothing can be said yet about its time-to-production.",
        ),
        (
            {"locked": [found(quarter="2026-Q3", confidence=0.9875, verdict="extends", ratio=1.3)]},
            "Intake extends time-to-production: 1.30 of before, 98.75% between 0.70 and 0.96, "
            "locked for 2026 Q3.",
        ),
        (
            {"ratio": None, "ci": None, "baseline": None, "own_estimates": OWN},
            "It is not clear yet whether intake compresses or extends time-to-production: 1.20 of "
            "what was expected, 95% between 0.90 and 1.60, versus the builders' own estimates.",
        ),
        (
            {"ratio": None, "ci": None, "own_estimates": {**OWN, "ratio": None, "ci": None}},
            "Intake: nothing can be said yet about its time-to-production.",
        ),
    ],
)
def test_the_sentence_says_what_is_known_and_how_well(changes: dict[str, Any], says: str) -> None:
    assert verdict_sentence(found(**changes)) == says
