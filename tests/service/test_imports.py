"""History in the database: nothing doubled, nothing lost, open cases seen for what they are."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.imports import import_file
from service.domain.case import Case, Outcome
from service.history import CANONICAL, HistoryFile, compare_file
from service.imports import Written, observed, write_cases
from service.reports import imported_cases, verdict
from service.sessions import Sessions

START = datetime(2024, 1, 1, tzinfo=UTC)


def case(number: int, days: float | None) -> Case:
    """A case that took so many days, or is open."""
    ended = None if days is None else START + timedelta(days=days)
    outcome = Outcome.OPEN if days is None else Outcome.PRODUCTION
    return Case(f"case {number}", "before", "low", "Sales", START, ended, outcome)


async def test_the_same_file_twice_updates_and_does_not_double(sessions: Sessions) -> None:
    cases = [case(number, 10.0) for number in range(40_000)]  # more than one statement's parameters
    async with sessions.begin() as session:
        first = await write_cases(session, "file.csv", cases)
    cases[0] = case(0, 12.5)
    async with sessions.begin() as session:
        again = await write_cases(session, "file.csv", cases)
        other = await write_cases(session, "other.csv", cases[:1])

    assert first == Written(40_000, 0)
    assert again == Written(0, 40_000)
    assert other == Written(1, 0)
    async with sessions() as session:
        found = {known.case_id: known for known in await imported_cases(session)}
    assert len(found) == 40_001
    assert found["file.csv/case 0"].ended_at == START + timedelta(days=12.5)


async def test_an_open_case_is_known_to_be_open_only_as_long_as_somebody_looked(
    sessions: Sessions,
) -> None:
    seen = START + timedelta(days=90)
    async with sessions.begin() as session:
        await write_cases(session, "file.csv", [case(1, None), case(2, 90)])
        await observed(session, "file.csv", seen)
    async with sessions() as session:
        found = {known.case_id: known for known in await imported_cases(session)}

    assert found["file.csv/case 1"].observed_until == seen


async def test_the_database_gives_the_verdict_that_the_file_gives(
    sessions: Sessions, tmp_path: Path
) -> None:
    path = tmp_path / "history.csv"
    path.write_text(history(random.Random(7)))  # noqa: S311 - for a file to read
    now = datetime(2026, 1, 1, tzinfo=UTC)
    alone = compare_file(path, latest=now, intake="after", baseline="before").as_json()
    with HistoryFile(path, CANONICAL, latest=now) as file:
        assert await import_file(file, "history.csv", None, sessions) == 0

    async with sessions() as session:
        stored = await verdict(session, as_of=now, intake="after", baseline="before")

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
