"""How old cases usually are when they leave a stage."""

import pytest

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.measure.traces import of
from service.measure.usual_ages import usual_ages
from tests.measure.traced import case, day

BUILD = ("build", "builder", Mode.WORKING)
REVIEW = ("review", "enablement", Mode.WAITING)


def test_the_age_counts_from_the_start_of_the_case_not_of_the_stage() -> None:
    cases = [case(str(days), [(*BUILD, 10.0), (*REVIEW, float(days))]) for days in range(1, 10)]

    found = usual_ages(of(cases, day(400.0)))

    assert found["low", "build"].half_days == pytest.approx(10.0)
    assert found["low", "review"].half_days == pytest.approx(15.0)
    assert found["low", "review"].late_days == pytest.approx(18.0)


def test_cases_that_are_still_there_raise_the_age() -> None:
    over = [case(str(days), [(*BUILD, float(days))]) for days in range(1, 10)]
    still = [case(f"open {one}", [(*BUILD, 50.0)], outcome=Outcome.OPEN) for one in range(9)]

    found = usual_ages(of([*over, *still], day(50.0)))["low", "build"]

    assert found.half_days > 5.0
    assert found.late_days is None


def test_a_few_cases_make_no_rule() -> None:
    cases = [case(str(days), [(*BUILD, float(days))]) for days in range(1, 8)]

    assert usual_ages(of(cases, day(100.0))) == {}
