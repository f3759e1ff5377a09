"""Event logs through the database: what goes out comes back, as the same cases on their clocks."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.events import export_log, import_log
from service.database import Sessions
from service.domain.case import Outcome
from service.domain.cohort import INTAKE, Cohort
from service.domain.commands import Command
from service.domain.people import Role
from service.domain.tiering import Tier
from service.facts.as_of import Moment
from service.facts.counts.rebuild import recount
from service.facts.every_case import next_cases
from service.history.events import OWN, EventFile, parse_event_map
from service.measure.clock import ClockBar
from service.reports.clock import clock_bars
from service.reports.question import Grouping
from tests.facts.test_counts import counts
from tests.kit.desk import DAY, HOUR, START, Desk

NOW = datetime(2026, 11, 1, tzinfo=UTC)


async def some_lives(desk: Desk) -> None:
    """A case that was asked about and went back, one that was withdrawn, one that still waits."""
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    for number, (by, command) in enumerate(
        [
            (ada, Command.CLAIM),
            (ada, Command.ASK),
            (owner, Command.ANSWER),
            (ada, Command.APPROVE),
            (ada, Command.HAND_OVER),
            (owner, Command.HAND_OVER),
            (ada, Command.SEND_BACK),
        ],
        start=1,
    ):
        await desk.does(case, by, command, at=START + number * 9 * HOUR)
    gone = (await desk.hand_in(owner, tier=Tier.LOW)).use_case_id
    await desk.does(gone, owner, Command.WITHDRAW, at=START + 5 * DAY)
    await desk.hand_in(owner, at=START + 2 * DAY, tier=Tier.HIGH)


async def bar(sessions: Sessions) -> ClockBar:
    async with sessions() as session:
        bars, _ = await clock_bars(session, Moment(START + 5 * DAY, asked=True), Cohort(INTAKE))
    return bars[0]


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz", "log.csv", "log.csv.gz"])
async def test_what_goes_out_comes_back(desk: Desk, tmp_path: Path, name: str) -> None:
    await some_lives(desk)
    log = tmp_path / name
    before = await bar(desk.sessions)

    assert await export_log(desk.sessions, log, None) == 3
    assert await export_log(desk.sessions, tmp_path / f"again.{name}", None) == 3
    assert log.read_bytes() == (tmp_path / f"again.{name}").read_bytes()
    async with desk.sessions() as session:
        gone_out = await next_cases(session, 0, most=9)
    with EventFile(log, OWN, latest=NOW) as file:
        assert await import_log(file, name, None, desk.sessions) == 0
    async with desk.sessions() as session:
        come_back = await next_cases(session, gone_out[-1].version, most=9)
    assert [item.steps for item in come_back] == [item.steps for item in gone_out]
    assert [item.case.case_id for item in come_back] == ["UC-1", "UC-2", "UC-3"]
    assert [(item.case.tier, item.case.outcome) for item in come_back] == [
        (item.case.tier, item.case.outcome) for item in gone_out
    ]
    both = await bar(desk.sessions)
    assert both.cases == 2 * before.cases
    assert both.mean_days == pytest.approx(before.mean_days)
    assert {(part.holder, part.mode): part.share for part in both.parts} == pytest.approx(
        {(part.holder, part.mode): part.share for part in before.parts}
    )
    kept_up = await counts(desk.sessions)
    assert await recount(desk.sessions) == 6
    assert await counts(desk.sessions) == kept_up


async def test_only_one_cohort_is_written(desk: Desk, tmp_path: Path) -> None:
    await some_lives(desk)

    assert await export_log(desk.sessions, tmp_path / "a.csv", "before") == 0
    assert await export_log(desk.sessions, tmp_path / "b.csv", INTAKE) == 3
    assert (tmp_path / "b.csv").read_text().count("UC-1,") > 3


MAP = """
snapshot = 2026-03-31
cohort = { constant = "intake" }
tier = { constant = "low" }
business_unit = { constant = "Claims" }
holder = { constant = "enablement" }

[case_id]
column = "ticket"

[timestamp]
column = "when"

[activity]
column = "state"

[[activity.rules]]
when = { "state" = ["Inbox", "Doing"] }

[[activity.rules]]
when = { "state" = ["Done"] }
outcome = "production"
"""


async def test_a_log_of_somebody_else_is_read_by_a_map(sessions: Sessions, tmp_path: Path) -> None:
    log = tmp_path / "board.csv.gz"
    log.write_bytes(
        gzip.compress(
            b"ticket,state,when\n"
            b"1,Inbox,2026-03-02T09:00:00Z\n"
            b"1,Doing,2026-03-04T09:00:00Z\n"
            b"1,Done,2026-03-10T09:00:00Z\n"
            b"2,Inbox,2026-03-05T09:00:00Z\n"
            b"3,Holiday,2026-03-05T09:00:00Z\n"
        )
    )
    rejects = tmp_path / "rejects.csv"
    with EventFile(log, parse_event_map(MAP, "board"), latest=NOW) as file:
        assert await import_log(file, "board", rejects, sessions) == 0
    async with sessions() as session:
        found = await next_cases(session, 0, most=9)

    assert [(item.case.case_id, item.case.outcome) for item in found] == [
        ("1", Outcome.PRODUCTION),
        ("2", Outcome.OPEN),
    ]
    [head, refused] = rejects.read_text().splitlines()
    assert head == "line,case_id,field,reason"
    assert refused.startswith("6,3,activity,")


async def test_the_clock_tells_the_tiers_of_a_log_apart(desk: Desk, tmp_path: Path) -> None:
    await some_lives(desk)
    log = tmp_path / "log.xes"
    await export_log(desk.sessions, log, None)
    async with desk.sessions() as session:
        moment = Moment(START + 4 * DAY, asked=True)
        bars, _ = await clock_bars(session, moment, Cohort(INTAKE), by=Grouping.TIER)

    assert [found.name for found in bars] == ["all", "high", "low", "medium"]
    assert sum(found.cases for found in bars[1:]) == bars[0].cases


async def test_a_log_of_another_system_without_a_map_is_refused_with_what_to_write(
    sessions: Sessions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path := tmp_path / "other.xes").write_text(
        '<log><trace><string key="concept:name" value="1"/><event>'
        '<string key="concept:name" value="submit"/><string key="org:group" value="enablement"/>'
        '<date key="time:timestamp" value="2024-01-01T09:00:00Z"/></event></trace></log>'
    )
    with EventFile(path, OWN, latest=NOW) as file:
        assert await import_log(file, "other", None, sessions) == 2

    said = capsys.readouterr().err
    assert "Headway has not written this log" in said
    written = said[said.index("  [cohort]") : said.index("and, where")].replace("the last ", "")
    mapping = parse_event_map(written.replace('activity"]', 'submit"]'), "as it was told")
    with EventFile(path, mapping, latest=NOW) as file:
        assert await import_log(file, "other", None, sessions) == 0
