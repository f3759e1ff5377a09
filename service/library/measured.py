"""What each asset does to time-to-production, from the cases and adoptions of the database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.facts.as_of import Moment, named_cases_of
from service.facts.record import rejected_by_cohort, signs_of_imports
from service.library.adoptions import adopted_by
from service.library.effects import LANDMARK_DAY, Effect, effects
from service.measure.adoptions import Adoptions
from service.measure.record import rejected_signs, signs


@dataclass(frozen=True, slots=True)
class Measured:
    """The effects of the assets that anybody adopted, by their keys, and on how many cases.

    Of the adoptions that were `read`, one of each asset and case, `accepted` are of these cases.
    `before` and `after` are those before a case's start, which count from the start on, and after
    its end, which do not count.
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
    named = await named_cases_of(session, cohort, moment)
    place = {name: number for number, name in enumerate(named.names)}
    starts = named.cases.start_days
    taken: dict[str, tuple[list[int], list[float]]] = {}
    accepted = before = after = 0
    known = await adopted_by(session, moment.at)
    for asset, source, case_id, at in known:
        row = place.get((source, case_id))
        if row is None or starts is None:
            continue
        accepted += 1
        rows, ages = taken.setdefault(asset, ([], []))
        age = _microsecond(at.timestamp() - float(starts[row]) * 86_400.0)
        if age > float(named.cases.duration_days[row]):
            after += 1
            continue
        before += age < 0.0
        rows.append(row)
        ages.append(max(age, 0.0))
    assets = [
        Adoptions(asset, np.array(rows, dtype=np.int64), np.array(ages, dtype=np.float64))
        for asset, (rows, ages) in taken.items()
    ]
    record = [
        *await signs_of_imports(session, [cohort.name], moment),
        *rejected_signs(await rejected_by_cohort(session, [cohort.name], moment)),
        *signs({"the cases": named.cases.all}),
    ]
    found = await asyncio.to_thread(effects, named.cases, assets, landmark_day, record)
    return Measured(found, named.cases.size, len(known), accepted, before, after)


def _microsecond(seconds: float) -> float:
    """Days, whole to the microsecond, as durations are: equal moments stay equal."""
    return round(seconds * 1e6) / (1e6 * 86_400.0)
