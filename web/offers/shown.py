"""What the page of a use case shows of offers, and what its reader may answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.people import Person
from service.intake.use_cases import UseCaseRow
from service.offers.offers import Answer, Made
from service.offers.store import may_answer, offers_of
from web.kit.not_written import NotWritten


@dataclass(frozen=True, slots=True)
class Shown:
    """What a use case is offered, each with whether this reader may answer it."""

    made: Sequence[tuple[Made, bool]]
    not_written: NotWritten | None = None

    @property
    def wrong(self) -> str:
        """Why the last answer was not taken."""
        return self.not_written.message if self.not_written else ""


async def shown(
    session: AsyncSession,
    row: UseCaseRow,
    reader: Person,
    at: datetime,
    *,
    not_written: NotWritten | None = None,
) -> Shown:
    """What the page shows of offers: those that nobody has answered first."""
    found = await offers_of(session, row, reader.actor, at=at)
    found.sort(key=lambda one: (one.answer is not None, one.answer is Answer.DECLINED))
    return Shown([(one, may_answer(reader.actor, row, one.offer)) for one in found], not_written)
