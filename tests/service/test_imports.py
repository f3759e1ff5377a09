"""History in the database: nothing doubled, nothing lost, open cases seen for what they are."""

from datetime import UTC, datetime, timedelta

from service.domain.case import Case, Outcome
from service.imports import Written, observed, write_cases
from service.reports import imported_cases
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
