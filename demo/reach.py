"""How far the sample organisation's live use cases came since they went live, and what it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from demo.people import Cast
from service.domain.people import ENABLEMENT, Actor
from service.effort.hours import TAPS, About
from service.effort.store import say_hours
from service.intake.use_cases import UseCaseRow, in_production_since, rows_of
from service.reach.milestones import Count, Obstacle
from service.reach.store import enter, say_obstacle

SOURCE = "the sign-in log"
HOUR = timedelta(hours=1)
SILENT = 4
"""Every so manieth use case says no hours."""


@dataclass(frozen=True, slots=True)
class Course:
    """How it went: by shares of the time since going live, users and business units; what stands
    in the way at the end, on whose clock, in whose words."""

    counts: tuple[tuple[float, int, int], ...]
    obstacle: Obstacle = Obstacle.NOTHING
    holder: str = ENABLEMENT
    note: str = ""


COURSES = (
    Course(((0.4, 60, 1), (1.0, 85, 1)), Obstacle.ACCESS, note="Accounts for the branches."),
    Course(((0.2, 400, 2), (0.6, 1150, 4), (1.0, 1300, 5))),
    Course(
        ((0.3, 6, 1), (1.0, 0, 0)),
        Obstacle.INTEGRATION,
        "builder",
        "It is a page of its own, and nobody opens it.",
    ),
    Course(
        ((0.2, 35, 1), (0.5, 120, 1), (1.0, 260, 2)),
        Obstacle.ACCESS,
        note="Licences for the second unit.",
    ),
)
"""Of the use cases in production, the oldest first; those beyond them nobody has counted."""


async def add_reach(
    session: AsyncSession, cast: Cast, use_case_ids: Sequence[str], *, at: datetime
) -> None:
    """What was counted and said by `at`, each in its time."""
    rows = await rows_of(session, use_case_ids)
    owners = {one.id: one.actor for one in cast.everyone}
    for place, row in enumerate(sorted(rows.values(), key=lambda one: one.submitted_at)):
        if place % SILENT:
            tap = list(TAPS.values())[place % len(TAPS)]
            by, moment = owners[row.owner_id], min(row.submitted_at + HOUR, at)
            await say_hours(session, row, by, about=About.CASE, hours=tap, at=moment, number=1)
    live = [row for row in rows.values() if in_production_since(row, at) is not None]
    live.sort(key=lambda one: one.ended_at or at)
    for row, course in zip(live, COURSES, strict=False):
        await _follow(session, row, owners[row.owner_id], course, at=at)


async def _follow(
    session: AsyncSession, row: UseCaseRow, by: Actor, course: Course, *, at: datetime
) -> None:
    begins, when = row.ended_at or at, at
    by_day = {}
    for share, users, units in course.counts:
        when = begins + share * (at - begins)
        by_day[when.date()] = when, users, units  # one count a day
    for day, (when, users, units) in by_day.items():
        count = Count(day, users, units, 1, SOURCE)
        await enter(session, row, by, [count], at=when)
        await say_hours(session, row, by, about=About.REACH, hours=TAPS["under_1"], at=when)
    await say_obstacle(
        session,
        row,
        by,
        since=when.date(),
        kind=course.obstacle,
        holder=course.holder,
        note=course.note,
        at=when,
    )
