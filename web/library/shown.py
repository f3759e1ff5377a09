"""What the page of a use case shows of the library, and what its reader may take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Outcome
from service.domain.people import Person
from service.domain.permissions import Right, may
from service.intake.use_cases import UseCaseRow
from service.library.adoptions import Exempted, Used, exemptions_of, may_adopt, used_by
from service.library.assets import Kind, Status, adopted_in
from service.library.checks import Check, checks_of
from service.library.store import MOST_LISTED, Listed, Wanted, list_assets
from service.library.told import Told, told
from web.kit.not_written import NotWritten


class Taken(StrEnum):
    """What was just done."""

    TAKEN = "taken"
    OPENED = "opened"
    """Taken, and a gate passed by it."""
    EXEMPTED = "exempted"


class Checked(StrEnum):
    """How the check of an adoption stands."""

    DUE = "due"
    FITS = "fits"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a use case has of the library, for one reader."""

    used: Sequence[Used]
    exempted: Sequence[Exempted]
    offered: Sequence[Listed]
    """What it could take; empty for whoever may not take for it."""
    standards: Sequence[Listed]
    """What it could be exempted from; empty for whoever may not exempt it."""
    may_take: bool
    may_exempt: bool
    today: date
    not_written: NotWritten | None = None
    told: Sequence[Told] = ()
    """Of withdrawn versions, and of what does not fit."""
    checks: Sequence[Check] = ()

    def check_of(self, used: Used) -> Checked | None:
        """How the check of the version that it uses stands; None where it was not drawn."""
        for one in self.checks:
            if (one.asset.id, one.version.number) == (used.asset.id, used.now.number):
                if one.finding is None:
                    return Checked.DUE
                return Checked.UNFIT if one.unfit else Checked.FITS
        return None

    def is_unfit(self, reference: str) -> bool:
        """Whether a check found that what evidence refers to does not fit."""
        about = adopted_in(reference)
        return any(
            one.unfit and (one.asset.key, one.version.number) == about for one in self.checks
        )

    def is_open(self, form: str) -> bool:
        """Whether a form is unfolded: it was sent and not taken."""
        return self.not_written is not None and self.not_written.form == form

    def typed(self, form: str, name: str) -> str:
        """What was typed into a field of a form that was not taken."""
        if self.not_written is None or self.not_written.form != form:
            return ""
        return self.not_written.typed.get(name, "")

    def wrong(self, form: str, name: str) -> str:
        """What is wrong with a field, or with the form as a whole for no name."""
        if self.not_written is None or self.not_written.form != form:
            return ""
        return self.not_written.wrong.get(name, "") if name else self.not_written.message


async def library_of(
    session: AsyncSession,
    row: UseCaseRow,
    reader: Person,
    at: datetime,
    *,
    not_written: NotWritten | None = None,
) -> Shown:
    """What the page shows of the library."""
    goes_on = row.outcome in {Outcome.OPEN, Outcome.PRODUCTION}
    may_take = goes_on and may_adopt(reader.actor, row)
    own = reader.id in row.owners
    may_exempt = goes_on and not own and may(reader.actor, Right.EXEMPT_FROM_STANDARDS)
    used = await used_by(session, row.id)
    published: Sequence[Listed] = ()
    if may_take or may_exempt:
        wanted = Wanted(tier=row.tier, status=Status.PUBLISHED)
        published = (await list_assets(session, wanted, limit=MOST_LISTED)).items
    taken = {one.asset.key for one in used}
    return Shown(
        used=used,
        exempted=await exemptions_of(session, row.id),
        offered=[one for one in published if may_take and one.key not in taken],
        standards=[one for one in published if may_exempt and one.kind is Kind.STANDARD],
        may_take=may_take,
        may_exempt=may_exempt,
        today=at.astimezone(UTC).date(),
        not_written=not_written,
        told=(await told(session, [row.id])).get(row.id, ()),
        checks=await checks_of(session, row.id),
    )
