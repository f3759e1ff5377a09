"""Published patterns that fit what is being written."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.intake.similar import FEWEST_WORDS, MOST, NEAREST, by_spelling, stems_of
from service.library.assets import Asset
from service.library.store import CURRENT, assets_where

FITTING = text(
    f"""
    SELECT id FROM (
        SELECT asset_id AS id, key, (
            SELECT count(*) FROM unnest(tsvector_to_array(searched)) AS own
            WHERE own = ANY(CAST(:stems AS text[]))) AS shared
        FROM ({CURRENT}) AS current WHERE status = 'published' AND kind = 'pattern'
    ) AS counted
    WHERE shared >= :fewest ORDER BY shared DESC, key LIMIT :most
    """  # noqa: S608 - the names above, and nothing from outside
)
SPELT = text(
    f"""
    SELECT asset_id FROM ({CURRENT}) AS current
    WHERE status = 'published' AND kind = 'pattern' AND similarity(title, :title) >= :nearest
    ORDER BY similarity(title, :title) DESC, key LIMIT :most
    """  # noqa: S608 - the names above, and nothing from outside
)


async def fitting_patterns(session: AsyncSession, title: str, problem: str) -> list[Asset]:
    """The published patterns that share the most words with a title and a problem, then those whose
    titles are the same but for their spelling; the nearest first."""
    stems = await stems_of(session, title, problem)
    given = {"stems": stems, "fewest": FEWEST_WORDS, "most": MOST}
    ids = list(await session.scalars(FITTING, given))
    if len(ids) < MOST and await by_spelling(session, title):
        spelt = {"title": title, "nearest": NEAREST, "most": MOST}
        ids = list(dict.fromkeys([*ids, *await session.scalars(SPELT, spelt)]))[:MOST]
    found = {asset.id: asset for asset in await assets_where(session, ids=ids)} if ids else {}
    return [found[one] for one in ids]
