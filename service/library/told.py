"""What those who use an asset are told of: a version that was withdrawn, a check that found that it
does not fit."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


class What(StrEnum):
    """What there is to tell."""

    WITHDRAWN = "withdrawn"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class Told:
    """What a use case is told of a version that it uses: since when, and why."""

    what: What
    asset: str
    """Its key."""
    title: str
    number: int
    at: datetime
    why: str


TOLD = text(
    """
    WITH adopted AS (
        SELECT DISTINCT ON (case_id, asset_id) * FROM library_adoption
        WHERE source = '' AND case_id = ANY(:ids)
        ORDER BY case_id, asset_id, adopted_at DESC, id DESC
    ), said AS (
        SELECT case_id, 'withdrawn' AS what, adopted.asset_id, adopted.number, decided_at AS at,
            reason AS why
        FROM adopted JOIN LATERAL (
            SELECT status, reason, decided_at FROM library_status AS decided
            WHERE decided.asset_id = adopted.asset_id AND decided.number = adopted.number
            ORDER BY decided.id DESC LIMIT 1) AS last ON last.status = 'withdrawn'
        UNION ALL
        SELECT case_id, 'unfit', every.asset_id, every.number, found_at, words
        FROM library_adoption AS every JOIN LATERAL (
            SELECT fits, words, found_at FROM library_finding AS finding
            WHERE finding.adoption_id = every.id ORDER BY finding.id DESC LIMIT 1
            ) AS last ON NOT last.fits
        WHERE source = '' AND case_id = ANY(:ids)
    )
    SELECT said.*, asset.key, version.title FROM said
    JOIN library_asset AS asset ON asset.id = said.asset_id
    JOIN library_version AS version
        ON version.asset_id = said.asset_id AND version.number = said.number
    ORDER BY case_id, at, asset.key, what
    """
)


async def told(session: AsyncSession, use_case_ids: Collection[str]) -> dict[str, list[Told]]:
    """What there is to tell of these use cases, by their ids, the oldest first. A withdrawn version
    is told to those who took it last; that it does not fit, for as long as nobody finds that it
    does."""
    found: defaultdict[str, list[Told]] = defaultdict(list)
    if use_case_ids:
        for row in await session.execute(TOLD, {"ids": list(use_case_ids)}):
            found[row.case_id].append(
                Told(
                    What(row.what), row.key, row.title, row.number, row.at.astimezone(UTC), row.why
                )
            )
    return dict(found)
