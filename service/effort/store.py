"""Hours as they are recorded, and added up."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from math import isfinite

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.columns import among
from service.domain.people import Actor
from service.effort.hours import MOST_HOURS, About, Hours, Work
from service.effort.tables import EffortRow
from service.errors import BadInput, Conflict, NotAllowed
from service.intake.use_cases import UseCaseRow
from service.reach.store import counts_entered, may_count
from service.value.grades import may_change_case, may_measure
from service.value.hours import Written, measurements_written, versions_written

MOST_SAID = 1_000
"""Of one use case."""
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
MAY = {
    About.CASE: may_change_case,
    About.MEASUREMENT: may_measure,
    About.REACH: may_count,
}
"""Who may say the hours of a piece of work: whoever may do it."""


async def say_hours(
    session: AsyncSession,
    use_case: UseCaseRow,
    by: Actor,
    *,
    about: About,
    hours: float,
    at: datetime,
    number: int | None = None,
) -> Work:
    """Say what a piece of work took; without a number the newest of its kind. What was said before
    stays on record and counts no more.

    `NotAllowed` for whoever may not do such work; `BadInput` for what there is not.
    """
    if not MAY[about](by, use_case.owners):
        raise NotAllowed("only those who do this work say how long it took")
    if not (isfinite(hours) and 0 <= hours <= MOST_HOURS):
        raise BadInput("hours", f"a number of hours from 0 to {MOST_HOURS:,.0f}")
    await session.execute(ONE_AT_A_TIME, {"key": f"effort {use_case.id}"})
    pieces = [one for one in await work_on(session, [use_case.id], at) if one.about is about]
    wanted = [one for one in pieces if number in {None, one.number}]
    if not wanted:
        named = f"there is no {about.value}" + ("" if number is None else f" {number}")
        raise BadInput("number", named + " to say hours of")
    said = await session.scalar(
        select(func.count()).where(col(EffortRow.use_case_id) == use_case.id)
    )
    if (said or 0) >= MOST_SAID:
        raise Conflict(f"hours are said {MOST_SAID:,} times at most of one use case")
    session.add(
        EffortRow(
            use_case_id=use_case.id,
            number=(said or 0) + 1,
            about=about,
            about_number=wanted[-1].number,
            hours=hours,
            person_id=by.person_id,
            recorded_at=at,
        )
    )
    await session.flush()
    return Work(use_case.id, about, wanted[-1].number, wanted[-1].at, hours)


async def work_on(session: AsyncSession, use_case_ids: Collection[str], at: datetime) -> list[Work]:
    """All pieces of work on these use cases as known at a moment, with the hours that were said of
    them by then."""
    said = await _said(session, use_case_ids, at)
    counted = [
        Written(use_case_id, number, when, None, replaces)
        for use_case_id, number, when, replaces in await counts_entered(session, use_case_ids, at)
    ]
    return [
        *_work(About.CASE, await versions_written(session, use_case_ids, at), said),
        *_work(About.MEASUREMENT, await measurements_written(session, use_case_ids, at), said),
        *_work(About.REACH, counted, said),
    ]


async def hours_of(
    session: AsyncSession, use_case_ids: Collection[str], at: datetime
) -> dict[str, Hours]:
    """The hours spent on each use case as known at a moment."""
    found: defaultdict[str, Hours] = defaultdict(Hours)
    for one in await work_on(session, use_case_ids, at):
        found[one.use_case_id] = found[one.use_case_id].plus(one)
    return dict(found)


async def total_hours(session: AsyncSession, use_case_ids: Collection[str], at: datetime) -> Hours:
    """The hours spent on all of these use cases together, as known at a moment."""
    total = Hours()
    for one in await work_on(session, use_case_ids, at):
        total = total.plus(one)
    return total


Said = dict[tuple[str, About, int], float]


async def _said(session: AsyncSession, use_case_ids: Collection[str], at: datetime) -> Said:
    """What was said last of each piece of work."""
    row = EffortRow
    found = await session.execute(
        select(col(row.use_case_id), col(row.about), col(row.about_number), col(row.hours))
        .where(
            among(col(row.use_case_id), use_case_ids),
            col(row.recorded_at) <= at,
        )
        .order_by(col(row.use_case_id), col(row.number))
    )
    return {(key, about, number): hours for key, about, number, hours in found}


def _work(about: About, written: Sequence[Written], said: Said) -> list[Work]:
    """A correction is no work of its own: it may say the hours of what it corrects anew."""
    first: dict[tuple[str, int], tuple[str, int]] = {}
    found: dict[tuple[str, int], Work] = {}
    for one in written:
        own = (one.use_case_id, one.number)
        root = own if one.replaces is None else first[one.use_case_id, one.replaces]
        first[own] = root
        begun = found.get(root, Work(one.use_case_id, about, one.number, one.at.astimezone(UTC)))
        later = said.get((one.use_case_id, about, one.number), one.hours)
        hours = begun.hours if later is None else later
        found[root] = Work(begun.use_case_id, about, begun.number, begun.at, hours)
    return list(found.values())
