"""History in the database: nothing doubled, nothing lost, open cases seen for what they are."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cli.importing import import_file
from service.database import Sessions
from service.domain.case import Case, Outcome
from service.domain.cohort import Cohort
from service.facts.as_of import Moment, cases_of
from service.facts.imported import Written, begin_import, observed, write_cases
from service.facts.record import rejected_by_cohort, signs_of_imports
from service.facts.tables import CaseVersionRow
from service.history.csv import CANONICAL, HistoryFile, compare_file
from service.history.importing import import_file as bring_file_in
from service.measure.cases import OPEN
from service.measure.record import Rejected
from service.reports.comparison import FileComparison
from service.reports.verdict import verdict

START = datetime(2024, 1, 1, tzinfo=UTC)


def case(number: int, days: float | None) -> Case:
    """A case that took so many days, or is open."""
    ended = None if days is None else START + timedelta(days=days)
    outcome = Outcome.OPEN if days is None else Outcome.PRODUCTION
    return Case(f"case {number}", "before", "low", "Sales", START, ended, outcome)


NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


async def bring_in(
    sessions: Sessions,
    source: str,
    cases: list[Case],
    *,
    at: datetime = NOW,
    until: datetime | None = None,
) -> Written:
    """Import cases as if they stood in a file."""
    async with sessions.begin() as session:
        run = await begin_import(session, source, at=at)
        written = await write_cases(session, run, cases)
        if until is not None:
            await observed(session, run, until)
    return written


async def days_of(sessions: Sessions, moment: Moment) -> list[float]:
    """For how many days the cases of the baseline are known to have taken, or waited."""
    async with sessions() as session:
        found = await cases_of(session, {"before": Cohort("before")}, moment)
    return sorted(found.duration_days.tolist())


async def test_the_same_file_twice_updates_and_does_not_double(sessions: Sessions) -> None:
    cases = [case(number, 10.0) for number in range(40_000)]  # more than one statement's parameters

    first = await bring_in(sessions, "file.csv", cases, until=NOW)
    corrected = [case(0, 12.5), *cases[1:]]
    again = await bring_in(sessions, "file.csv", corrected, at=LATER, until=LATER)
    other = await bring_in(sessions, "other.csv", cases[:1])

    assert first == Written(40_000, 0)
    assert again == Written(0, 40_000)
    assert other == Written(1, 0)
    async with sessions() as session:
        found = await cases_of(session, {"before": Cohort("before")}, Moment(LATER, asked=False))
    assert found.all.size == 40_001
    assert found.all.completed_mean == pytest.approx(10.0 + 2.5 / 40_001, abs=1e-9)


async def test_a_correction_does_not_change_what_was_known_before_it(sessions: Sessions) -> None:
    await bring_in(sessions, "file.csv", [case(1, 10), case(2, 20)], at=NOW, until=NOW)
    await bring_in(sessions, "file.csv", [case(1, 11), case(3, 30)], at=LATER, until=LATER)

    before = Moment(LATER - timedelta(seconds=1), asked=True)
    assert await days_of(sessions, before) == [10.0, 20.0]
    assert await days_of(sessions, Moment(LATER, asked=True)) == [11.0, 20.0, 30.0]
    assert await days_of(sessions, Moment(LATER, asked=False)) == [11.0, 20.0, 30.0]


async def test_an_open_case_is_known_to_be_open_only_as_long_as_somebody_looked(
    sessions: Sessions,
) -> None:
    seen = START + timedelta(days=90)
    await bring_in(sessions, "file.csv", [case(1, None), case(2, 90)], until=seen)

    async with sessions() as session:
        found = await cases_of(session, {"before": Cohort("before")}, Moment(NOW, asked=False))
    assert found.duration_days.tolist() == [90.0, 90.0]
    assert sorted(found.outcome.tolist()) == [0, OPEN]
    assert await days_of(sessions, Moment(START + timedelta(days=40), asked=True)) == [40.0, 40.0]


async def test_the_database_gives_the_verdict_that_the_file_gives(
    sessions: Sessions, tmp_path: Path
) -> None:
    path = tmp_path / "history.csv"
    path.write_text(history(random.Random(7)))  # noqa: S311 - for a file to read
    now = datetime(2026, 1, 1, tzinfo=UTC)
    alone = FileComparison.of_file(
        compare_file(path, latest=now, intake="after", baseline="before")
    ).as_json()
    with HistoryFile(path, CANONICAL, latest=now) as file:
        assert await import_file(file, "history.csv", None, sessions) == 0

    async with sessions() as session:
        moment = Moment(now, asked=False)
        found = await verdict(session, moment, intake="after", baseline="before")
    stored = found.as_json()

    for field in ("verdict", "ratio", "ci", "tau_days", "arms", "strata", "logrank_p", "guard"):
        assert stored[field] == alone[field], field
    assert stored["verdict"] == "compresses"


def history(dice: random.Random) -> str:
    """A file with a clear effect; some cases open, and one tier through before the file ends."""
    lines = ["case_id,cohort,tier,business_unit,started_at,ended_at,outcome"]
    for number in range(160):
        cohort, tier = ("after", "before")[number % 2], ("low", "high")[number // 2 % 2]
        start = START + timedelta(days=dice.randrange(200))
        days = dice.randint(5, 30) * (1 if cohort == "after" else 3)
        ended = start + timedelta(days=days)
        is_open = tier == "high" and ended > START + timedelta(days=210)
        end = ",open" if is_open else f"{ended.date()},production"
        lines.append(f"{number},{cohort},{tier},Sales,{start.date()},{end}")
    return "\n".join(lines)


HEADER = "case_id,cohort,tier,business_unit,started_at,ended_at,outcome"


async def brought(sessions: Sessions, path: Path, source: str, at: datetime = NOW) -> None:
    """Import a file, as of `at`."""
    with HistoryFile(path, CANONICAL, latest=at) as file:
        await bring_file_in(sessions, file, source, rejects=path.with_suffix(".bad"), at=at)


async def test_rows_that_could_not_be_used_are_kept_by_cohort(
    sessions: Sessions, tmp_path: Path
) -> None:
    path = tmp_path / "history.csv"
    good = [f"{n},before,low,Sales,2024-01-{n + 1:02},2024-02-01,production" for n in range(20)]
    bad = [f"x{n},before,low,Sales,soon,,open" for n in range(5)]
    other = ["y,after,low,Sales,2024-01-05,,open", "z,,low,Sales,2024-01-05,,open"]
    path.write_text("\n".join([HEADER, *good, *bad, *other]))
    await brought(sessions, path, "history.csv")
    path.write_text("\n".join([HEADER, *(line.replace("soon", "2024-01-07") for line in bad[1:])]))
    await brought(sessions, path, "history.csv", at=LATER)

    async with sessions() as session:
        then = await rejected_by_cohort(session, ["before", "after"], Moment(NOW, asked=True))
        now = await rejected_by_cohort(session, ["before"], Moment(LATER, asked=False))
        none = await rejected_by_cohort(session, ["intake"], Moment(LATER, asked=False))
    assert then == {"before": Rejected(25, 5), "after": Rejected(1, 0)}
    # The mended rows came in a file of their own, which is no smaller register.
    assert now == {"before": Rejected(24, 0)}
    assert none == {}


async def test_a_moment_that_stands_alone_is_remembered(sessions: Sessions, tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    rows = [f"{n},before,low,Sales,2024-01-01,2024-02-{n + 1:02},production" for n in range(28)]
    path.write_text(
        "\n".join([HEADER, *rows, "slip,before,low,Sales,2024-01-05,2025-01-06,declined"])
    )
    await brought(sessions, path, "history.csv")
    path.write_text("\n".join([HEADER, "slip,before,low,Sales,2024-01-05,2024-01-06,declined"]))
    await brought(sessions, path, "history.csv", at=LATER)

    async with sessions() as session:
        then = await signs_of_imports(session, ["before"], Moment(NOW, asked=True))
        now = await signs_of_imports(session, ["before"], Moment(LATER, asked=False))
        other = await signs_of_imports(session, ["intake"], Moment(NOW, asked=True))
    assert then == ("history.csv: the latest moment stands alone, 313 days after the next",)
    assert (now, other) == ((), ())


async def test_what_a_file_says_beside_comes_back_from_the_database(
    sessions: Sessions, tmp_path: Path
) -> None:
    path = tmp_path / "history.csv"
    rows = [
        "1,before,low,Sales,2024-01-01,2024-03-01,production,2024-02-01,,30",
        "2,before,low,,2024-01-01,,open,,2024-01-21,",
        "3,before,low,Sales,2024-01-01,,open,2024-03-01,,12.5",
    ]
    path.write_text("\n".join([f"{HEADER},known_from,observed_until,estimate_days", *rows]))
    for at in (NOW, LATER):  # the second time nothing has changed
        await brought(sessions, path, "history.csv", at=at)
    async with sessions() as session:
        found = await cases_of(session, {"before": Cohort("before")}, Moment(LATER, asked=False))
        versions = await session.scalar(select(func.count()).select_from(CaseVersionRow))
    assert versions == 3
    order = found.duration_days.argsort(kind="stable")
    assert found.duration_days[order].tolist() == [20.0, 60.0, 60.0]
    assert found.entry_days is not None
    assert found.estimate_days is not None
    assert sorted(found.entry_days.tolist()) == [-1.0, 31.0, 60.0]
    assert sorted(found.estimate_days[order][1:].tolist()) == [12.5, 30.0]
    assert found.units == ("Sales",)
