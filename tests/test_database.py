"""How statements are run on the connections of a pool."""

from sqlalchemy import bindparam, select, text
from sqlmodel import col

from service.database import open_sessions, reading
from service.facts.tables import CaseVersionRow

PLANS = """
    SELECT generic_plans, custom_plans FROM pg_prepared_statements
    WHERE statement LIKE 'SELECT case_version%'
"""


async def test_however_often_it_runs_a_statement_is_planned_for_what_it_is_asked(
    database_url: str,
) -> None:
    statement = select(col(CaseVersionRow.id)).where(col(CaseVersionRow.cohort) == bindparam("one"))
    async with open_sessions(database_url, pool=1) as sessions, reading(sessions) as session:
        for _ in range(10):
            await session.execute(statement, {"one": "intake"})
        [plans] = await session.execute(text(PLANS))
    assert tuple(plans) == (0, 10)
