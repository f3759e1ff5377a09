"""What each asset does to time-to-production, from the cases and adoptions of the database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.facts.as_of import Moment, named_cases_of
from service.facts.record import rejected_by_cohort, signs_of_imports
from service.library.adoptions import first_adoptions
from service.library.effects import LANDMARK_DAY, Effect, effects
from service.measure.adoptions import Adoptions
from service.measure.cases import SECONDS_PER_DAY
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
    started, ended = [], []
    if named.cases.start_days is not None:
        started = (named.cases.start_days * SECONDS_PER_DAY).tolist()
        ended = named.cases.duration_days.tolist()
    taken: dict[str, tuple[list[int], list[float]]] = {}
    read = accepted = before = after = 0
    for first in await first_adoptions(session, moment.at):
        rows, ages = taken.setdefault(first.asset, ([], []))
        read += len(first.at)
        for case_id, at in zip(first.case_ids, first.at, strict=True):
            row = place.get((first.source, case_id))
            if row is None:
                continue
            accepted += 1
            age = _whole(at - started[row])
            if age > ended[row]:
                after += 1
                continue
            before += age < 0.0
            rows.append(row)
            ages.append(max(age, 0.0))
    assets = [
        Adoptions(asset, np.array(rows, dtype=np.int64), np.array(ages, dtype=np.float64))
        for asset, (rows, ages) in taken.items()
        if rows
    ]
    record = [
        *await signs_of_imports(session, [cohort.name], moment),
        *rejected_signs(await rejected_by_cohort(session, [cohort.name], moment)),
        *signs({"the cases": named.cases.all}),
    ]
    found = await asyncio.to_thread(effects, named.cases, assets, landmark_day, record)
    return Measured(found, named.cases.size, read, accepted, before, after)


def _whole(seconds: float) -> float:
    """Days, whole to the microsecond, as durations are: equal moments stay equal."""
    return round(seconds * 1e6) / (1e6 * SECONDS_PER_DAY)
