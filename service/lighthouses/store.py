"""Lighthouse programmes as they are recorded: nothing is replaced, and nobody is forgotten."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from service.domain.moment import Moment
from service.domain.people import Actor
from service.errors import BadInput, Conflict, NotFound
from service.intake.use_cases import UseCaseRow, find, key_of, rows_of
from service.lighthouses.rules import (
    HORIZON_DAYS,
    LONGEST_HORIZON,
    MOST_WANTED,
    TARGET,
    Choice,
    Criterion,
    Programme,
    Standing,
    Written,
    unwritten,
)
from service.lighthouses.tables import CandidateRow, ChoiceRow, CriterionRow, ProgrammeRow
from service.people.directory import any_sample, names_of

MOST_CANDIDATES = 50
MOST_PROGRAMMES = 200
ID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate with all that was written about it, oldest first."""

    row: UseCaseRow
    by: str
    """Who proposed it, by name."""
    proposed_at: datetime
    written: tuple[Written, ...] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def key(self) -> str:
        """The key that people say."""
        return key_of(self.row)

    @property
    def criteria(self) -> Mapping[Criterion, Written]:
        """Each criterion as it was written down last."""
        return {one.criterion: one for one in self.written}

    @property
    def choice(self) -> Choice | None:
        """What was decided last."""
        return self.choices[-1] if self.choices else None

    @property
    def standing(self) -> Standing:
        """How it stands."""
        if self.choice is None:
            return Standing.PROPOSED
        return Standing.CHOSEN if self.choice.chosen else Standing.TURNED_DOWN


@dataclass(frozen=True, slots=True)
class Who:
    """Who writes something down, and when."""

    actor: Actor
    at: datetime


async def make_programme(
    session: AsyncSession,
    who: Who,
    *,
    name: str,
    starts_on: date,
    horizon_days: int = HORIZON_DAYS,
    target: int = TARGET,
) -> Programme:
    """Set up a programme. `BadInput` for what no programme can be."""
    if not name.strip():
        raise BadInput("name", "give it a name")
    if not 1 <= horizon_days <= LONGEST_HORIZON:
        raise BadInput("horizon_days", f"a number of days from 1 to {LONGEST_HORIZON}")
    if not 1 <= target <= MOST_WANTED:
        raise BadInput("target", f"a number from 1 to {MOST_WANTED}")
    if abs((starts_on - who.at.date()).days) > LONGEST_HORIZON:
        raise BadInput("starts_on", f"a day within {LONGEST_HORIZON} days of today")
    row = ProgrammeRow(
        id=str(uuid.uuid4()),
        name=name.strip(),
        starts_on=starts_on,
        horizon_days=horizon_days,
        target=target,
        person_id=who.actor.person_id,
        made_at=who.at,
        sample=await any_sample(session, [who.actor.person_id]),
    )
    session.add(row)
    await session.flush()
    return await find_programme(session, row.id)


async def end_programme(
    session: AsyncSession, programme_id: str, who: Who, *, reason: str
) -> Programme:
    """End it, once, with a reason: from now on nothing about it is written any more."""
    _said("reason", reason)
    await find_programme(session, programme_id)
    changed = await session.execute(
        update(ProgrammeRow)
        .where(col(ProgrammeRow.id) == programme_id, col(ProgrammeRow.ended_at).is_(None))
        .values(ended_at=who.at, ended_by=who.actor.person_id, ended_reason=reason.strip())
        .returning(col(ProgrammeRow.id))
    )
    if changed.first() is None:
        raise Conflict("it has been ended already")
    return await find_programme(session, programme_id)


async def propose(session: AsyncSession, programme_id: str, key: str, who: Who) -> Candidate:
    """Propose an open use case. `Conflict` for one that is proposed already or has ended."""
    await _going_on(session, programme_id, who.at)
    try:
        row = await find(session, key.strip(), who.actor)
    except NotFound:
        raise BadInput("use_case", f"there is no use case {key.strip()[:64]!r}") from None
    _undecided(row, who.at)
    proposed = await session.scalars(
        select(col(CandidateRow.use_case_id)).where(col(CandidateRow.programme_id) == programme_id)
    )
    if len(set(proposed)) >= MOST_CANDIDATES:
        raise Conflict(f"a programme has at most {MOST_CANDIDATES} candidates")
    added = await session.execute(
        insert(CandidateRow)
        .values(
            programme_id=programme_id,
            use_case_id=row.id,
            person_id=who.actor.person_id,
            proposed_at=who.at,
        )
        .on_conflict_do_nothing()
        .returning(col(CandidateRow.use_case_id))
    )
    if added.first() is None:
        raise Conflict(f"{key_of(row)} is a candidate already")
    return await find_candidate(session, programme_id, key, who.actor)


async def write_criterion(
    session: AsyncSession,
    programme_id: str,
    key: str,
    who: Who,
    *,
    criterion: Criterion,
    met: bool,
    evidence: str,
    known: str,
) -> Candidate:
    """Write a criterion down, before the outcome; what was written before stays on record.

    `known` is what Headway knows about it (`rules.what_is_known`). `Conflict` once the use case has
    ended or the programme is over: by then everybody would know better. The same once more writes
    nothing.
    """
    _said("evidence", evidence)
    candidate = await _open_candidate(session, programme_id, key, who)
    before = candidate.criteria.get(criterion)
    if before is not None and (before.met, before.evidence) == (met, evidence.strip()):
        return candidate
    session.add(
        CriterionRow(
            programme_id=programme_id,
            use_case_id=candidate.row.id,
            criterion=criterion,
            met=met,
            evidence=evidence.strip(),
            known=known,
            person_id=who.actor.person_id,
            written_at=who.at,
        )
    )
    await session.flush()
    return await find_candidate(session, programme_id, key, who.actor)


async def choose(
    session: AsyncSession, programme_id: str, key: str, who: Who, *, chosen: bool, reason: str
) -> Candidate:
    """Choose a candidate, or turn it down, with a reason; it stays on record either way.

    `Conflict` for choosing before every criterion is written down, and for anything after the
    outcome.
    """
    _said("reason", reason)
    candidate = await _open_candidate(session, programme_id, key, who)
    missing = unwritten(candidate.criteria)
    if chosen and missing:
        raise Conflict(f"write down every criterion first; missing: {', '.join(missing)}")
    if candidate.choice is not None and candidate.choice.chosen == chosen:
        raise Conflict(f"{candidate.key} is {'chosen' if chosen else 'turned down'} already")
    session.add(
        ChoiceRow(
            programme_id=programme_id,
            use_case_id=candidate.row.id,
            chosen=chosen,
            reason=reason.strip(),
            person_id=who.actor.person_id,
            chosen_at=who.at,
        )
    )
    await session.flush()
    return await find_candidate(session, programme_id, key, who.actor)


async def find_programme(session: AsyncSession, programme_id: str) -> Programme:
    """A programme as it stands; `NotFound` when there is none."""
    rows = await session.scalars(
        select(ProgrammeRow)
        .where(col(ProgrammeRow.id) == programme_id[: ID_LENGTH + 1])
        .execution_options(populate_existing=True)
    )
    found = await _programmes(session, rows, None)
    if not found:
        raise NotFound(f"programme {programme_id}")
    return found[0]


async def list_programmes(session: AsyncSession, moment: Moment) -> list[Programme]:
    """Programmes as known at a moment, those that go on first, then the newest; at most
    `MOST_PROGRAMMES`."""
    ended = col(ProgrammeRow.ended_at)
    going_on = or_(ended.is_(None), ended > moment.at)
    rows = await session.scalars(
        select(ProgrammeRow)
        .where(col(ProgrammeRow.made_at) <= moment.at)
        .order_by(
            going_on.desc(),
            col(ProgrammeRow.starts_on).desc(),
            col(ProgrammeRow.made_at).desc(),
            col(ProgrammeRow.id),
        )
        .limit(MOST_PROGRAMMES)
    )
    return await _programmes(session, rows, moment)


async def candidates_of(
    session: AsyncSession, programme_id: str, moment: Moment | None = None
) -> list[Candidate]:
    """All candidates of a programme in the order of their proposal, those turned down too; with a
    moment as they were known then."""

    def known(at: Mapped[datetime]) -> list[ColumnElement[bool]]:
        return [] if moment is None else [at <= moment.at]

    proposed = list(
        await session.scalars(
            select(CandidateRow)
            .where(
                col(CandidateRow.programme_id) == programme_id,
                *known(col(CandidateRow.proposed_at)),
            )
            .order_by(col(CandidateRow.proposed_at), col(CandidateRow.use_case_id))
        )
    )
    written = list(
        await session.scalars(
            select(CriterionRow)
            .where(
                col(CriterionRow.programme_id) == programme_id,
                *known(col(CriterionRow.written_at)),
            )
            .order_by(col(CriterionRow.written_at), col(CriterionRow.id))
        )
    )
    chosen = list(
        await session.scalars(
            select(ChoiceRow)
            .where(col(ChoiceRow.programme_id) == programme_id, *known(col(ChoiceRow.chosen_at)))
            .order_by(col(ChoiceRow.chosen_at), col(ChoiceRow.id))
        )
    )
    rows = await rows_of(session, [one.use_case_id for one in proposed])
    names = await names_of(
        session,
        [
            *(one.person_id for one in proposed),
            *(one.person_id for one in written),
            *(one.person_id for one in chosen),
        ],
    )

    def name(person_id: str) -> str:
        return names.get(person_id, person_id)

    return [
        Candidate(
            row=rows[one.use_case_id],
            by=name(one.person_id),
            proposed_at=one.proposed_at,
            written=tuple(
                Written(
                    each.criterion,
                    each.met,
                    each.evidence,
                    each.known,
                    name(each.person_id),
                    each.written_at,
                )
                for each in written
                if each.use_case_id == one.use_case_id
            ),
            choices=tuple(
                Choice(each.chosen, each.reason, name(each.person_id), each.chosen_at)
                for each in chosen
                if each.use_case_id == one.use_case_id
            ),
        )
        for one in proposed
    ]


async def find_candidate(
    session: AsyncSession, programme_id: str, key: str, reader: Actor
) -> Candidate:
    """One candidate; `NotFound` when the use case is none of this programme."""
    row = await find(session, key, reader)
    for one in await candidates_of(session, programme_id):
        if one.row.id == row.id:
            return one
    raise NotFound(f"candidate {key_of(row)} in this programme")


async def _open_candidate(
    session: AsyncSession, programme_id: str, key: str, who: Who
) -> Candidate:
    """A candidate about which something can still be written."""
    await _going_on(session, programme_id, who.at)
    candidate = await find_candidate(session, programme_id, key, who.actor)
    _undecided(candidate.row, who.at)
    return candidate


async def _going_on(session: AsyncSession, programme_id: str, at: datetime) -> None:
    programme = await find_programme(session, programme_id)
    if programme.ended_at is not None:
        raise Conflict("the programme has been ended")
    if at > programme.until:
        raise Conflict(f"the day has passed: the programme ran until {programme.day}")


def _undecided(row: UseCaseRow, at: datetime) -> None:
    if row.ended_at is not None and row.ended_at <= at:
        raise Conflict(
            f"{key_of(row)} has ended ({row.outcome}): what is written of a lighthouse is written "
            "before its outcome"
        )


def _said(field: str, words: str) -> None:
    if not words.strip():
        raise BadInput(field, "say what it rests on" if field == "evidence" else "say why")


async def _programmes(
    session: AsyncSession, rows: Iterable[ProgrammeRow], moment: Moment | None
) -> list[Programme]:
    found = list(rows)
    names = await names_of(
        session, [row.person_id for row in found] + [row.ended_by for row in found]
    )

    def of(row: ProgrammeRow) -> Programme:
        over = row.ended_at is not None and (moment is None or row.ended_at <= moment.at)
        return Programme(
            id=row.id,
            name=row.name,
            starts_on=row.starts_on,
            horizon_days=row.horizon_days,
            target=row.target,
            by=names.get(row.person_id, row.person_id),
            made_at=row.made_at,
            ended_at=row.ended_at if over else None,
            ended_by=names.get(row.ended_by or "") if over else None,
            ended_reason=row.ended_reason if over else None,
        )

    return [of(row) for row in found]
