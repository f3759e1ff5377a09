"""All reports by name, and what they can be asked."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import INTAKE, Cohort
from service.errors import BadInput
from service.facts.as_of import Moment
from service.measure.next_decision import DecisionOrder
from service.reports.changes import changes
from service.reports.clock import By, clock
from service.reports.flow import flow
from service.reports.forecasts import forecasts_held
from service.reports.headline import refuse_by_evidence
from service.reports.help import help_most
from service.reports.names import refuse_unknown
from service.reports.next_decisions import decisions
from service.reports.stages import stages
from service.reports.verdict import cohort_named, narrowed, verdict

Found = dict[str, object]
Learned = Callable[[], Awaitable[DecisionOrder]]


class Name(StrEnum):
    """The reports."""

    VERDICT = "verdict"
    CLOCK = "clock"
    STAGES = "stages"
    FLOW = "flow"
    HELP = "help"
    FORECASTS = "forecasts"
    DECISIONS = "decisions"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is asked; each takes what concerns it."""

    cohort: str = INTAKE
    baseline: str | None = None
    tau_days: float | None = None
    tier: str | None = None
    unit: str | None = None
    by: By = By.NOTHING


def question_from(
    *, cohort: str, baseline: str, tau_days: float | None, tier: str, unit: str, by: str
) -> Question:
    """A question out of words, empty for what is not asked. `BadInput` for an unknown `by`."""
    try:
        groups = By(by)
    except ValueError:
        raise BadInput("by", f"one of {', '.join(some.value for some in By)}") from None
    return Question(cohort, baseline or None, tau_days, tier or None, unit or None, groups)


async def report(
    session: AsyncSession,
    name: Name,
    moment: Moment,
    question: Question,
    *,
    learned: Learned | None = None,
) -> Found:
    """A report as known at the moment, as JSON-able data. `BadInput` for a question that makes no
    sense, and for names that there are not.

    `learned` is what the queue orders decisions by, where there is one: of the present the
    decisions of the intake are ordered by the same, so that both say the same.
    """
    await _check_names(session, name, question)
    if name is Name.DECISIONS:
        cohort = _cohort(question)
        same = learned is not None and not moment.asked and cohort.name == INTAKE
        order = await learned() if learned is not None and same else None
        found = await decisions(session, moment, cohort, order=order)
    else:
        found = await READ[name](session, moment, question)
    return {"report": name.value, "as_of_words": moment.said, **found}


async def _verdict(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await verdict(
        session,
        moment,
        intake=question.cohort,
        baseline=question.baseline,
        tau_days=question.tau_days,
        tier=question.tier,
        unit=question.unit,
    )


COMPARES = (Name.VERDICT, Name.CHANGES)


async def _check_names(session: AsyncSession, name: Name, question: Question) -> None:
    cohorts = [("cohort", cohort_named("cohort", question.cohort))]
    if question.baseline is not None:
        cohorts.append(("baseline", cohort_named("baseline", question.baseline)))
    if name in COMPARES:  # whether or not there is such evidence
        for field, cohort in cohorts:
            refuse_by_evidence(field, cohort)
    await refuse_unknown(session, cohorts=cohorts, tier=question.tier, unit=question.unit)


def _cohort(question: Question) -> Cohort:
    return narrowed(cohort_named("cohort", question.cohort), question.tier, question.unit)


async def _clock(session: AsyncSession, moment: Moment, question: Question) -> Found:
    cohort = _cohort(question)
    return await clock(session, moment, cohort, by=question.by, tau_days=question.tau_days)


async def _stages(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await stages(session, moment, _cohort(question), by_tier=question.by is By.TIER)


async def _flow(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await flow(session, moment, _cohort(question))


async def _help(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await help_most(session, moment, _cohort(question), tau_days=question.tau_days)


async def _forecasts(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await forecasts_held(session, moment, _cohort(question))


async def _changes(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await changes(session, moment, _cohort(question))


READ: Mapping[Name, Callable[[AsyncSession, Moment, Question], Awaitable[Found]]] = {
    Name.VERDICT: _verdict,
    Name.CLOCK: _clock,
    Name.STAGES: _stages,
    Name.FLOW: _flow,
    Name.HELP: _help,
    Name.FORECASTS: _forecasts,
    Name.CHANGES: _changes,
}
