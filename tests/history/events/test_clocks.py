"""Whose clock ran between the events of a case: each rule by an example."""

from datetime import timedelta
from pathlib import Path

import pytest

from service.domain.case import Outcome
from service.domain.trace import TracedCase
from tests.history.events.logs import MAP, START, event, read, trace, xes

Turn = tuple[float, str, str, str]


def one(path: Path, *events: str, mapping: str = MAP) -> TracedCase:
    """The case that these events tell."""
    path.write_text(xes(trace("1", *events)), "utf-8")
    accepted, rejects = read(path, mapping)
    assert rejects == []
    return accepted[0]


def refused(path: Path, *events: str, mapping: str = MAP) -> str:
    """Why these events tell no case."""
    path.write_text(xes(trace("1", *events)), "utf-8")
    accepted, rejects = read(path, mapping)
    assert accepted == []
    return rejects[0].reason


def turns(case: TracedCase) -> list[Turn]:
    """Its steps: the hour, the stage, the holder, the mode."""
    return [
        ((step.at - START) / timedelta(hours=1), step.stage, step.holder, step.mode.value)
        for step in case.steps
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.xes"


def test_time_before_a_start_is_the_queue_and_from_start_to_complete_is_work(log: Path) -> None:
    case = one(
        log,
        event(0, "ask", "complete", "builder"),
        event(3, "triage", "start"),
        event(4, "triage", "complete"),
        event(9, "build", "start", "builder"),
        event(20, "build", "complete", "builder"),
        event(22, "live", "complete", "builder"),
    )

    assert turns(case) == [
        (0, "triage", "enablement", "waiting"),
        (3, "triage", "enablement", "working"),
        (4, "build", "builder", "waiting"),
        (9, "build", "builder", "working"),
        (20, "live", "builder", "waiting"),
    ]
    assert case.case.outcome is Outcome.PRODUCTION
    assert case.case.ended_at == START + timedelta(hours=22)


def test_without_starts_all_time_up_to_an_event_is_on_its_holder_in_the_mode_of_the_map(
    log: Path,
) -> None:
    building = '[[activity.rules]]\nwhen = { "concept:name" = ["build"] }\nmode = "working"\n'
    case = one(
        log,
        event(0, "ask", group="builder"),
        event(5, "approve", group="risk"),
        event(30, "build", group="builder"),
        event(31, "live"),
        mapping=MAP + building,
    )

    assert turns(case) == [
        (0, "approve", "risk", "waiting"),
        (5, "build", "builder", "working"),
        (30, "live", "enablement", "waiting"),
    ]


def test_of_several_activities_at_work_the_one_that_started_last_counts(log: Path) -> None:
    case = one(
        log,
        event(0, "build", "start", "builder"),
        event(2, "risk", "start", "risk"),
        event(6, "risk", "complete", "risk"),
        event(9, "build", "complete", "builder"),
        event(9, "live", "complete", "builder"),
    )

    assert turns(case) == [
        (0, "build", "builder", "working"),
        (2, "risk", "risk", "working"),
        (6, "build", "builder", "working"),
    ]


def test_an_activity_put_into_somebodys_hands_waits_for_them_until_the_next_event(
    log: Path,
) -> None:
    case = one(
        log,
        event(0, "risk", "SCHEDULE", "risk"),
        event(2, "risk", "assign", "risk"),
        event(4, "triage", "start"),
        event(5, "triage", "suspend"),
        event(7, "risk", "complete", "risk"),
        event(8, "triage", "resume"),
        event(9, "triage", "Complete"),
    )

    assert turns(case) == [
        (0, "risk", "risk", "waiting"),
        (4, "triage", "enablement", "working"),
        (5, "triage", "enablement", "waiting"),
        (8, "triage", "enablement", "working"),
        (9, "triage", "enablement", "waiting"),
    ]
    assert case.case.outcome is Outcome.OPEN


def test_a_case_without_an_end_stays_with_the_holder_of_its_last_event(log: Path) -> None:
    at_rest = one(log, event(0, "ask", group="builder"), event(5, "approve", group="risk"))
    at_work = one(log, event(0, "build", "start", "builder"))

    assert turns(at_rest) == [(0, "approve", "risk", "waiting")]
    assert turns(at_work) == [(0, "build", "builder", "working")]
    assert at_rest.case.ended_at is None


def test_instances_of_one_activity_are_told_apart(log: Path) -> None:
    first, second = (f'<string key="concept:instance" value="{number}"/>' for number in (1, 2))
    case = one(
        log,
        event(0, "review", "start", "risk", first),
        event(1, "review", "start", "legal", second),
        event(2, "review", "complete", "legal", second),
        event(4, "review", "complete", "risk", first),
        event(4, "live"),
    )

    assert turns(case) == [
        (0, "review", "risk", "working"),
        (1, "review", "legal", "working"),
        (2, "review", "risk", "working"),
    ]


def test_events_out_of_order_are_sorted_by_time_and_those_of_one_moment_stay(log: Path) -> None:
    case = one(
        log,
        event(9, "live"),
        event(0, "ask", "start", "builder"),
        event(0, "ask", "complete", "builder"),
        event(4, "triage", "start"),
        event(5, "triage", "complete"),
    )

    assert turns(case) == [
        (0, "ask", "builder", "working"),
        (0, "triage", "enablement", "waiting"),
        (4, "triage", "enablement", "working"),
        (5, "live", "enablement", "waiting"),
    ]


def test_an_activity_that_ends_before_its_start_costs_the_case(log: Path) -> None:
    reason = refused(
        log, event(5, "triage", "start"), event(4, "triage", "complete"), event(9, "live")
    )

    assert reason == (
        "triage ends 2024-03-04T13:00:00+00:00 (line 5),"
        " before its start 2024-03-04T14:00:00+00:00 (line 4)"
    )


def test_what_comes_after_the_last_end_does_not_count_and_an_earlier_end_was_none(
    log: Path,
) -> None:
    case = one(log, event(0, "ask"), event(4, "live"), event(8, "live"), event(9, "archive"))

    assert case.case.ended_at == START + timedelta(hours=8)
    assert turns(case) == [(0, "live", "enablement", "waiting")]


def test_an_event_may_end_a_case_only_where_nothing_follows(log: Path) -> None:
    rule = (
        '[[activity.rules]]\nwhen = { "concept:name" = ["reject"] }\noutcome_if_last = "declined"\n'
    )
    given_up = one(log, event(0, "ask"), event(4, "reject"), mapping=MAP + rule)
    repeated = one(log, event(0, "ask"), event(4, "reject"), event(9, "ask"), mapping=MAP + rule)
    snapshot = "snapshot = 2024-03-04T15:00:00Z\n"  # between the rejection and what came of it
    cut = one(
        log, event(0, "ask"), event(4, "reject"), event(9, "ask"), mapping=snapshot + MAP + rule
    )

    assert given_up.case.outcome is Outcome.DECLINED
    assert repeated.case.outcome is Outcome.OPEN
    assert cut.case.outcome is Outcome.OPEN


def test_what_happened_after_the_snapshot_is_not_known(log: Path) -> None:
    snapshot = "snapshot = 2024-03-04T15:00:00Z\n"
    case = one(log, event(0, "ask"), event(5, "triage"), event(9, "live"), mapping=snapshot + MAP)

    assert case.case.outcome is Outcome.OPEN
    assert case.case.observed_until == START + timedelta(hours=6)
    assert turns(case) == [(0, "triage", "enablement", "waiting")]
    assert "begins after the map's snapshot" in refused(
        log, event(7, "ask"), mapping=snapshot + MAP
    )


def test_a_stage_that_is_entered_again_is_rework_until_the_case_is_back(log: Path) -> None:
    case = one(
        log,
        event(0, "submit", group="builder"),
        event(2, "check"),
        event(5, "submit", group="builder"),
        event(6, "check"),
        event(7, "sign", group="risk"),
        event(9, "live"),
    )

    assert [(step.stage, step.rework) for step in case.steps] == [
        ("check", False),
        ("submit", True),
        ("check", False),
        ("sign", False),
        ("live", False),
    ]


def test_going_on_with_what_was_never_done_is_no_rework(log: Path) -> None:
    case = one(
        log,
        event(0, "risk", "schedule", "risk"),
        event(1, "build", "start", "builder"),
        event(2, "triage", "start"),
        event(3, "triage", "complete"),
        event(4, "build", "complete", "builder"),
        event(5, "risk", "start", "risk"),
        event(6, "risk", "complete", "risk"),
        event(7, "triage", "start"),
    )

    assert [(step.stage, step.rework) for step in case.steps] == [
        ("risk", False),
        ("build", False),
        ("triage", False),
        ("build", False),
        ("risk", False),
        ("risk", False),
        ("triage", False),
        ("triage", False),
    ]


def test_a_rule_or_a_column_can_say_what_is_rework(log: Path) -> None:
    rule = '[[activity.rules]]\nwhen = { "concept:name" = ["mend"] }\nrework = true\n'
    none = '[rework]\nrule = "none"\n'
    column = '[rework]\ncolumn = "again"\n'
    again = '<boolean key="again" value="true"/>'
    events = event(0, "check"), event(2, "mend", more=again), event(5, "check"), event(6, "live")

    by_rule = one(log, *events, mapping=none + MAP + rule)
    by_column = one(log, *events, mapping=column + MAP)

    assert [step.rework for step in by_rule.steps] == [True, False, False]
    assert [step.rework for step in by_column.steps] == [True, False, False]


def test_a_case_of_one_event_takes_no_time(log: Path) -> None:
    case = one(log, event(3, "live"))

    assert case.case.started_at == case.case.ended_at
    assert turns(case) == [(3, "live", "enablement", "waiting")]


def test_a_case_can_be_refused_for_how_it_begins(log: Path) -> None:
    rule = (
        '[[activity.rules]]\nwhen = { "concept:name" = ["triage"] }\n'
        'reject_if_first = "its beginning is not there"\n'
    )

    assert one(log, event(0, "ask"), event(4, "triage"), mapping=MAP + rule).steps
    assert refused(log, event(4, "ask"), event(3, "triage"), mapping=MAP + rule) == (
        "its beginning is not there"
    )
