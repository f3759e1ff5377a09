"""How likely the cases of a cohort are to reach production, learned from all that came before."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.facts.as_of import Moment
from service.facts.counts.read import Mark, mark_of
from service.facts.traces import Sample, traces_of
from service.measure.reaching import Arrivals, Chances, arrivals

MOST_KEPT = 8
"""Cohorts of which a process keeps what it has learned from."""


@dataclass(frozen=True, slots=True)
class _Kept:
    mark: Mark
    as_of: datetime
    arrivals: Arrivals


_KEPT: "OrderedDict[tuple[str, str], _Kept]" = OrderedDict()


async def chances_of(
    session: AsyncSession,
    cohort: str,
    moment: Moment,
    sample: Callable[[Cohort], Awaitable[Sample]] | None = None,
) -> Chances:
    """The chances to reach production that the whole cohort of this name shows, as known at the
    moment. `sample` reads traces, where somebody else may have done so.

    What the present is learned from is kept until something happens to a case: meanwhile open ones
    get older, and nothing else.
    """

    async def learned() -> Arrivals:
        whole = Cohort(cohort)
        read = await (traces_of(session, whole, moment) if sample is None else sample(whole))
        return arrivals(read.traces)

    if moment.asked:
        return (await learned()).chances()
    name, mark = (str(session.get_bind().engine.url), cohort), await mark_of(session)
    kept = _KEPT.get(name)
    if kept is None or kept.mark != mark or kept.as_of > moment.at:
        kept = _Kept(mark, moment.at, await learned())
        _KEPT[name] = kept
    _KEPT.move_to_end(name)
    while len(_KEPT) > MOST_KEPT:
        _KEPT.popitem(last=False)
    return kept.arrivals.later((moment.at - kept.as_of) / timedelta(days=1)).chances()
