"""What the page of a use case shows of its reach, and what its reader may do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.people import BUILDER, ENABLEMENT, PARKED, Person
from service.intake.use_cases import UseCaseRow
from service.people.directory import third_parties
from service.reach.milestones import SAID, Obstacle
from service.reach.store import Kept, Reach, may_count, reach_of
from web.kit.not_written import NotWritten
from web.reach.forms import FIELDS, OPTIONAL, empty, filled


class Told(StrEnum):
    """What was just written."""

    COUNTED = "counted"
    CORRECTED = "corrected"
    SERIES = "series"
    OBSTACLE = "obstacle"


@dataclass(frozen=True, slots=True)
class Shown:
    """The reach of a use case for one reader."""

    reach: Reach
    may_count: bool
    holders: Sequence[str]
    today: date
    not_written: NotWritten | None = None

    fields: ClassVar = FIELDS
    optional: ClassVar = OPTIONAL
    said: ClassVar = SAID

    @property
    def choices(self) -> Mapping[str, Sequence[str]]:
        """What the forms let one choose from."""
        return {"obstacle": tuple(Obstacle), "holder": self.holders}

    @property
    def most(self) -> int:
        """The most users of any count, as far as a bar goes."""
        return max((one.users for one in self.reach.series), default=0)

    def typed(self, form: str, correcting: Kept | None = None) -> Mapping[str, str]:
        """What a form holds."""
        if self.not_written is not None and self.not_written.form == form:
            return self.not_written.typed
        return empty(form, self.today) if correcting is None else filled(correcting)

    def wrong(self, form: str) -> Mapping[str, str]:
        """What is wrong with the fields of a form."""
        return self.not_written.wrong if self.not_written and self.not_written.form == form else {}

    def message(self, form: str) -> str:
        """What is wrong with a form as a whole."""
        return (
            self.not_written.message if self.not_written and self.not_written.form == form else ""
        )

    def is_open(self, form: str) -> bool:
        """Whether a form is unfolded: it was sent and not taken."""
        return self.not_written is not None and self.not_written.form == form


async def shown(
    session: AsyncSession,
    use_case: UseCaseRow,
    reader: Person,
    at: datetime,
    *,
    not_written: NotWritten | None = None,
) -> Shown:
    """What the page shows of a use case's reach."""
    reach = await reach_of(session, use_case, at)
    may = reach.live is not None and may_count(reader.actor, use_case.owners)
    parties = await third_parties(session) if may else []
    return Shown(
        reach=reach,
        may_count=may,
        holders=(BUILDER, ENABLEMENT, *parties, PARKED),
        today=at.astimezone(UTC).date(),
        not_written=not_written,
    )
