"""All reports. To register one is a line here."""

from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.facts.as_of import Moment
from service.facts.traces import Sample
from service.reports import (
    certification,
    changes,
    clock,
    delay,
    effort,
    flow,
    forecasts,
    library,
    lighthouses,
    next_decisions,
    scale,
    stages,
    value,
    verdict,
    wip,
)
from service.reports import help as help_most
from service.reports.headline import PICKED_ON_THE_WAY, refuse_by_evidence
from service.reports.names import refuse_unknown
from service.reports.question import Asking, Learned, Question, cohort_named
from service.reports.report import Registered, Report


class Name(StrEnum):
    """The reports by name, each with what is registered of it."""

    _value_: str
    of: Registered[Any]

    def __new__(cls, of: Registered[Any]) -> "Name":
        """A name of a report that is registered."""
        name = str.__new__(cls, of.name)
        name._value_, name.of = of.name, of
        return name

    VERDICT = verdict.REPORT
    CLOCK = clock.REPORT
    STAGES = stages.REPORT
    FLOW = flow.REPORT
    HELP = help_most.REPORT
    FORECASTS = forecasts.REPORT
    DECISIONS = next_decisions.REPORT
    CHANGES = changes.REPORT
    WIP = wip.REPORT
    DELAY = delay.REPORT
    LIGHTHOUSES = lighthouses.REPORT
    SCALE = scale.REPORT
    EFFORT = effort.REPORT
    VALUE = value.REPORT
    LIBRARY = library.REPORT
    CERTIFICATION = certification.REPORT


def named(written: str) -> Name:
    """The report of that name. KeyError where there is none."""
    return {name.value: name for name in Name}[written]


async def report(
    session: AsyncSession,
    name: Name,
    moment: Moment,
    question: Question,
    *,
    learned: Learned | None = None,
    samples: dict[Cohort, Sample] | None = None,
) -> Report:
    """A report as known at the moment. `BadInput` for a question that makes no sense, and for names
    that there are not. `learned` and `samples` as in `Asking`."""
    await _check_names(session, name, question)
    shared = {} if samples is None else samples
    found: Report = await name.of.read(Asking(session, moment, question, shared, learned))
    if cohort_named("cohort", question.cohort).by_evidence:
        found = found.model_copy(update={"notes": (*found.notes, PICKED_ON_THE_WAY)})
    return found


async def _check_names(session: AsyncSession, name: Name, question: Question) -> None:
    cohorts = [("cohort", cohort_named("cohort", question.cohort))]
    if question.baseline is not None:
        cohorts.append(("baseline", cohort_named("baseline", question.baseline)))
    if name.of.compares:  # whether or not there is such evidence
        for field, cohort in cohorts:
            refuse_by_evidence(field, cohort)
    await refuse_unknown(session, cohorts=cohorts, tier=question.tier, unit=question.unit)
