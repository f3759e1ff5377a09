"""Logs of other kinds: of statuses that were entered, of work in one row, the newest line first."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import TracedCase
from service.history.csv import MapError
from tests.history.events.logs import read

BOARD = """
case_id = { column = "key" }
timestamp = { column = "at" }
cohort = { constant = "board" }
tier = { constant = "all" }
[holder]
column = "to"
values = { "Waiting for approval" = "enablement" }
otherwise = "builder"
"""
DONE = """
[[activity.rules]]
when = { to = ["Done"] }
outcome = "production"
"""
ENTERED = """
[activity]
column = "to"
unlisted = "keep"
status = "entered"
[[activity.rules]]
when = { to = ["In Progress"] }
mode = "working"
"""
CHANGES = """key,to,at
F-1,To Do,2024-01-01T09:00:00Z
F-1,In Progress,2024-01-02T09:00:00Z
F-1,Waiting for approval,2024-01-05T09:00:00Z
F-1,Done,2024-02-04T09:00:00Z
"""


def only(path: Path, text: str, mapping: str) -> TracedCase:
    """The one case of a log."""
    path.write_text(text)
    [traced], rejects = read(path, mapping)
    assert rejects == []
    return traced


def days(traced: TracedCase) -> list[tuple[str, str, str, float]]:
    """Stage, holder, mode and days of each step."""
    ends = [*(step.at for step in traced.steps[1:]), traced.case.ended_at]
    return [
        (step.stage, step.holder, step.mode.value, (end - step.at) / timedelta(days=1))
        for step, end in zip(traced.steps, ends, strict=True)
        if end is not None
    ]


@pytest.mark.parametrize(
    "lifecycle",
    [
        "",
        '[lifecycle]\ncolumn = "to"\nvalues = { "Done" = "complete" }\notherwise = "schedule"\n',
        '[lifecycle]\ncolumn = "to"\nvalues = { "In Progress" = "start", "Done" = "complete" }\n'
        'otherwise = "schedule"\n',
    ],
)
def test_a_status_that_is_entered_lasts_until_the_next_one(tmp_path: Path, lifecycle: str) -> None:
    traced = only(tmp_path / "log.csv", CHANGES, BOARD + lifecycle + ENTERED + DONE)

    assert days(traced) == [
        ("To Do", "builder", "waiting", 1.0),
        ("In Progress", "builder", "working", 3.0),
        ("Waiting for approval", "enablement", "waiting", 30.0),
    ]
    assert traced.case.outcome is Outcome.PRODUCTION
    assert traced.unnamed == ()


def test_a_status_that_was_left_and_is_entered_again_is_rework(tmp_path: Path) -> None:
    text = CHANGES.replace("F-1,Done", "F-1,In Progress,2024-01-20T09:00:00Z\nF-1,Done")
    traced = only(tmp_path / "log.csv", text, BOARD + ENTERED + DONE)
    assert [step.rework for step in traced.steps] == [False, False, False, True]


def test_of_one_minute_the_upper_line_is_the_later_one_where_the_newest_comes_first(
    tmp_path: Path,
) -> None:
    text = """key,to,at
T-1,Done,2024-01-21 09:00
T-1,Waiting for approval,2024-01-21 09:00
T-1,In Progress,2024-01-11 09:00
T-1,To Do,2024-01-01 09:00
"""
    end = DONE.replace("outcome", "outcome_if_last")
    schedules = '[lifecycle]\ncolumn = "to"\nvalues = { "Done" = "complete" }\n'
    board = BOARD + schedules + 'otherwise = "schedule"\n[activity]\ncolumn = "to"\n'
    mapping = f'{board}unlisted = "keep"\n{end}'
    for lines in (text, text.replace("T-1", "T-2").replace(":00", ":30")):
        traced = only(tmp_path / "log.csv", lines, mapping)
        assert traced.case.outcome is Outcome.PRODUCTION
    head, *rows = text.splitlines()
    upwards = only(tmp_path / "log.csv", "\n".join([head, *rows[::-1]]), mapping)
    downwards = only(tmp_path / "log.csv", text, mapping)
    assert upwards == downwards


INTERVALS = """activity;case;start;end;org:role
hand in;21;04.03.2024 06:00;04.03.2024 12:00;Employee
decide;21;05.03.2024 12:00;06.03.2024 12:00;Manager
correct;21;10.03.2024 12:00;12.03.2024 12:00;Employee
decide;21;13.03.2024 12:00;13.03.2024 18:00;Manager
pay;21;20.03.2024 12:00;24.03.2024 12:00;Accounting
"""
IN_ONE_ROW = """
delimiter = ";"
dates = { formats = ["%d.%m.%Y %H:%M"] }
case_id = { column = "case" }
started = { column = "start" }
timestamp = { column = "end" }
cohort = { constant = "interval" }
tier = { constant = "all" }
[holder]
column = "org:role"
values = { "Employee" = "builder", "Manager" = "manager", "Accounting" = "enablement" }
[activity]
column = "activity"
unlisted = "keep"
[[activity.rules]]
when = { activity = ["pay"] }
outcome = "production"
"""


def test_start_and_end_in_one_row_are_work(tmp_path: Path) -> None:
    traced = only(tmp_path / "log.csv", INTERVALS, IN_ONE_ROW)
    assert traced.case.started_at == datetime(2024, 3, 4, 6, tzinfo=UTC)
    found = days(traced)
    assert sum(length for *_, length in found) == 20.25
    worked = [(stage, length) for stage, _, mode, length in found if mode == Mode.WORKING]
    assert worked == [
        ("hand in", 0.25),
        ("decide", 1.0),
        ("correct", 2.0),
        ("decide", 0.25),
        ("pay", 4.0),
    ]


def test_a_row_without_a_start_is_a_completion_and_one_that_starts_after_its_end_is_none(
    tmp_path: Path,
) -> None:
    without = INTERVALS.replace("13.03.2024 12:00;13.03", ";13.03")
    found = days(only(tmp_path / "a.csv", without, IN_ONE_ROW))
    assert sum(length for _, _, mode, length in found if mode == Mode.WORKING) == 7.25
    (path := tmp_path / "b.csv").write_text(
        INTERVALS.replace("13.03.2024 12:00", "14.03.2024 12:00")
    )
    accepted, [reject] = read(path, IN_ONE_ROW)
    assert (accepted, reject.field) == ([], "started")
    assert "line 5 begins 2024-03-14T12:00:00+00:00, after its end" in reject.reason


def test_a_log_of_statuses_has_no_starts(tmp_path: Path) -> None:
    (path := tmp_path / "log.csv").write_text(CHANGES)
    with pytest.raises(MapError, match="started: an event that enters a status completes no work"):
        read(path, 'started = { column = "at" }' + BOARD + ENTERED)
    with pytest.raises(MapError, match=r"activity\.status: 'begun' is none of ended, entered"):
        read(path, BOARD + ENTERED.replace("entered", "begun"))
