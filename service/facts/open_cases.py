"""The open cases of a cohort: all of them, the oldest, and where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Row, Text, bindparam, cast, func, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.columns import TIME
from service.domain.cohort import Cohort
from service.domain.tally import LIVE
from service.facts.as_of import Moment, conditions
from service.facts.tables import CaseVersionRow
from service.measure.flow import Events, day_of

MOST_LISTED = 50
DAY = timedelta(days=1)

LIVE_PLACES = text(
    """
    SELECT use_case.id, 'UC-' || use_case.number, last.stage, last.holder
    FROM use_case,
         LATERAL (SELECT stage, holder FROM transition
                  WHERE use_case_id = use_case.id AND at <= :at
                  ORDER BY sequence DESC LIMIT 1) AS last
    WHERE use_case.id = ANY(:cases)
    """
).bindparams(bindparam("cases", type_=ARRAY(Text)), bindparam("at", type_=TIME))
IMPORTED_PLACES = text(
    """
    SELECT picked.id, coalesce(unnamed.stage, last.stage), coalesce(unnamed.holder, last.holder)
    FROM unnest(:versions) AS picked(id)
    JOIN LATERAL (
        SELECT stage, holder FROM imported_step
        WHERE version_id = picked.id AND at <= :at
        ORDER BY sequence DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN unnamed_step AS unnamed
        ON unnamed.version_id = picked.id AND unnamed.at <= :at AND unnamed.until > :at
    """
).bindparams(bindparam("versions", type_=ARRAY(BigInteger)), bindparam("at", type_=TIME))


@dataclass(frozen=True, slots=True)
class OldCase:
    """An open case: its key (UC-42, or the id in the history it comes from), where it is and for
    how many days it has been open. `stage` and `holder` are None where no steps are known."""

    key: str
    tier: str
    stage: str | None
    holder: str | None
    age_days: float


async def open_cases(
    session: AsyncSession, cohort: Cohort, moment: Moment
) -> Sequence[Row[int | None, str, str, datetime]]:
    """Every open case of a cohort as known at the moment: version, source, case id, start."""
    row = CaseVersionRow
    found = await session.execute(
        select(col(row.id), col(row.source), col(row.case_id), col(row.started_at)).where(
            *conditions(cohort, moment),
            or_(col(row.ended_at).is_(None), col(row.ended_at) > moment.at),
        )
    )
    return found.all()


async def oldest_open(
    session: AsyncSession,
    cohort: Cohort,
    moment: Moment,
    until: datetime,
    open_by_tier: Mapping[str, Events],
) -> tuple[OldCase, ...]:
    """Up to `MOST_LISTED` open cases, the oldest first; their ages as of `until`.

    `open_by_tier` are the starts of all open cases: they say on which days to look.
    """
    row = CaseVersionRow
    days = _days_of_the_oldest(open_by_tier)
    if not days:
        return ()
    tiers, begins, ends = zip(*days, strict=True)
    day = (
        func.unnest(cast(tiers, ARRAY(Text)), cast(begins, ARRAY(TIME)), cast(ends, ARRAY(TIME)))
        .table_valued("tier", "begins", "ends")
        .render_derived(name="day")
    )
    started = col(row.started_at)
    # Day by day along the index: joined at once, the planner reads the whole table.
    on_day = (
        select(col(row.id), col(row.source), col(row.case_id), col(row.tier), started)
        .where(
            *conditions(cohort, moment),
            or_(col(row.ended_at).is_(None), col(row.ended_at) > moment.at),
            col(row.tier) == day.c.tier,
            started >= day.c.begins,
            started < day.c.ends,
        )
        .order_by(started, col(row.id))
        .limit(MOST_LISTED)
        .lateral()
    )
    statement = (
        select(on_day)
        .select_from(day.join(on_day, true()))
        .order_by(on_day.c.started_at, on_day.c.id)
        .limit(MOST_LISTED)
    )
    rows = (await session.execute(statement)).all()
    places = await places_of(session, rows, moment)
    found: list[OldCase] = []
    for version, _, case_id, tier, started_at in rows:
        key, stage, holder = places.get(version or 0, (case_id, None, None))
        found.append(OldCase(key, tier, stage, holder, (until - started_at) / DAY))
    return tuple(found)


def _days_of_the_oldest(
    open_by_tier: Mapping[str, Events],
) -> list[tuple[str, datetime, datetime]]:
    """The days of tiers on which the oldest open cases started: tier, begin and end."""
    everyone = Events.joined(open_by_tier.values())
    if not everyone.total:
        return []
    enough = int(np.searchsorted(np.cumsum(everyone.n), MOST_LISTED))
    last = int(everyone.days[min(enough, everyone.days.size - 1)])
    return [
        (tier, day_of(day), day_of(day + 1))
        for tier, events in open_by_tier.items()
        for day in events.until(last).days.tolist()
    ]


async def places_of(
    session: AsyncSession, rows: Sequence[Any], moment: Moment
) -> dict[int, tuple[str, str | None, str | None]]:
    """Key, stage and holder by the version's id, of rows that begin with version, source and case
    id; nothing of a version without steps."""
    versions = {case_id: version for version, source, case_id, *_ in rows if source == LIVE}
    found: dict[int, tuple[str, str | None, str | None]] = {}
    live = await session.execute(LIVE_PLACES, {"cases": list(versions), "at": moment.at})
    for case_id, key, stage, holder in live:
        found[versions[case_id]] = (key, stage, holder)
    names = {version: case_id for version, source, case_id, *_ in rows if source != LIVE}
    if names:
        given = {"versions": list(names), "at": moment.at}
        for version, stage, holder in await session.execute(IMPORTED_PLACES, given):
            found[version] = (names[version], stage, holder)
    return found


async def stages_of(
    session: AsyncSession, use_case_ids: Sequence[str], moment: Moment
) -> dict[str, str]:
    """The stages in which these use cases were at the moment, by id."""
    given = {"cases": list(use_case_ids), "at": moment.at}
    return {one: stage for one, _, stage, _ in await session.execute(LIVE_PLACES, given)}
