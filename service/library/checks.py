"""Sampled checks: of the adoptions that opened a gate some are looked at afterwards, so that nobody
waits before. What was found is added, and nothing is changed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.clock import Transition
from service.domain.commands import Command
from service.domain.pathway import APPROVED_PATTERN
from service.domain.people import Actor
from service.domain.permissions import Right, may
from service.domain.standing import Standing
from service.domain.tally import LIVE
from service.errors import BadInput, NotAllowed, NotFound
from service.intake.use_cases import UseCaseRow, key_of, rows_of, standing_of
from service.library.assets import Asset, Version, adopted_in
from service.library.drawing import Draw
from service.library.store import assets_where, found_version
from service.library.tables import AdoptionRow, AssetRow, FindingRow, OpeningRow
from service.measure.stages import wilson
from service.people.directory import names_of
from service.settings import Settings

MOST_CHECKS = 200
"""That one answer lists."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a use case does what the pattern asks for, as somebody of enablement found."""

    fits: bool
    words: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """An adoption that opened a gate and was drawn, with all that was found, oldest first."""

    id: int
    row: UseCaseRow
    asset: Asset
    version: Version
    taken_by: str
    taken_by_id: str
    adopted_at: datetime
    opened_at: datetime
    share: float
    seed: str
    findings: tuple[Finding, ...] = ()

    @property
    def key(self) -> str:
        """The use case's key that people say."""
        return key_of(self.row)

    @property
    def finding(self) -> Finding | None:
        """What counts: the last one; None while nobody has looked."""
        return self.findings[-1] if self.findings else None

    @property
    def unfit(self) -> bool:
        """Whether it was found that it does not fit."""
        return self.finding is not None and not self.finding.fits

    def may_be_checked_by(self, actor: Actor) -> bool:
        """Whether this person may say what they found: of enablement, and neither whoever took it
        nor an owner, now or before."""
        standing = standing_of(self.row)
        own = (self.taken_by_id, *standing.owners, *standing.former_owners)
        return may(actor, Right.CHECK_ADOPTIONS) and actor.person_id not in own


@dataclass(frozen=True, slots=True)
class Tally:
    """Adoptions of an asset: how many opened a gate, were drawn, were checked, do not fit."""

    opened: int = 0
    drawn: int = 0
    checked: int = 0
    unfit: int = 0

    @property
    def share(self) -> float | None:
        """Of those checked, that do not fit; None of none."""
        return self.unfit / self.checked if self.checked else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95% interval (`wilson`)."""
        return wilson(self.unfit, self.checked)


async def note_openings(
    session: AsyncSession,
    standing: Standing,
    happened: Iterable[Transition],
    draw: Draw | None = None,
) -> None:
    """Write down which adoptions these transitions attach for a gate to pass with, and draw those
    that are checked, as the settings say if no draw is given. What is noted already is left
    alone."""
    if not any(APPROVED_PATTERN in stage.passes_with for stage in standing.pathway.stages):
        return
    attested = {
        item.reference
        for item in standing.evidence
        if item.kind == APPROVED_PATTERN and item.attested
    }
    for step in happened:
        if step.command is not Command.ATTACH or step.subject != APPROVED_PATTERN:
            continue
        named = adopted_in(step.reference) if step.reference in attested else None
        if named is not None:
            draw = draw or _configured()
            await _note(session, standing.use_case_id, *named, draw=draw, at=step.at)


def _configured() -> Draw:
    settings = Settings()
    return Draw(settings.check_share, settings.check_seed)


async def _note(
    session: AsyncSession,
    use_case_id: str,
    asset_key: str,
    number: int,
    *,
    draw: Draw,
    at: datetime,
) -> None:
    row = AdoptionRow
    found = (
        await session.execute(
            select(col(row.id), col(row.adopted_at))
            .join(AssetRow, col(AssetRow.id) == col(row.asset_id))
            .where(
                col(row.source) == LIVE,
                col(row.case_id) == use_case_id,
                col(AssetRow.key) == asset_key,
                col(row.number) == number,
            )
            .order_by(col(row.adopted_at).desc(), col(row.id).desc())
            .limit(1)
        )
    ).first()
    if found is None:
        return
    await session.execute(
        insert(OpeningRow)
        .values(
            adoption_id=found.id,
            opened_at=at,
            share=draw.share,
            seed=draw.seed,
            drawn=draw.takes(asset_key, number, use_case_id, found.adopted_at),
        )
        .on_conflict_do_nothing()
    )


async def list_checks(session: AsyncSession, *, done: bool = False) -> list[Check]:
    """The checks that are due, those that opened a gate first before the others; or those that are
    done, the latest first. At most `MOST_CHECKS`."""
    opened, found = col(OpeningRow.adoption_id), col(FindingRow.id)
    if done:
        last = select(func.max(found)).where(col(FindingRow.adoption_id) == opened)
        looked = select(col(FindingRow.adoption_id))
        wanted = (
            select(opened)
            .where(col(OpeningRow.drawn), opened.in_(looked))
            .order_by(last.correlate(OpeningRow).scalar_subquery().desc())
        )
    else:
        wanted = select(opened).where(_due()).order_by(col(OpeningRow.opened_at), opened)
    ids = list(await session.scalars(wanted.limit(MOST_CHECKS)))
    checks = {one.id: one for one in await _checks(session, ids)}
    return [checks[one] for one in ids]


async def count_due(session: AsyncSession) -> int:
    """How many checks are due."""
    found = await session.scalar(select(func.count()).select_from(OpeningRow).where(_due()))
    return found or 0


def _due() -> ColumnElement[bool]:
    looked = select(col(FindingRow.adoption_id))
    return and_(col(OpeningRow.drawn), col(OpeningRow.adoption_id).not_in(looked))


async def find_check(session: AsyncSession, check_id: int) -> Check:
    """A check by its id; `NotFound` for an adoption that was not drawn."""
    found = await _checks(session, [check_id])
    if not found:
        raise NotFound(f"check {check_id}")
    return found[0]


async def checks_of(session: AsyncSession, use_case_id: str) -> list[Check]:
    """The checks of what a use case has taken."""
    ids = await session.scalars(
        select(col(OpeningRow.adoption_id))
        .join(AdoptionRow, col(AdoptionRow.id) == col(OpeningRow.adoption_id))
        .where(
            col(OpeningRow.drawn),
            col(AdoptionRow.source) == LIVE,
            col(AdoptionRow.case_id) == use_case_id,
        )
    )
    return await _checks(session, list(ids))


async def write_finding(
    session: AsyncSession, by: Actor, check_id: int, *, fits: bool, words: str, at: datetime
) -> Check:
    """Write down what somebody of enablement found, with words; it takes the place of what was
    found before. Whoever took it, or owns the use case or did, does not check it."""
    if not may(by, Right.CHECK_ADOPTIONS):
        raise NotAllowed("only enablement checks adoptions")
    check = await find_check(session, check_id)
    if not check.may_be_checked_by(by):
        raise NotAllowed("you took it, or own the use case: a colleague checks it")
    if not words.strip():
        raise BadInput("words", "say what you saw")
    session.add(
        FindingRow(
            adoption_id=check_id,
            fits=fits,
            words=words.strip(),
            person_id=by.person_id,
            found_at=at,
        )
    )
    await session.flush()
    return await find_check(session, check_id)


async def _checks(session: AsyncSession, ids: Collection[int]) -> list[Check]:
    if not ids:
        return []
    rows = (
        await session.execute(
            select(OpeningRow, AdoptionRow)
            .join(AdoptionRow, col(AdoptionRow.id) == col(OpeningRow.adoption_id))
            .where(col(OpeningRow.drawn), col(OpeningRow.adoption_id).in_(ids))
            .order_by(col(OpeningRow.adoption_id))
        )
    ).all()
    found = list(
        await session.scalars(
            select(FindingRow)
            .where(col(FindingRow.adoption_id).in_(ids))
            .order_by(col(FindingRow.id))
        )
    )
    use_cases = await rows_of(session, {adopted.case_id for _, adopted in rows})
    asset_ids = {adopted.asset_id for _, adopted in rows}
    assets = {one.id: one for one in await assets_where(session, ids=asset_ids)}
    people = [*(one.person_id for one in found), *(adopted.person_id for _, adopted in rows)]
    names = await names_of(session, people)
    return [
        Check(
            id=opened.adoption_id,
            row=use_cases[adopted.case_id],
            asset=assets[adopted.asset_id],
            version=found_version(assets[adopted.asset_id], adopted.number),
            taken_by=names.get(adopted.person_id, adopted.person_id),
            taken_by_id=adopted.person_id,
            adopted_at=adopted.adopted_at.astimezone(UTC),
            opened_at=opened.opened_at.astimezone(UTC),
            share=opened.share,
            seed=opened.seed,
            findings=tuple(
                Finding(
                    one.fits,
                    one.words,
                    names.get(one.person_id, one.person_id),
                    one.found_at.astimezone(UTC),
                )
                for one in found
                if one.adoption_id == opened.adoption_id
            ),
        )
        for opened, adopted in rows
    ]


TALLIES = text(
    """
    SELECT asset.key, count(*) AS opened,
        count(*) FILTER (WHERE drawn) AS drawn,
        count(fits) AS checked,
        count(*) FILTER (WHERE NOT fits) AS unfit
    FROM library_opening AS opening
    JOIN library_adoption AS adopted ON adopted.id = opening.adoption_id
    JOIN library_asset AS asset ON asset.id = adopted.asset_id
    LEFT JOIN LATERAL (
        SELECT fits FROM library_finding AS finding
        WHERE finding.adoption_id = opening.adoption_id AND found_at <= :at
        ORDER BY id DESC LIMIT 1) AS last ON true
    WHERE opened_at <= :at GROUP BY asset.key
    """
)


async def tallies(session: AsyncSession, at: datetime) -> dict[str, Tally]:
    """How the checks of each asset stood at a moment, by its key, where any opened a gate."""
    found = await session.execute(TALLIES, {"at": at})
    return {row.key: Tally(row.opened, row.drawn, row.checked, row.unfit) for row in found}
