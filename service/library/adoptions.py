"""Who uses what: use cases take versions, and are exempted from standards. Nothing is replaced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import LargeBinary, and_, func, literal, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Outcome
from service.domain.cohort import Cohort
from service.domain.people import Actor, Role
from service.domain.permissions import Right, may
from service.domain.tally import LIVE
from service.errors import BadInput, Conflict, NotAllowed
from service.facts.as_of import Moment, microseconds, numbers_of
from service.intake.use_cases import UseCaseRow, key_of, rows_of, visible_of
from service.library.assets import Adoption, Asset, Exemption, Kind, Status, Version
from service.library.store import assets_where, find_asset, found_version
from service.library.tables import AdoptionRow, AssetRow, ExemptionRow
from service.measure.cases import Codes
from service.measure.survival import Floats
from service.people.directory import names_of

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
LONGEST_EXEMPTION = timedelta(days=730)
MOST_USERS = 200
"""Use cases that the page of an asset lists."""


@dataclass(frozen=True, slots=True)
class Used:
    """An asset that a use case has taken: every adoption of it, oldest first."""

    asset: Asset
    adoptions: tuple[Adoption, ...]

    @property
    def now(self) -> Adoption:
        """The version that it uses."""
        return self.adoptions[-1]

    @property
    def version(self) -> Version:
        """What that version says."""
        return found_version(self.asset, self.now.number)

    @property
    def behind(self) -> tuple[Version, ...]:
        """What was published since then."""
        return self.asset.changed_since(self.now.number)

    @property
    def withdrawn(self) -> bool:
        """Whether nobody should use that version any more."""
        return self.version.status is Status.WITHDRAWN


@dataclass(frozen=True, slots=True)
class Exempted:
    """A standard that a use case is, or was, exempted from: the last exemption counts."""

    asset: Asset
    exemptions: tuple[Exemption, ...]

    @property
    def now(self) -> Exemption:
        """The exemption that counts."""
        return self.exemptions[-1]


@dataclass(frozen=True, slots=True)
class UserOfIt:
    """A use case that uses an asset, and the version that it took last."""

    row: UseCaseRow
    number: int
    since: datetime

    @property
    def key(self) -> str:
        """The key that people say."""
        return key_of(self.row)


@dataclass(frozen=True, slots=True)
class Users:
    """Who uses an asset. `by_version` counts all cases by the version that they took last; `listed`
    are those that the reader may know of, the latest first."""

    by_version: dict[int, int]
    listed: tuple[UserOfIt, ...]

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.by_version.values())


def may_adopt(actor: Actor, row: UseCaseRow) -> bool:
    """Whether this person may say what a use case has taken: its owners, and enablement."""
    return actor.person_id in row.owners or Role.ENABLER in actor.roles


async def adopt(
    session: AsyncSession,
    row: UseCaseRow,
    by: Actor,
    asset_key: str,
    *,
    at: datetime,
    number: int | None = None,
) -> tuple[Asset, Version]:
    """Write down that a use case takes a version, the newest published one if none is said.

    What it uses already is not written again. `Conflict` for a version that is not published, and
    for a use case that ended without going live.
    """
    if not may_adopt(by, row):
        raise NotAllowed("only the owners and enablement say what a use case has taken")
    if row.outcome not in {Outcome.OPEN, Outcome.PRODUCTION}:
        raise Conflict(f"{key_of(row)} has ended ({row.outcome})")
    asset = await find_asset(session, asset_key)
    version = asset.latest if number is None else found_version(asset, number)
    if version is None:
        raise Conflict(f"no version of {asset.key} is published")
    if version.status is not Status.PUBLISHED:
        raise Conflict(f"version {version.number} of {asset.key} is not published")
    await session.execute(ONE_AT_A_TIME, {"key": f"adopt {row.id} {asset.id}"})
    last = await session.scalar(
        select(col(AdoptionRow.number))
        .where(
            col(AdoptionRow.source) == LIVE,
            col(AdoptionRow.case_id) == row.id,
            col(AdoptionRow.asset_id) == asset.id,
        )
        .order_by(col(AdoptionRow.adopted_at).desc(), col(AdoptionRow.id).desc())
        .limit(1)
    )
    if last != version.number:
        session.add(
            AdoptionRow(
                asset_id=asset.id,
                number=version.number,
                source=LIVE,
                case_id=row.id,
                person_id=by.person_id,
                adopted_at=at,
                sample=row.sample,
            )
        )
        await session.flush()
    return asset, version


async def exempt(
    session: AsyncSession,
    row: UseCaseRow,
    by: Actor,
    asset_key: str,
    *,
    reason: str,
    until: date,
    at: datetime,
) -> Exempted:
    """Exempt a use case from a standard until the end of a day (UTC): for enablement, and never for
    one's own use case. A later exemption takes the place of an earlier one."""
    if not may(by, Right.EXEMPT_FROM_STANDARDS):
        raise NotAllowed("only enablement exempts from a standard")
    if by.person_id in row.owners:
        raise NotAllowed("you own this use case: somebody else of enablement exempts it")
    if not reason.strip():
        raise BadInput("reason", "say why")
    today = at.astimezone(UTC).date()
    if not today <= until <= today + LONGEST_EXEMPTION:
        raise BadInput("until", f"a day from today on, within {LONGEST_EXEMPTION.days} days")
    asset = await find_asset(session, asset_key)
    if asset.kind is not Kind.STANDARD:
        raise Conflict(f"{asset.key} is no standard: nobody has to use it")
    session.add(
        ExemptionRow(
            asset_id=asset.id,
            use_case_id=row.id,
            reason=reason.strip(),
            until=until,
            person_id=by.person_id,
            written_at=at,
        )
    )
    await session.flush()
    found = await exemptions_of(session, row.id)
    return next(one for one in found if one.asset.id == asset.id)


async def used_by(session: AsyncSession, use_case_id: str) -> list[Used]:
    """What a use case has taken, by asset, in the order of their keys."""
    rows = list(
        await session.scalars(
            select(AdoptionRow)
            .where(col(AdoptionRow.source) == LIVE, col(AdoptionRow.case_id) == use_case_id)
            .order_by(col(AdoptionRow.adopted_at), col(AdoptionRow.id))
        )
    )
    if not rows:
        return []
    assets = await assets_where(session, ids={row.asset_id for row in rows})
    names = await names_of(session, [row.person_id for row in rows])
    return [
        Used(
            asset,
            tuple(
                Adoption(
                    row.number,
                    names.get(row.person_id, row.person_id),
                    _utc(row.adopted_at),
                    None if row.imported_at is None else _utc(row.imported_at),
                )
                for row in rows
                if row.asset_id == asset.id
            ),
        )
        for asset in assets
    ]


async def exemptions_of(session: AsyncSession, use_case_id: str) -> list[Exempted]:
    """What a use case was exempted from, by standard."""
    rows = list(
        await session.scalars(
            select(ExemptionRow)
            .where(col(ExemptionRow.use_case_id) == use_case_id)
            .order_by(col(ExemptionRow.id))
        )
    )
    if not rows:
        return []
    names = await names_of(session, [row.person_id for row in rows])
    return [
        Exempted(
            asset,
            tuple(
                Exemption(
                    row.reason,
                    row.until,
                    names.get(row.person_id, row.person_id),
                    _utc(row.written_at),
                )
                for row in rows
                if row.asset_id == asset.id
            ),
        )
        for asset in await assets_where(session, ids={row.asset_id for row in rows})
    ]


async def users_of(session: AsyncSession, asset: Asset, reader: Actor) -> Users:
    """Who uses an asset, by the version that they took last."""
    row = AdoptionRow
    last = (
        select(col(row.source), col(row.case_id), col(row.number), col(row.adopted_at))
        .where(col(row.asset_id) == asset.id)
        .ext(distinct_on(col(row.source), col(row.case_id)))
        .order_by(col(row.source), col(row.case_id), col(row.adopted_at).desc(), col(row.id).desc())
        .subquery()
    )
    counted = await session.execute(
        select(last.c.number, func.count()).group_by(last.c.number).order_by(last.c.number)
    )
    by_version: dict[int, int] = {row[0]: row[1] for row in counted}
    may_see = visible_of(reader, last.c.case_id)
    listed = (
        await session.execute(
            select(last)
            .where(last.c.source == LIVE, may_see)
            .order_by(last.c.adopted_at.desc(), last.c.case_id)
            .limit(MOST_USERS)
        )
    ).all()
    rows = await rows_of(session, [one.case_id for one in listed])
    return Users(
        by_version,
        tuple(UserOfIt(rows[one.case_id], one.number, _utc(one.adopted_at)) for one in listed),
    )


@dataclass(frozen=True, slots=True)
class PastAdoption:
    """What a case took before it was written down here; live ones have an empty source."""

    asset_id: str
    number: int
    source: str
    case_id: str
    at: datetime
    sample: bool

    @property
    def what(self) -> tuple[str, int, str, str]:
        """Which version of what by which case, whenever."""
        return self.asset_id, self.number, self.source, self.case_id


async def taken_before(
    session: AsyncSession, wanted: Sequence[PastAdoption]
) -> dict[tuple[str, int, str, str], set[datetime]]:
    """When these versions were taken by these cases, as far as is written. From now on until the
    transaction ends nobody else writes adoptions of the past."""
    await session.execute(ONE_AT_A_TIME, {"key": "past adoptions"})
    row = AdoptionRow
    of = (col(row.asset_id), col(row.number), col(row.source), col(row.case_id))
    found: dict[tuple[str, int, str, str], set[datetime]] = {}
    written = select(*of, col(row.adopted_at)).where(
        col(row.case_id).in_({one.case_id for one in wanted}),
        col(row.asset_id).in_({one.asset_id for one in wanted}),
    )
    for asset_id, number, source, case_id, at in await session.execute(written):
        found.setdefault((asset_id, number, source, case_id), set()).add(_utc(at))
    return found


async def write_past(
    session: AsyncSession, new: Sequence[PastAdoption], *, by: str, at: datetime
) -> None:
    """Write down what cases took in the past, as brought in at a moment."""
    session.add_all(
        AdoptionRow(
            asset_id=one.asset_id,
            number=one.number,
            source=one.source,
            case_id=one.case_id,
            person_id=by,
            adopted_at=one.at,
            sample=one.sample,
            imported_at=at,
        )
        for one in new
    )
    await session.flush()


async def adopt_imported(
    session: AsyncSession,
    asset: Asset,
    source: str,
    taken: Sequence[tuple[str, int, datetime]],
    *,
    by: str,
    sample: bool,
) -> None:
    """Write down what cases of an import took: id, version and moment of each."""
    session.add_all(
        AdoptionRow(
            asset_id=asset.id,
            number=number,
            source=source,
            case_id=case_id,
            person_id=by,
            adopted_at=at,
            sample=sample,
        )
        for case_id, number, at in taken
    )
    await session.flush()


@dataclass(frozen=True, slots=True)
class FirstAdoptions:
    """When the cases of a cohort first took an asset, in seconds since 1970: `at` of each case that
    did, by its number in `numbers_of`. `written` counts all adoptions by these cases."""

    asset: str
    numbers: Codes
    at: Floats
    written: int


async def adoptions_known(session: AsyncSession, moment: Moment) -> int:
    """How many adoptions were known at a moment, of whichever case."""
    known = select(func.count()).where(col(AdoptionRow.adopted_at) <= moment.at)
    return await session.scalar(known) or 0


async def first_adoptions(
    session: AsyncSession, cohort: Cohort, moment: Moment
) -> list[FirstAdoptions]:
    """The first adoption of each asset by each case of a cohort, of those that were known at the
    moment, in the order of the assets' keys.

    In binary, and the first ones picked here: half a million adoptions take half a second so, and
    several if the database groups and sends them one by one.
    """
    row = AdoptionRow
    case = numbers_of(cohort, moment).subquery("numbered")
    nothing = literal(b"", LargeBinary)
    found = await session.execute(
        select(
            col(AssetRow.key),
            func.string_agg(func.int8send(case.c.id), nothing).label("numbers"),
            func.string_agg(func.int8send(microseconds(col(row.adopted_at))), nothing).label("at"),
        )
        .join_from(row, AssetRow, col(row.asset_id) == col(AssetRow.id))
        .join(case, and_(case.c.source == row.source, case.c.case_id == row.case_id))
        .where(col(row.adopted_at) <= moment.at)
        .group_by(col(AssetRow.key))
        .order_by(col(AssetRow.key))
    )
    return [
        _first(
            one.key,
            np.frombuffer(one.numbers, dtype=">i8").astype(np.int64),
            np.frombuffer(one.at, dtype=">i8").astype(np.float64) / 1e6,
        )
        for one in found
    ]


def _first(asset: str, numbers: Codes, at: Floats) -> FirstAdoptions:
    order = np.lexsort((at, numbers))
    numbers, at = numbers[order], at[order]
    first = np.diff(numbers, prepend=numbers[0] - 1) > 0
    return FirstAdoptions(asset, numbers[first], at[first], int(order.size))


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
