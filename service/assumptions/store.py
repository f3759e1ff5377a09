"""Assumptions as they are recorded: by name, with a reason, and withdrawn rather than deleted."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.assumptions.tables import AssumptionRow
from service.domain.assumption import ASSUMED, Assumption, AssumptionKind
from service.domain.cohort import INTAKE, BadCohort, Cohort, cohort_from
from service.domain.moment import Moment
from service.domain.naming import listed
from service.errors import BadInput, Conflict, NotFound
from service.facts.as_of import cohort_names
from service.people.directory import names_of

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Recorded:
    """An assumption as it is kept, with the ids and names of people. `withdrawn_*` are None as
    long as it counts."""

    id: str
    baseline: str
    assumption: Assumption
    person_id: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_by_name: str | None
    withdrawn_reason: str | None

    @property
    def counts(self) -> bool:
        """Whether nobody has withdrawn it."""
        return self.withdrawn_at is None


async def assumptions_at(
    session: AsyncSession, baseline: str, moment: Moment
) -> tuple[Assumption, ...]:
    """What was assumed of a baseline at a moment, in the order of the kinds: recorded by then and
    not withdrawn by then. A part of a cohort (`before[tier=high]`) has what its whole has."""
    rows = await session.scalars(
        select(AssumptionRow).where(_of(baseline), *_counting(moment)).order_by(*_ORDER)
    )
    return tuple(one.assumption for one in await _recorded(session, rows))


async def list_assumptions(
    session: AsyncSession, *, baseline: str | None = None, moment: Moment | None = None
) -> list[Recorded]:
    """Assumptions, the newest first, at most `MOST_LISTED`, withdrawn ones too; of one baseline, or
    only those that counted at a moment, where these are given."""
    statement: Select[AssumptionRow] = select(AssumptionRow)
    if baseline is not None:
        statement = statement.where(_of(baseline))
    if moment is not None:
        statement = statement.where(*_counting(moment))
    newest = statement.order_by(col(AssumptionRow.recorded_at).desc(), col(AssumptionRow.id))
    return await _recorded(session, await session.scalars(newest.limit(MOST_LISTED)))


async def record_assumption(
    session: AsyncSession,
    *,
    kind: AssumptionKind,
    baseline: str,
    reason: str,
    person_id: str,
    at: datetime,
) -> Recorded:
    """Record that somebody assumes something of a baseline from now on.

    `BadInput` for a baseline that there is not, and without a reason; `Conflict` when the same is
    assumed of it already.
    """
    if not reason.strip():
        raise BadInput("reason", "say why: it is printed with every verdict")
    there = [name for name in await cohort_names(session) if name != INTAKE]
    if baseline not in there:
        known = f"there are: {listed(there)}" if there else "no history has been imported yet"
        raise BadInput("baseline", f"there is no baseline {baseline!r}; {known}")
    added = await session.execute(
        insert(AssumptionRow)
        .values(
            id=str(uuid.uuid4()),
            kind=kind,
            baseline=baseline,
            person_id=person_id,
            recorded_at=at,
            reason=reason.strip(),
        )
        .on_conflict_do_nothing()
        .returning(col(AssumptionRow.id))
    )
    found = added.first()
    if found is None:
        raise Conflict(f"{ASSUMED[kind].lower()}: that is assumed of {baseline} already")
    return await find_assumption(session, found.id)


async def withdraw_assumption(
    session: AsyncSession, assumption_id: str, *, reason: str, person_id: str, at: datetime
) -> Recorded:
    """Withdraw it: from now on no verdict rests on it, and those of earlier days still do.

    `NotFound` when there is none, `BadInput` without a reason, `Conflict` when it is withdrawn.
    """
    if not reason.strip():
        raise BadInput("reason", "say why: it is kept with the assumption")
    await find_assumption(session, assumption_id)
    changed = await session.execute(
        update(AssumptionRow)
        .where(col(AssumptionRow.id) == assumption_id, col(AssumptionRow.withdrawn_at).is_(None))
        .values(withdrawn_at=at, withdrawn_by=person_id, withdrawn_reason=reason.strip())
        .returning(col(AssumptionRow.id))
    )
    if changed.first() is None:
        raise Conflict("it has been withdrawn already")
    return await find_assumption(session, assumption_id)


async def find_assumption(session: AsyncSession, assumption_id: str) -> Recorded:
    """One of them; `NotFound` when there is none."""
    rows = await session.scalars(
        select(AssumptionRow)
        .where(col(AssumptionRow.id) == assumption_id)
        .execution_options(populate_existing=True)
    )
    found = await _recorded(session, rows)
    if not found:
        raise NotFound(f"assumption {assumption_id}")
    return found[0]


async def remove_assumptions(session: AsyncSession, person_ids: Sequence[str]) -> None:
    """Delete what these people, who are samples, have assumed."""
    await session.execute(delete(AssumptionRow).where(col(AssumptionRow.person_id).in_(person_ids)))


async def who_withdrew(session: AsyncSession, person_ids: Sequence[str]) -> set[str]:
    """Who of these people withdrew what somebody else had assumed."""
    withdrawn_by = col(AssumptionRow.withdrawn_by)
    found = await session.scalars(select(withdrawn_by).where(withdrawn_by.in_(person_ids)))
    return {person_id for person_id in found if person_id}


_ORDER = (col(AssumptionRow.kind), col(AssumptionRow.recorded_at), col(AssumptionRow.id))


def _of(baseline: str) -> ColumnElement[bool]:
    try:
        whole = cohort_from(baseline)
    except BadCohort:
        whole = Cohort(baseline)  # the name that a file gave it, whatever is in it
    return col(AssumptionRow.baseline).in_({baseline, whole.name})


def _counting(moment: Moment) -> list[ColumnElement[bool]]:
    withdrawn = col(AssumptionRow.withdrawn_at)
    return [
        col(AssumptionRow.recorded_at) <= moment.at,
        or_(withdrawn.is_(None), withdrawn > moment.at),
    ]


async def _recorded(session: AsyncSession, rows: Iterable[AssumptionRow]) -> list[Recorded]:
    found = list(rows)
    people = [row.person_id for row in found] + [row.withdrawn_by for row in found]
    names = await names_of(session, people)
    return [
        Recorded(
            id=row.id,
            baseline=row.baseline,
            assumption=Assumption(
                row.kind, names.get(row.person_id, row.person_id), row.recorded_at, row.reason
            ),
            person_id=row.person_id,
            withdrawn_at=row.withdrawn_at,
            withdrawn_by=row.withdrawn_by,
            withdrawn_by_name=names.get(row.withdrawn_by or ""),
            withdrawn_reason=row.withdrawn_reason,
        )
        for row in found
    ]
