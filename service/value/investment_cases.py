"""Investment cases as they are kept: version after version, each with who wrote it and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.columns import TIME, among
from service.domain.people import Actor
from service.errors import BadInput, Conflict, NotAllowed
from service.intake.fields import Kpi, UseCase
from service.intake.use_cases import UseCaseRow
from service.people.directory import names_of
from service.value.grades import may_change_case
from service.value.tables import InvestmentCaseRow
from service.value.terms import (
    Counted,
    MeasurementPlan,
    Observation,
    StatedMilestone,
    Terms,
    terms_of,
)

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")

STATED = text(
    """
    SELECT use_case_id, milestones FROM investment_case
    WHERE recorded_at <= :at AND use_case_id IN (
        SELECT use_case_id FROM investment_case
        WHERE use_case_id = ANY(:ids) AND recorded_at <= :at AND milestones <> '[]'
    )
    ORDER BY use_case_id, version
    """
).bindparams(bindparam("ids", type_=ARRAY(Text)), bindparam("at", type_=TIME))


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an investment case. `by` is a person's id, `reason` empty for the first."""

    number: int
    terms: Terms
    reason: str
    by: str
    by_name: str
    at: datetime


async def write_first(
    session: AsyncSession, use_case_id: str, use_case: UseCase, *, by: str, at: datetime
) -> None:
    """Freeze what a use case says of its value, as version 1, on the day when it is handed in."""
    row = _row(use_case_id, 1, terms_of(use_case), reason="", by=by, at=at)
    session.add(row)
    await session.flush()


async def versions(
    session: AsyncSession, use_case_id: str, *, at: datetime | None = None
) -> tuple[Version, ...]:
    """The versions of a use case's investment case in their order, as known at a moment if that is
    given. There is one at least."""
    return (await versions_of(session, [use_case_id], at=at)).get(use_case_id, ())


async def versions_of(
    session: AsyncSession, use_case_ids: Iterable[str], *, at: datetime | None = None
) -> dict[str, tuple[Version, ...]]:
    """The same of several use cases, by their ids."""
    statement = (
        select(InvestmentCaseRow)
        .where(among(col(InvestmentCaseRow.use_case_id), use_case_ids))
        .order_by(col(InvestmentCaseRow.use_case_id), col(InvestmentCaseRow.version))
    )
    if at is not None:
        statement = statement.where(col(InvestmentCaseRow.recorded_at) <= at)
    rows = list(await session.scalars(statement))
    names = await names_of(session, {row.person_id for row in rows})
    return {
        one: tuple(_version(row, names) for row in some)
        for one, some in groupby(rows, lambda row: row.use_case_id)
    }


@dataclass(frozen=True, slots=True)
class MilestonesOfACase:
    """The milestones of a use case's own case: as they were stated first, and as they are in the
    newest version."""

    first: tuple[StatedMilestone, ...]
    latest: tuple[StatedMilestone, ...]


async def stated_milestones(
    session: AsyncSession, use_case_ids: Sequence[str], *, at: datetime
) -> dict[str, MilestonesOfACase]:
    """What the cases of these use cases had stated at a moment; nothing of those that never did."""
    found: dict[str, MilestonesOfACase] = {}
    for use_case_id, kept in await session.execute(STATED, {"ids": list(use_case_ids), "at": at}):
        stated = _milestones(kept)
        first = found[use_case_id].first if use_case_id in found else stated
        if first:
            found[use_case_id] = MilestonesOfACase(first, stated)
    return found


async def change(
    session: AsyncSession,
    use_case: UseCaseRow,
    by: Actor,
    changes: Mapping[str, Any],
    *,
    reason: str,
    at: datetime,
    expected_version: int | None = None,
) -> Version:
    """Write another version: the newest one with some of its `Terms` changed.

    `NotAllowed` for whoever neither owns it nor is of enablement; `BadInput` without a reason and
    for terms that cannot be so; `Conflict` when nothing changes, or when the newest version is not
    the expected one any more.
    """
    if not may_change_case(by, use_case.owners):
        raise NotAllowed("only its owners and enablement can change an investment case")
    if not reason.strip():
        raise BadInput("reason", "say why: it is kept with the version")
    await lock(session, use_case.id)
    newest = (await versions(session, use_case.id))[-1]
    if expected_version is not None and expected_version != newest.number:
        raise Conflict(f"there is a version {newest.number} meanwhile: look at it first")
    terms = replace(newest.terms, **changes)
    if terms.currency != newest.terms.currency:
        raise BadInput("currency", "all amounts of a use case stay in one currency")
    if terms == newest.terms:
        raise Conflict("nothing is changed")
    wrong = terms.wrong
    if wrong is not None:
        raise BadInput(*wrong)
    row = _row(use_case.id, newest.number + 1, terms, reason=reason.strip(), by=by.person_id, at=at)
    session.add(row)
    await session.flush()
    return _version(row, await names_of(session, [by.person_id]))


async def lock(session: AsyncSession, use_case_id: str) -> None:
    """Of two who write about the value of one use case, the second waits for the first."""
    await session.execute(ONE_AT_A_TIME, {"key": f"value {use_case_id}"})


def _row(
    use_case_id: str, version: int, terms: Terms, *, reason: str, by: str, at: datetime
) -> InvestmentCaseRow:
    plan = terms.plan
    return InvestmentCaseRow(
        use_case_id=use_case_id,
        version=version,
        kpi_name=terms.kpi.name,
        kpi_unit=terms.kpi.unit,
        kpi_baseline=terms.kpi.baseline,
        kpi_target=terms.kpi.target,
        direction=terms.direction,
        observations=[{**asdict(one), "day": one.day.isoformat()} for one in terms.observations],
        money_per_unit=terms.money_per_unit,
        benefit=terms.benefit,
        time_used_for=terms.time_used_for,
        one_off_cost=terms.one_off_cost,
        yearly_run_cost=terms.yearly_run_cost,
        expected_yearly_value=terms.expected_yearly_value,
        currency=terms.currency,
        ramp_months=terms.ramp_months,
        plan_method=plan.method if plan else None,
        plan_how=plan.how if plan else None,
        plan_by=plan.by if plan else None,
        plan_starts=plan.starts if plan else None,
        milestones=[
            {**asdict(one), "by": one.by.isoformat() if one.by else None}
            for one in terms.milestones
        ],
        reason=reason,
        person_id=by,
        recorded_at=at,
    )


def _version(row: InvestmentCaseRow, names: Mapping[str, str]) -> Version:
    return Version(
        number=row.version,
        terms=Terms(
            kpi=Kpi(
                name=row.kpi_name,
                unit=row.kpi_unit,
                baseline=row.kpi_baseline,
                target=row.kpi_target,
            ),
            direction=row.direction,
            one_off_cost=row.one_off_cost,
            yearly_run_cost=row.yearly_run_cost,
            expected_yearly_value=row.expected_yearly_value,
            currency=row.currency,
            observations=tuple(
                Observation(date.fromisoformat(one["day"]), float(one["value"]), one["n"])
                for one in row.observations
            ),
            money_per_unit=row.money_per_unit,
            benefit=row.benefit,
            time_used_for=row.time_used_for,
            ramp_months=row.ramp_months,
            plan=_plan(row),
            milestones=_milestones(row.milestones),
        ),
        reason=row.reason,
        by=row.person_id,
        by_name=names.get(row.person_id, row.person_id),
        at=row.recorded_at.astimezone(UTC),
    )


def _milestones(kept: Sequence[Mapping[str, Any]]) -> tuple[StatedMilestone, ...]:
    return tuple(
        StatedMilestone(
            Counted(one["counted"]),
            one["at_least"],
            date.fromisoformat(one["by"]) if one["by"] else None,
        )
        for one in kept
    )


def _plan(row: InvestmentCaseRow) -> MeasurementPlan | None:
    if row.plan_method is None or row.plan_starts is None:
        return None
    return MeasurementPlan(row.plan_method, row.plan_how or "", row.plan_by or "", row.plan_starts)
