"""Imported history in the database: written in batches, safe to repeat."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import DateTime, Text, bindparam, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Case
from service.tables import ImportedCaseRow

TIMES = ARRAY(DateTime(timezone=True))

# Arrays, not a row of parameters for each case: PostgreSQL takes 32,767 parameters at most.
UPSERT = text(
    """
    INSERT INTO imported_case AS known
        (source, case_id, cohort, tier, business_unit, started_at, ended_at, outcome,
         observed_until)
    SELECT :source, * FROM unnest(
        CAST(:case_id AS text[]), CAST(:cohort AS text[]), CAST(:tier AS text[]),
        CAST(:business_unit AS text[]), CAST(:started_at AS timestamptz[]),
        CAST(:ended_at AS timestamptz[]), CAST(:outcome AS text[]),
        CAST(:observed_until AS timestamptz[]))
    ON CONFLICT (source, case_id) DO UPDATE SET
        cohort = excluded.cohort, tier = excluded.tier,
        business_unit = excluded.business_unit, started_at = excluded.started_at,
        ended_at = excluded.ended_at, outcome = excluded.outcome,
        observed_until = excluded.observed_until
    RETURNING xmax = 0 AS is_new
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in ("case_id", "cohort", "tier", "outcome")),
    bindparam("business_unit", type_=ARRAY(Text)),
    *(bindparam(name, type_=TIMES) for name in ("started_at", "ended_at", "observed_until")),
)


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch did to the database."""

    new: int
    updated: int


async def write_cases(session: AsyncSession, source: str, cases: list[Case]) -> Written:
    """Write cases of one source; the same source and case id is updated, not doubled.

    A case without a known moment of observation counts as seen at its end, or at its start only,
    until `observed` says more.
    """
    if not cases:
        return Written(0, 0)
    found = await session.execute(
        UPSERT,
        {
            "source": source,
            "case_id": [case.case_id for case in cases],
            "cohort": [case.cohort for case in cases],
            "tier": [case.tier for case in cases],
            "business_unit": [case.business_unit for case in cases],
            "started_at": [case.started_at for case in cases],
            "ended_at": [case.ended_at for case in cases],
            "outcome": [case.outcome.value for case in cases],
            "observed_until": [
                case.observed_until or case.ended_at or case.started_at for case in cases
            ],
        },
    )
    new = sum(row.is_new for row in found)
    return Written(new, len(cases) - new)


async def observed(session: AsyncSession, source: str, until: datetime) -> None:
    """All cases of a source have been watched until then: the open ones were open, and of those
    that had ended it is known for how long one could have waited for them."""
    await session.execute(
        update(ImportedCaseRow)
        .where(
            col(ImportedCaseRow.source) == source,
            col(ImportedCaseRow.started_at) <= until,
            col(ImportedCaseRow.observed_until) < until,
        )
        .values(observed_until=until)
    )
