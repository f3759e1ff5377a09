"""What became of offers, and what taking one does to time-to-production, among live use cases.

What a file brought could not take anything: it is not compared. A use case is without an offer
until it first takes it and with it from then on, as with assets of the library, and by the same
code; what happens to the booking later is not looked at, since that is known only afterwards.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import Cohort
from service.facts.as_of import Moment
from service.facts.live import LiveCase, live_cases_of
from service.library.effects import Effect, effects
from service.measure.adoptions import Adoptions
from service.measure.cases import SECONDS_PER_DAY, of
from service.measure.record import signs
from service.offers.offers import Kind


@dataclass(frozen=True, slots=True)
class Count:
    """Use cases that an offer was made to, and what they last answered; given ones took it."""

    offered: int = 0
    taken: int = 0
    given: int = 0
    declined: int = 0

    def plus(self, other: "Count") -> "Count":
        """Both together."""
        return Count(
            self.offered + other.offered,
            self.taken + other.taken,
            self.given + other.given,
            self.declined + other.declined,
        )


@dataclass(frozen=True, slots=True)
class Uptake:
    """What became of an offer, by tier; its effect where somebody took it."""

    number: int
    title: str
    kind: Kind
    by_tier: dict[str, Count] = field(default_factory=dict)
    effect: Effect | None = None

    @property
    def count(self) -> Count:
        """Of all tiers."""
        total = Count()
        for one in self.by_tier.values():
            total = total.plus(one)
        return total


# An offer is made when a use case comes to its moment and the offer stands then: it was written,
# had begun and not ended, was valid and for the tier. Whoever answered was offered it.
COUNTED = text(
    """
    WITH entered AS (
        (SELECT DISTINCT ON (use_case_id, stage) use_case_id, stage AS moment, tier, at
        FROM transition WHERE use_case_id = ANY(:ids) AND at <= :at
        ORDER BY use_case_id, stage, sequence)
        UNION ALL
        SELECT use_case_id, 'handing_in', tier, at FROM transition
        WHERE use_case_id = ANY(:ids) AND at <= :at AND sequence = 1
    ), made AS (
        SELECT offer.number, entered.use_case_id, entered.tier
        FROM offer JOIN entered ON entered.moment = offer.moment
        WHERE (offer.tiers = '{}' OR entered.tier = ANY(offer.tiers))
          AND offer.written_at <= entered.at
          AND (entered.at AT TIME ZONE 'UTC')::date
              BETWEEN offer.valid_from AND coalesce(offer.valid_until, 'infinity')
          AND NOT coalesce((
              SELECT change = 'ended' FROM offer_change
              WHERE offer_number = offer.number AND changed_at <= entered.at
              ORDER BY id DESC LIMIT 1), false)
    ), answered AS (
        SELECT DISTINCT ON (offer_number, use_case_id) offer_number AS number, use_case_id, answer
        FROM offer_answer WHERE use_case_id = ANY(:ids) AND answered_at <= :at
        ORDER BY offer_number, use_case_id, id DESC
    ), counted AS (
        SELECT number, use_case_id, tier, answer
        FROM made FULL JOIN answered USING (number, use_case_id)
    )
    SELECT counted.number, coalesce(counted.tier, use_case.tier) AS tier, count(*) AS offered,
        count(*) FILTER (WHERE answer IN ('taken', 'given')) AS taken,
        count(*) FILTER (WHERE answer = 'given') AS given,
        count(*) FILTER (WHERE answer = 'declined') AS declined
    FROM counted JOIN use_case ON use_case.id = counted.use_case_id
    GROUP BY 1, 2 ORDER BY 1, 2
    """
).bindparams(bindparam("ids", type_=ARRAY(Text)))
FIRST = text(
    """
    SELECT offer_number AS number, use_case_id, min(answered_at) AS at FROM offer_answer
    WHERE use_case_id = ANY(:ids) AND answered_at <= :at AND answer = 'taken' GROUP BY 1, 2
    ORDER BY 1, 2
    """
).bindparams(bindparam("ids", type_=ARRAY(Text)))
OFFERS = text("SELECT number, title, kind FROM offer WHERE written_at <= :at ORDER BY number")


async def uptake(session: AsyncSession, cohort: Cohort, moment: Moment) -> list[Uptake]:
    """What became of every offer among the live use cases of a cohort, as known at the moment."""
    written = (await session.execute(OFFERS, {"at": moment.at})).all()
    if not written:
        return []
    live = await live_cases_of(session, cohort, moment)
    given = {"ids": [one.use_case_id for one in live], "at": moment.at}
    by_offer: defaultdict[int, dict[str, Count]] = defaultdict(dict)
    for row in await session.execute(COUNTED, given):
        counted = Count(row.offered, row.taken, row.given, row.declined)
        by_offer[row.number][row.tier] = counted
    found = await _effects(session, live, given, moment)
    return [
        Uptake(row.number, row.title, Kind(row.kind), by_offer[row.number], found.get(row.number))
        for row in written
    ]


async def _effects(
    session: AsyncSession, live: Sequence[LiveCase], given: dict[str, object], moment: Moment
) -> dict[int, Effect]:
    """The effects of those that anybody took before the end, by their numbers: one family of tests,
    apart from the assets of the library."""
    place = {one.use_case_id: row for row, one in enumerate(live)}
    cases = of([one.case for one in live], moment.at)
    taken: defaultdict[int, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
    for row in await session.execute(FIRST, given):
        at = place[row.use_case_id]
        age = (row.at - live[at].case.started_at).total_seconds() / SECONDS_PER_DAY
        if age <= cases.duration_days[at]:
            taken[row.number][0].append(at)
            taken[row.number][1].append(max(age, 0.0))
    if not taken:
        return {}
    numbers = list(taken)
    adoptions = [
        Adoptions(str(number), np.array(rows, dtype=np.int64), np.array(ages, dtype=np.float64))
        for number, (rows, ages) in taken.items()
    ]
    record = list(signs({"the use cases": cases.all}))
    found = await asyncio.to_thread(effects, cases, adoptions, record=record)
    return dict(zip(numbers, found, strict=True))
