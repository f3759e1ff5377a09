"""Stages: what visits consist of, what is known of those that last, and how often one goes back."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.case import Outcome
from service.domain.tally import Kind
from service.domain.trace import TracedCase
from service.measure.stages import (
    ASIDE,
    ASKED,
    QUEUE,
    WORK,
    Passages,
    Stage,
    passages,
    visits_of,
    wilson,
)
from service.measure.stages import stages as measured
from service.measure.survival import Quantile
from service.measure.traces import of
from service.reports.stages import StageGroup, StagesFound, groups_of, passages_from_counts
from tests.domain.lives import Life, lives
from tests.kit.examples import examples
from tests.measure.walks import DAY, START, counted, lived, walked

LIVE = Outcome.PRODUCTION


def stages_of(traced: Sequence[TracedCase], days: float = 100.0) -> dict[str, Stage]:
    """The stages of all cases as known so many days after START."""
    return {stage.name: stage for stage in measured(of(traced, START + days * DAY))}


def days(found: Quantile) -> float | None:
    """A quantile without its interval, to a second."""
    return None if found.days is None else round(found.days, 5)


def test_the_time_of_a_visit_is_queue_work_asked_or_parked() -> None:
    walk = (
        "triage queue 2, triage work 1, triage asked 3, triage work 0.5, triage parked 4, "
        "triage legal 0.25, triage review 0.125, build build 7"
    )
    visits = visits_of(of([walked(walk, LIVE)], START + 100 * DAY))

    assert visits.spent[:, [QUEUE, WORK, ASKED, ASIDE]].tolist() == [
        [2.25, 1.625, 3.0, 4.0],
        [0.0, 7.0, 0.0, 0.0],
    ]
    assert visits.over.tolist() == visits.complete.tolist() == [True, True]
    [triage, build] = stages_of([walked(walk, LIVE)]).values()
    assert (triage.asked_days, triage.parked_days) == (3.0, 4.0)
    assert (build.asked_days, build.parked_days) == (0.0, 0.0)


def test_a_visit_in_progress_counts_for_as_long_as_its_clock_has_run() -> None:
    # At risk 3 on day 1, so S = 2/3; who still waits is censored on day 2; then 1 on day 4.
    done = [walked(f"triage queue {queue}, triage work 1", LIVE) for queue in (1, 4)]
    waits = walked("triage queue 9", began=98)
    queue = stages_of([*done, waits])["triage"].total.queue

    assert days(queue.p50) == days(queue.p95) == 4.0
    assert stages_of([*done, waits])["triage"].total.complete == 2
    # Were it left out, half would have been through on day 1.
    assert days(stages_of(done)["triage"].total.queue.p50) == 2.5


def test_a_clock_that_stands_still_may_have_come_to_its_end() -> None:
    done = walked("triage queue 2, triage work 1", LIVE)
    waits = walked("triage queue 9", began=98)
    at_work = walked("triage queue 2, triage work 9", began=97)

    # It will wait for more than the 2 days that it has: half of the two are through on day 2.
    assert days(stages_of([done, waits])["triage"].total.queue.p85) is None
    # It may not wait ever again, so nobody is known to wait longer.
    assert days(stages_of([done, at_work])["triage"].total.queue.p85) == 2.0
    # Whoever was never worked on says nothing about work.
    assert days(stages_of([done, waits])["triage"].total.work.p85) == 1.0
    assert days(stages_of([done, at_work])["triage"].total.work.p85) is None


def test_a_decision_completes_a_visit_and_a_withdrawal_cuts_it_off() -> None:
    done = walked("triage queue 1, triage work 1", LIVE)
    declined = walked("triage queue 5, triage work 2", Outcome.DECLINED)
    withdrawn = walked("triage queue 5", Outcome.WITHDRAWN)
    by_decision = stages_of([done, declined])["triage"]
    by_builder = stages_of([done, withdrawn])["triage"]

    assert (by_decision.total.complete, by_builder.total.complete) == (2, 1)
    assert days(by_decision.total.queue.p85) == 5.0
    assert days(by_builder.total.queue.p85) is None
    assert by_decision.passages == by_builder.passages == Passages(entries=2, exits=2)


SENT_BACK = (
    "build build 3, evaluate queue 2, evaluate work 1, build build 5, evaluate queue 4, "
    "evaluate work 1, launch queue 1"
)


def test_the_first_pass_is_told_from_the_total() -> None:
    found = stages_of([walked(SENT_BACK, LIVE)])

    assert list(found) == ["build", "evaluate", "launch"]
    evaluate = found["evaluate"]
    assert evaluate.passages == Passages(entries=2, again=1, exits=2, sent_back=1)
    assert (days(evaluate.first.queue.p50), days(evaluate.total.queue.p50)) == (2.0, 6.0)
    assert (days(evaluate.first.work.p50), days(evaluate.total.work.p50)) == (1.0, 2.0)
    assert (evaluate.first.stays, evaluate.total.stays) == (1, 1)
    assert found["build"].passages == Passages(entries=2, again=1, exits=2)
    assert evaluate.passages.send_back_rate == 0.5
    assert found["launch"].passages.send_back_rate == 0.0


def test_the_total_is_censored_while_the_case_is_in_the_stage() -> None:
    # On day 12 the case has been back in evaluate for a day.
    cut = "build build 3, evaluate queue 2, evaluate work 1, build build 5, evaluate queue 4"
    evaluate = stages_of([walked(cut)], days=12)["evaluate"]

    assert (evaluate.first.complete, evaluate.total.complete) == (1, 0)
    assert days(evaluate.first.queue.p50) == 2.0
    assert days(evaluate.total.queue.p50) is None
    assert evaluate.passages.open == 1


def test_stages_stand_in_the_order_in_which_cases_come_to_them() -> None:
    long = walked("triage queue 1, shape queue 1, build build 1, approve queue 1", LIVE)
    short = walked("triage queue 1, build build 1, approve queue 1", LIVE)

    assert list(stages_of([short, long, long])) == ["triage", "shape", "build", "approve"]
    assert list(stages_of([walked(SENT_BACK), *2 * [walked("launch queue 1")]])) == [
        *("build", "launch", "evaluate"),  # two of three cases began with their launch
    ]


@pytest.mark.parametrize(
    ("count", "of_all", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_a_share_is_wilsons(
    count: int, of_all: int, low: float, high: float
) -> None:
    # Newcombe, Statistics in Medicine 1998, table I, method 3.
    assert wilson(count, of_all) == pytest.approx((low, high), abs=5e-5)


def test_nothing_is_said_of_nobody() -> None:
    assert measured(of([], START)) == ()
    assert wilson(0, 0) is None
    assert groups_of(of([], START), by_tier=True) == [StageGroup("all", ())]


def sentence(*traced: TracedCase, at: float = 100.0) -> str:
    """What the report says of these cases."""
    traces = of(traced, START + at * DAY)
    return StagesFound(tuple(groups_of(traces)), ()).sentence


def test_the_sentence_names_the_longest_wait() -> None:
    assert sentence() == "No case has been in a stage yet."
    assert sentence(walked("triage queue 9"), at=3).startswith("It cannot be said yet")
    assert sentence(walked("build build 9", LIVE)).startswith("In no stage")
    cases = [walked(f"triage queue {n}, launch queue 0.5", LIVE) for n in (1, 3.2, 20)]
    assert sentence(*cases) == (
        "Triage is where cases wait longest: half wait more than 3.2 days, 15% more than 20 days."
    )
    assert sentence(cases[0], walked("triage queue 99"), at=49) == (
        "Triage is where cases wait longest: half wait more than 25 days."
    )


def some(drawn: Sequence[Life], after: float) -> list[TracedCase]:
    """Random lives as known so many days after START."""
    return [lived(life, START + after * DAY, number) for number, life in enumerate(drawn)]


@settings(max_examples=examples(60))
@given(st.lists(lives(most=15), min_size=1, max_size=6), st.floats(0.0, 300.0))
def test_the_parts_of_a_visit_are_its_length_and_visits_are_the_case(
    drawn: list[Life], after: float
) -> None:
    traces = of(some(drawn, after), START + after * DAY)
    visits = visits_of(traces)
    length = visits.end_days - visits.begin_days

    assert visits.spent.sum(axis=1) == pytest.approx(length, abs=1e-9)
    assert (visits.spent >= 0.0).all()
    per_case = np.bincount(visits.case, length, traces.cases.size)
    assert per_case == pytest.approx(traces.cases.duration_days, abs=1e-9)


@settings(max_examples=examples(60))
@given(st.lists(lives(most=15), min_size=1, max_size=6), st.floats(0.0, 300.0))
def test_entries_are_exits_and_those_inside_and_counts_know_the_same(
    drawn: list[Life], after: float
) -> None:
    cases = some(drawn, after)
    traces = of(cases, START + after * DAY)
    groups = groups_of(traces, by_tier=True)
    open_cases = sum(case.case.outcome is Outcome.OPEN for case in cases)
    counts = passages_from_counts(counted(cases).of(Kind.STAGE_BEGAN, Kind.STAGE_DONE))

    assert sum(stage.passages.open for stage in groups[0].stages) == open_cases
    for group in groups:
        by_counts = counts["" if group.name == "all" else group.name]
        assert {stage.name: stage.passages for stage in group.stages} == by_counts
        for stage in group.stages:
            passed = stage.passages
            assert 0 <= passed.sent_back <= passed.exits <= passed.entries
            assert passed.entries - passed.again == stage.first.stays == stage.total.stays
    assert groups_of(traces, counts, by_tier=True) == groups
    everybody = visits_of(traces)
    assert passages(everybody) == sum(
        (stage.passages for stage in groups[0].stages), start=Passages()
    )
