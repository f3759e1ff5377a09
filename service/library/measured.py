"""What each asset does to time-to-production, from the cases and adoptions of the database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.facts.as_of import Moment, numbered_cases_of
from service.facts.record import rejected_by_cohort, signs_of_imports
from service.library.adoptions import adoptions_known, first_adoptions
from service.library.effects import LANDMARK_DAY, Effect, effects
from service.library.places import Places
from service.measure.adoptions import Adoptions
from service.measure.cases import SECONDS_PER_DAY, days_from
from service.measure.record import rejected_signs, signs


@dataclass(frozen=True, slots=True)
class Measured:
    """The effects of the assets that anybody adopted, by their keys, and on how many cases.

    Of the adoptions that were `read`, `accepted` are by these cases; a case may take an asset in
    several versions, and its first adoption counts. `before` and `after` are cases that took an
    asset before their start, which are with it from the start on, and after their end, which are
    without.
    """

    effects: Sequence[Effect]
    cases: int
    read: int
    accepted: int
    before: int
    after: int


async def measured(
    session: AsyncSession, cohort: Cohort, moment: Moment, landmark_day: float = LANDMARK_DAY
) -> Measured:
    """What each asset does, among the cases of a cohort as known at the moment."""
    numbered = await numbered_cases_of(session, cohort, moment)
    cases = numbered.cases
    order = np.argsort(numbered.numbers)
    places = Places(numbered.numbers[order])
    started = np.zeros(0) if cases.start_days is None else cases.start_days * SECONDS_PER_DAY
    assets: list[Adoptions] = []
    accepted = before = after = 0
    for first in await first_adoptions(session, cohort, moment):
        rows = order[places.upto(first.numbers) - 1]
        ages = days_from(first.at - started[rows])
        there = ages <= cases.duration_days[rows]
        accepted += first.written
        before += int(np.count_nonzero(ages < 0.0))
        after += int(np.count_nonzero(~there))
        if there.any():
            assets.append(Adoptions(first.asset, rows[there], np.maximum(ages[there], 0.0)))
    record = [
        *await signs_of_imports(session, [cohort.name], moment),
        *rejected_signs(await rejected_by_cohort(session, [cohort.name], moment)),
        *signs({"the cases": cases.all}),
    ]
    found = await asyncio.to_thread(effects, cases, assets, landmark_day, record)
    read = await adoptions_known(session, moment)
    return Measured(found, cases.size, read, accepted, before, after)
