"""The hours of a use case as its page shows them, and those that its reader is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.people import Person
from service.effort.hours import TAPS, About, Hours, Work
from service.effort.store import MAY, work_on
from service.intake.use_cases import UseCaseRow


@dataclass(frozen=True, slots=True)
class Shown:
    """Hours added up, and the newest work of each kind of which nobody said them yet, where the
    reader may."""

    hours: Hours
    asked: Sequence[Work]
    taps: ClassVar[Mapping[str, float]] = TAPS


async def shown(session: AsyncSession, use_case: UseCaseRow, reader: Person, at: datetime) -> Shown:
    """What the page shows of a use case's hours."""
    hours, newest = Hours(), dict[About, Work]()
    for one in await work_on(session, [use_case.id], at):
        hours = hours.plus(one)
        newest[one.about] = one
    asked = [
        one
        for one in newest.values()
        if one.hours is None and MAY[one.about](reader.actor, use_case.owners)
    ]
    return Shown(hours, asked)
