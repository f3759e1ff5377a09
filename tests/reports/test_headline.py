"""Which sentence stands above a verdict, and what is said beside it."""

from datetime import timedelta
from typing import Any

import pytest

from service.domain.cohort import INTAKE, Cohort, cohort_from
from service.facts.as_of import Moment
from service.measure.tiers import Direction
from service.reports.comparison import LiveFigures, LockedVerdict
from service.reports.headline import GUARD, Headline, Scope, headline, single_look, why_none
from service.reports.registry import Name
from service.reports.sentences import Judged
from service.reports.verdict import VerdictReport
from tests.kit.desk import DAY, START
from tests.reports.test_sentences import kept

END = START + 28 * DAY
WHOLE = Scope(Cohort(INTAKE), Cohort("before"))
FIGURES: dict[str, Any] = {"ratio": 0.8234, "ci": [0.7012, 0.9588], "confidence": 0.95}


def quarter(**changes: Any) -> LockedVerdict:
    """A locked quarter that says the same as the verdict of its end, by the first rule."""
    about = {
        "quarter": "2026-Q1",
        "as_of": END.isoformat(),
        "locked_at": END.isoformat(),
        "why_none": "",
    }
    return LockedVerdict.model_validate({**kept(), **about, **changes})


def said(
    *locked: LockedVerdict, scope: Scope = WHOLE, at: timedelta = timedelta(0), **changes: Any
) -> Headline:
    found = VerdictReport.model_validate({**Name.VERDICT.of.example, **FIGURES, **changes})
    return headline(found, None, locked, scope, Moment(END + at, asked=True))


def test_the_locked_sentence_stands_above_what_was_locked_alone() -> None:
    there = said(quarter())

    assert there.official is not None
    assert there.sentence == there.official.sentence
    assert there.sentence.endswith("locked for 2026 Q1.")
    later = said(quarter(), at=DAY)
    assert later.official == there.official
    assert "locked" not in later.sentence


@pytest.mark.parametrize("changes", [{"ratio": 0.9}, {"ci": [0.7, 1.1]}, {"verdict": "extends"}])
def test_what_came_out_otherwise_since_has_its_own_sentence(changes: dict[str, Any]) -> None:
    """History that was imported after the quarter was locked, or another version of the rule."""
    now = said(quarter(), **changes)
    assert "locked" not in now.sentence
    assert now.official is not None
    assert "locked for 2026 Q1" in now.official.sentence


@pytest.mark.parametrize(
    ("scope", "about"),
    [
        (Scope(Cohort(INTAKE), Cohort("before"), unit="Claims"), "Business unit Claims"),
        (Scope(Cohort(INTAKE), Cohort("before"), tier="high"), "Tier high"),
        (Scope(Cohort(INTAKE), Cohort("before"), tau_days=0.5), "First 12 h"),
        (
            Scope(Cohort(INTAKE), Cohort("before"), "low", "Claims", 90.0),
            "Business unit Claims, tier low, first 90 days",
        ),
        (Scope(cohort_from("intake[tier=high]"), Cohort("before")), ""),
        (Scope(Cohort(INTAKE), cohort_from("before[started=2025]")), ""),
        (Scope(Cohort("before"), Cohort(INTAKE)), ""),
    ],
)
def test_a_part_says_which_and_has_no_official_verdict(scope: Scope, about: str) -> None:
    there = said(quarter(), scope=scope)

    assert there.official is None
    assert there.sentence.startswith(f"{about}: Intake" if about else "Intake")
    assert not scope.is_whole


def test_the_whole_question_is_that_of_the_intake_with_or_without_a_baseline() -> None:
    assert WHOLE.is_whole
    assert Scope(Cohort(INTAKE), None).is_whole


UNDECIDED: dict[str, Any] = {"verdict": "inconclusive", "ci": [0.7, 0.96]}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"verdict": "inconclusive", "ci": [0.7, 1.2]}, ""),
        ({"verdict": "inconclusive", "ci": None}, ""),
        (UNDECIDED, GUARD),
        ({"verdict": "inconclusive", "ci": [1.1, 1.4]}, GUARD),
        ({**UNDECIDED, "rule": 2, "why": ["guard"]}, GUARD),
        ({**UNDECIDED, "rule": 2, "why": ["mix", "odd_thing"]}, "{mix}; odd thing"),
    ],
)
def test_an_interval_on_one_side_without_a_verdict_says_why(
    changes: dict[str, Any], why: str
) -> None:
    expected = why.replace("{mix}", "more or fewer cases are called risky than before")
    assert why_none(Judged.kept(kept(**changes))) == expected


def test_the_sentence_says_why_there_is_none() -> None:
    locked = said(quarter(**UNDECIDED), **UNDECIDED, at=DAY)
    assert locked.official is not None
    assert locked.official.sentence.endswith(f"locked for 2026 Q1. No verdict: {GUARD}.")

    by_rule_2 = said(**UNDECIDED, why=["guard"], as_is="inconclusive").sentence
    assert "declined or withdrawn" in by_rule_2, "its own sentence says why"
    assert "No verdict" not in by_rule_2


@pytest.mark.parametrize(
    ("live", "says"),
    [
        ({"verdict": "compresses", "ci": [0.6, 0.97]}, ""),
        ({"verdict": "inconclusive", "ci": [0.6, 1.04]}, "goes from 0.60 to 1.04"),
        (
            {"verdict": "inconclusive", "ci": None, "waiting_for": "20 cases"},
            "needs 20 cases.",
        ),
        ({"verdict": "inconclusive", "ci": None}, "chosen beforehand."),
    ],
)
def test_a_single_look_is_said_to_be_one(live: dict[str, Any], says: str) -> None:
    now = LiveFigures.model_validate({**Name.VERDICT.of.example["live"], **live})
    note = single_look(Direction.COMPRESSES, now)
    assert note.endswith(says) or says in note
    assert bool(note) == bool(says)
    assert single_look(Direction.INCONCLUSIVE, now) == ""
