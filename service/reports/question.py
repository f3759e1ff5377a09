"""What a report can be asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import INTAKE, BadCohort, Cohort, cohort_from
from service.errors import BadInput
from service.facts.as_of import Moment
from service.facts.traces import Sample, traces_of
from service.measure.next_decision import DecisionOrder
from service.value.held import Promise

Learned = Callable[[], Awaitable[DecisionOrder]]
E = TypeVar("E", bound=StrEnum)


class Grouping(StrEnum):
    """What tells the groups of a report apart."""

    NOTHING = "nothing"
    TIER = "tier"
    UNIT = "unit"
    STAGE = "stage"
    PERIOD = "period"
    SPONSOR = "sponsor"
    BENEFIT = "benefit"


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is asked; each takes what concerns it."""

    cohort: str = INTAKE
    baseline: str | None = None
    tau_days: float | None = None
    tier: str | None = None
    unit: str | None = None
    by: Grouping = Grouping.NOTHING
    against: Promise = Promise.FIRST
    programme: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """A question, with where and as of when it is answered.

    `learned` is what the queue orders decisions by, where there is one. `samples` are shared by
    reports that are read together: of one moment, and from one state of the database.
    """

    session: AsyncSession
    moment: Moment
    question: Question
    samples: dict[Cohort, Sample]
    learned: Learned | None = None

    async def sample(self, cohort: Cohort) -> Sample:
        """The traces of a cohort, read once."""
        if cohort not in self.samples:
            self.samples[cohort] = await traces_of(self.session, cohort, self.moment)
        return self.samples[cohort]

    @property
    def cohort(self) -> Cohort:
        """The cohort, narrowed to the tier and the unit. `BadInput` where there is no such."""
        asked = self.question
        return narrowed(cohort_named("cohort", asked.cohort), asked.tier, asked.unit)


def question_from(
    *,
    cohort: str,
    baseline: str,
    tau_days: float | None,
    tier: str,
    unit: str,
    by: str,
    against: str = Promise.FIRST.value,
    programme: str = "",
) -> Question:
    """A question out of words, empty for what is not asked. `BadInput` for an unknown `by` or
    `against`."""
    groups, promise = _one_of(Grouping, "by", by), _one_of(Promise, "against", against)
    return Question(
        cohort,
        baseline or None,
        tau_days,
        tier or None,
        unit or None,
        groups,
        against=promise,
        programme=programme or None,
    )


def _one_of(words: type[E], field: str, written: str) -> E:
    try:
        return words(written)
    except ValueError:
        raise BadInput(field, f"one of {', '.join(some.value for some in words)}") from None


def cohort_named(field: str, written: str) -> Cohort:
    """A cohort as somebody wrote it into a field; `BadInput` when it is none."""
    try:
        return cohort_from(written)
    except BadCohort as error:
        raise BadInput(field, str(error)) from None


def narrowed(cohort: Cohort, tier: str | None, unit: str | None) -> Cohort:
    """The part of a cohort in a tier and a business unit, where they are given. `BadInput` for one
    that the cohort's own conditions leave out."""
    for field, own, asked in (("tier", cohort.tier, tier), ("unit", cohort.unit, unit)):
        if own is not None and asked is not None and own != asked:
            raise BadInput(field, f"{cohort} has no case of {asked}: leave one of the two out")
    return replace(cohort, tier=cohort.tier or tier, unit=cohort.unit or unit)
