"""The schema of this version, and the counts that go with it."""

from cli.running import configured, database_url
from migrations import upgrade
from service.database import open_sessions
from service.facts.counts.rebuild import catch_up
from service.facts.counts.rebuild import recount as count_anew


async def bring_up_to_date(url: str) -> None:
    """Upgrade the schema, and count what was there before there were counts."""
    await upgrade(url)
    async with open_sessions(url, pool=1) as sessions:
        await catch_up(sessions)


async def recount() -> int:
    """Make the counts anew; how many cases were counted."""
    async with open_sessions(database_url(configured()), pool=1) as sessions:
        return await count_anew(sessions)
