"""Open use cases on their ways: in which stage each was at a moment, and since when."""

from datetime import UTC, datetime

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from service.certification.lapses import OpenCase
from service.columns import TIME
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from service.intake.use_cases import key_of, rows_of, standing_of

MOST_WAYS = 5_000
"""Open use cases that are looked at: the newest."""

# A use case enters its stage with the first transition after the last one in another stage.
PLACES = text(
    """
    SELECT use_case.id, last.stage, last.tier, (
        SELECT min(at) FROM transition
        WHERE use_case_id = use_case.id AND at <= :at AND sequence > coalesce((
            SELECT max(sequence) FROM transition
            WHERE use_case_id = use_case.id AND at <= :at AND stage <> last.stage), 0)
    ) AS entered
    FROM use_case,
         LATERAL (SELECT stage, tier, position FROM transition
                  WHERE use_case_id = use_case.id AND at <= :at
                  ORDER BY sequence DESC LIMIT 1) AS last
    WHERE submitted_at <= :at AND (ended_at IS NULL OR ended_at > :at)
    ORDER BY use_case.number DESC LIMIT :most
    """
).bindparams(bindparam("at", type_=TIME))


async def under_way(session: AsyncSession, at: datetime) -> list[OpenCase]:
    """Every open use case as it stood at a moment, the newest first; at most `MOST_WAYS`. Its
    owners and the approvals that it has are those of today."""
    places = (await session.execute(PLACES, {"at": at, "most": MOST_WAYS})).all()
    rows = await rows_of(session, [place.id for place in places])
    found = []
    for place in places:
        row = rows[place.id]
        standing = standing_of(row)
        kept = standing.pathway.tier is Tier(place.tier)
        here = kept and not standing.ended and standing.stage.key == place.stage
        found.append(
            OpenCase(
                key_of(row),
                row.business_unit,
                standing.owners,
                standing.pathway if kept else pathways()[Tier(place.tier)],
                place.stage,
                place.entered.astimezone(UTC),
                len(standing.approvals) if here else 0,
            )
        )
    return found
