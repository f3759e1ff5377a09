"""Past cases as a try needs them: their steps, their risk answers, what enablement attested."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from service.columns import TIME
from service.domain.cohort import Cohort, Period
from service.facts.as_of import EVER, Moment
from service.facts.taken_back import TAKEN_BACK
from service.facts.traces import traces_of
from service.measure.cases import SECONDS_PER_DAY
from service.reports.names import refuse_unknown
from service.tries.redone import Kept
from service.tries.result import Past

ANSWERS = text("SELECT id, risk_answers FROM use_case WHERE id = ANY(:cases)").bindparams(
    bindparam("cases", type_=ARRAY(Text))
)
# Only what enablement attached, and not as an owner, lets a gate pass.
ATTESTED = text(
    f"""
    SELECT step.use_case_id, date_part('epoch', step.at), step.subject
    FROM transition AS step
    JOIN person ON person.id = step.actor
    JOIN use_case ON use_case.id = step.use_case_id
    WHERE step.use_case_id = ANY(:cases) AND step.command = 'attach' AND step.at <= :at
      AND 'enabler' = ANY(person.roles) AND NOT step.actor = ANY(use_case.owners)
      AND NOT EXISTS ({TAKEN_BACK})
    """  # noqa: S608 - the names above, and nothing from outside
).bindparams(bindparam("cases", type_=ARRAY(Text)), bindparam("at", type_=TIME))


async def past_cases(
    session: AsyncSession, moment: Moment, cohort: Cohort, since: date | None = None
) -> Past:
    """The cases of a cohort as known at the moment, of those that began on a day (UTC) or later.

    Of very many a part along a fixed order; a note says so. `BadInput` for a cohort that there is
    not.
    """
    await refuse_unknown(session, cohorts=[("cohort", cohort)], tier=None, unit=None)
    if since is not None:
        begin = datetime.combine(since, time(), UTC)
        cohort = replace(cohort, started=Period(since.isoformat(), begin, EVER))
    sample = await traces_of(session, cohort, moment)
    ids = list(sample.case_ids)
    answers = {row.id: row.risk_answers for row in await session.execute(ANSWERS, {"cases": ids})}
    started = dict(zip(ids, sample.traces.started_days.tolist(), strict=True))
    attested: dict[str, list[tuple[float, str]]] = {}
    for case_id, at, kind in await session.execute(ATTESTED, {"cases": ids, "at": moment.at}):
        attested.setdefault(case_id, []).append((at / SECONDS_PER_DAY - started[case_id], kind))
    return Past(
        traces=sample.traces,
        kept=[Kept(answers.get(one), tuple(attested.get(one, ()))) for one in ids],
        ids=ids,
        cohort=cohort.name,
        since=since.isoformat() if since else None,
        notes=sample.notes,
    )
