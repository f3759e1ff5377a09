"""Imported cases in the database: written in batches, corrected and not doubled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from types import MappingProxyType

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Float,
    Integer,
    Text,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.case import Case
from service.domain.standing import Mode
from service.domain.tally import Tally, tally
from service.domain.trace import Step, TracedCase, Unnamed, turns
from service.facts.counts.write import FOR_EVER, ONE_POSTING, add_entries
from service.facts.record import keep_counts
from service.facts.tables import (
    CaseVersionRow,
    ImportCountRow,
    ImportedStepRow,
    ObservationRow,
    TallyBookRow,
    TallyEntryRow,
    UnnamedStepRow,
)
from service.measure.record import Rejected

SINCE_EVER = datetime.min  # noqa: DTZ901 - the driver takes it naive
"""What asyncpg writes as PostgreSQL's `-infinity`."""
# Arrays, not a row of parameters for each case: PostgreSQL takes 32,767 parameters at most.
WRITE = text(
    """
    INSERT INTO case_version
        (source, case_id, cohort, tier, business_unit, pathway, pathway_version, evidence,
         started_at, ended_at, outcome, entered_at, observed_until, estimate_days,
         known_from, known_until)
    SELECT :source, given.*
    FROM (SELECT unnest(:case_id), unnest(:cohort), unnest(:tier), unnest(:business_unit),
                 '', 0, CAST('{}' AS text[]), unnest(:started_at), unnest(:ended_at),
                 unnest(:outcome), unnest(:entered_at), unnest(:observed_until),
                 unnest(:estimate_days), unnest(:known_from), unnest(:known_until)) AS given
    RETURNING case_id, id
    """
).bindparams(
    *(
        bindparam(name, type_=ARRAY(Text))
        for name in ("case_id", "cohort", "tier", "business_unit", "outcome")
    ),
    *(
        bindparam(name, type_=ARRAY(DateTime(timezone=True)))
        for name in (
            *("started_at", "ended_at", "entered_at", "observed_until"),
            *("known_from", "known_until"),
        )
    ),
    bindparam("estimate_days", type_=ARRAY(Float)),
)
WRITE_STEPS = text(
    """
    INSERT INTO imported_step (version_id, sequence, at, stage, holder, mode, rework)
    SELECT unnest(CAST(:version_id AS bigint[])), unnest(:sequence), unnest(:at), unnest(:stage),
           unnest(:holder), unnest(:mode), unnest(:rework)
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(Integer)) for name in ("version_id", "sequence")),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("stage", "holder", "mode")),
    bindparam("at", type_=ARRAY(DateTime(timezone=True))),
    bindparam("rework", type_=ARRAY(Boolean)),
)
WRITE_UNNAMED = text(
    """
    INSERT INTO unnamed_step (version_id, at, until, after, stage, holder, rework)
    SELECT unnest(CAST(:version_id AS bigint[])), unnest(:at), unnest(:until), unnest(:after),
           unnest(:stage), unnest(:holder), unnest(:rework)
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(Integer)) for name in ("version_id", "after")),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("stage", "holder")),
    *(bindparam(name, type_=ARRAY(DateTime(timezone=True))) for name in ("at", "until")),
    bindparam("rework", type_=ARRAY(Boolean)),
)


@dataclass(frozen=True, slots=True)
class Import:
    """A file that is being brought in under the name `source`.

    What the first import of a source says counts as known from its own dates on; a later one
    corrects it from the moment `known_from` on, and what was reported before stays as it was.
    """

    source: str
    known_from: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch did to the database."""

    new: int
    updated: int


async def begin_import(session: AsyncSession, source: str, *, at: datetime) -> Import:
    """Begin, or begin again where an earlier try did not come to its end."""
    before = await session.scalar(
        select(ObservationRow).where(col(ObservationRow.source) == source).limit(1)
    )
    return Import(source, SINCE_EVER if before is None else at)


async def write_cases(
    session: AsyncSession,
    run: Import,
    cases: Sequence[Case],
    steps: Mapping[str, tuple[Step, ...]] = MappingProxyType({}),
    *,
    each_watched: bool = False,
) -> Written:
    """Write cases, with the steps of those whose steps are known (by case id).

    The same source and case id is corrected, not doubled. Until when a case was observed is kept
    only if it was said of each of them (`each_watched`), not of the source.
    """
    given = [
        _Given(
            case if each_watched else replace(case, observed_until=None),
            steps.get(case.case_id, ()),
        )
        for case in cases
    ]
    return await _write(session, run, given)


async def write_traced(session: AsyncSession, run: Import, traced: Sequence[TracedCase]) -> Written:
    """Write cases of an event log: with what of them was known otherwise before.

    A report of an earlier day then knows what the log said by that day. Likewise corrected, not
    doubled.
    """
    given = [
        _Given(replace(one.case, observed_until=None), one.steps, one.unnamed, one.earlier)
        for one in traced
    ]
    return await _write(session, run, given)


async def _write(session: AsyncSession, run: Import, given: Sequence["_Given"]) -> Written:
    known = await _known(session, run.source, [item.case.case_id for item in given])
    fresh = [item for item in given if item.differs_from(known.get(item.case.case_id))]
    old = [known[item.case.case_id] for item in fresh if item.case.case_id in known]
    await session.execute(
        update(CaseVersionRow)
        .where(col(CaseVersionRow.id) == func.any(bindparam("old", type_=ARRAY(BigInteger))))
        .values(known_until=run.known_from),
        {"old": [item.version for item in old]},
        execution_options={"synchronize_session": False},
    )
    # A correction is known from now on; what it says of earlier days has no day any more.
    versions = [
        [_Known(item, run.known_from)] if item.case.case_id in known else item.versions(run)
        for item in fresh
    ]
    for layer in zip_longest(*versions):
        await _insert(session, run, [one for one in layer if one is not None])
    change, earlier = Tally(), Tally()
    for item in fresh:
        tally(change, run.source, item.case, turns(item.steps))
    for item in old:
        tally(earlier, run.source, item.case, turns(item.steps))
    change.take_away(earlier)
    await add_entries(session, change)
    return Written(len(given) - len(known), len(known))


async def observed(
    session: AsyncSession,
    run: Import,
    until: datetime,
    *,
    alone_days: int | None = None,
    rejected: Mapping[str, Rejected] | None = None,
) -> None:
    """The import has come to its end: all its cases have been watched until then. The open ones
    were open, and of those that had ended it is known how long one could have waited for them.

    `alone_days` says by how many days that moment stands alone, `rejected` which rows of the file
    could not be used, by cohort, where they were counted.
    """
    row = ObservationRow(
        source=run.source, known_from=run.known_from, observed_until=until, alone_days=alone_days
    )
    await session.merge(row)
    await session.flush()
    if rejected is not None:
        await keep_counts(session, run.source, run.known_from, rejected)


async def take_back(session: AsyncSession, source: str) -> int:
    """Delete an import with its versions, steps and counts; how many cases there were.

    Reports of every day are then as if it had never been, so this is for samples alone.
    """
    # A posting under way would carry its counts from the entries into the book behind our back.
    await session.execute(select(func.pg_advisory_xact_lock(ONE_POSTING)))
    own = col(CaseVersionRow.source) == source
    cases = await session.scalar(
        select(func.count(col(CaseVersionRow.case_id).distinct())).where(own)
    )
    versions = select(col(CaseVersionRow.id)).where(own)
    for step in (ImportedStepRow, UnnamedStepRow):
        await session.execute(delete(step).where(col(step.version_id).in_(versions)))
    for row in (CaseVersionRow, ObservationRow, ImportCountRow, TallyEntryRow, TallyBookRow):
        await session.execute(delete(row).where(col(row.source) == source))
    return cases or 0


@dataclass(frozen=True, slots=True)
class _Given:
    case: Case
    steps: tuple[Step, ...]
    unnamed: tuple[Unnamed, ...] = ()
    earlier: tuple[tuple[TracedCase, datetime], ...] = ()
    version: int = 0

    def differs_from(self, other: "_Given | None") -> bool:
        return other is None or (self.case, self.steps, self.unnamed) != (
            *(other.case, other.steps, other.unnamed),
        )

    def versions(self, run: Import) -> "list[_Known]":
        """All that were known one after the other, if this is the first import of its source."""
        found: list[_Known] = []
        since = run.known_from
        if since == SINCE_EVER:
            for then, until in self.earlier:
                found.append(_Known(_Given(then.case, then.steps, then.unnamed), since, until))
                since = until
        return [*found, _Known(self, since)]


@dataclass(frozen=True, slots=True)
class _Known:
    """A version of a case, and from when until when it was known."""

    given: _Given
    known_from: datetime
    known_until: datetime = FOR_EVER


async def _known(session: AsyncSession, source: str, case_ids: Sequence[str]) -> dict[str, _Given]:
    """Which of these cases are there, as they are known now."""
    rows = list(
        await session.scalars(
            select(CaseVersionRow).where(
                col(CaseVersionRow.source) == source,
                col(CaseVersionRow.case_id) == func.any(bindparam("ids", type_=ARRAY(Text))),
                col(CaseVersionRow.known_until) == text("'infinity'"),
            ),
            {"ids": list(case_ids)},
        )
    )
    walked = await session.scalars(
        select(ImportedStepRow)
        .where(
            col(ImportedStepRow.version_id)
            == func.any(bindparam("versions", type_=ARRAY(BigInteger)))
        )
        .order_by(col(ImportedStepRow.version_id), col(ImportedStepRow.sequence)),
        {"versions": [row.id for row in rows]},
    )
    steps: dict[int, list[Step]] = {}
    for step in walked:
        found = Step(step.at, step.stage, step.holder, step.mode, step.rework)
        steps.setdefault(step.version_id, []).append(found)
    unnamed: dict[int, list[Unnamed]] = {}
    for then in await session.scalars(
        select(UnnamedStepRow)
        .where(
            col(UnnamedStepRow.version_id)
            == func.any(bindparam("versions", type_=ARRAY(BigInteger)))
        )
        .order_by(col(UnnamedStepRow.version_id), col(UnnamedStepRow.at)),
        {"versions": [row.id for row in rows]},
    ):
        found = Step(then.at, then.stage, then.holder, Mode.WAITING, then.rework)
        unnamed.setdefault(then.version_id, []).append(Unnamed(found, then.until, then.after))
    return {
        row.case_id: _Given(
            case=_case_of(row),
            steps=tuple(steps.get(row.id or 0, ())),
            unnamed=tuple(unnamed.get(row.id or 0, ())),
            version=row.id or 0,
        )
        for row in rows
    }


def _case_of(row: CaseVersionRow) -> Case:
    return Case(
        case_id=row.case_id,
        cohort=row.cohort,
        tier=row.tier,
        business_unit=row.business_unit,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        observed_until=row.observed_until,
        known_from=row.entered_at,
        estimate_days=row.estimate_days,
    )


async def _insert(session: AsyncSession, run: Import, items: Sequence[_Known]) -> None:
    """Write versions of different cases."""
    if not items:
        return
    cases = [item.given.case for item in items]
    written = await session.execute(
        WRITE,
        {
            "source": run.source,
            "known_from": [item.known_from for item in items],
            "known_until": [item.known_until for item in items],
            "case_id": [case.case_id for case in cases],
            "cohort": [case.cohort for case in cases],
            "tier": [case.tier for case in cases],
            "business_unit": [case.business_unit for case in cases],
            "started_at": [case.started_at for case in cases],
            "ended_at": [case.ended_at for case in cases],
            "outcome": [case.outcome.value for case in cases],
            "entered_at": [case.known_from for case in cases],
            "observed_until": [case.observed_until for case in cases],
            "estimate_days": [case.estimate_days for case in cases],
        },
    )
    version = {row.case_id: row.id for row in written}
    rows = [
        (version[item.given.case.case_id], number, step)
        for item in items
        for number, step in enumerate(item.given.steps, start=1)
    ]
    if rows:
        await session.execute(
            WRITE_STEPS,
            {
                "version_id": [version_id for version_id, _, _ in rows],
                "sequence": [number for _, number, _ in rows],
                "at": [step.at for _, _, step in rows],
                "stage": [step.stage for _, _, step in rows],
                "holder": [step.holder for _, _, step in rows],
                "mode": [step.mode.value for _, _, step in rows],
                "rework": [step.rework for _, _, step in rows],
            },
        )
    unnamed = [
        (version[item.given.case.case_id], one) for item in items for one in item.given.unnamed
    ]
    if unnamed:
        await session.execute(
            WRITE_UNNAMED,
            {
                "version_id": [version_id for version_id, _ in unnamed],
                "at": [one.step.at for _, one in unnamed],
                "until": [one.until for _, one in unnamed],
                "after": [one.after for _, one in unnamed],
                "stage": [one.step.stage for _, one in unnamed],
                "holder": [one.step.holder for _, one in unnamed],
                "rework": [one.step.rework for _, one in unnamed],
            },
        )
