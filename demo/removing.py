"""Taking the sample organisation away, and nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from demo.filling import SOURCES, Tell
from demo.people import DOMAIN
from service.assumptions.store import remove_assumptions, who_withdrew
from service.certification.samples import remove_certification, who_certified
from service.database import Sessions
from service.effort.samples import remove_effort, who_said_hours
from service.facts.counts.write import uncount
from service.facts.imported import take_back
from service.forecasts.forecaster import remove_forecasts
from service.harness.samples import remove_runs, who_brought
from service.intake.samples import lock_samples as samples_of_intake
from service.intake.samples import remove_drafts, remove_use_cases, told_of
from service.library.samples import remove_library, who_contributed
from service.lighthouses.samples import remove_lighthouses, took_part
from service.notices.samples import remove_notices
from service.offers.samples import remove_offers, who_offered
from service.people.samples import lock_samples as samples_of_people
from service.people.samples import remove_people
from service.reach.samples import remove_reach, who_counted
from service.reports.quarters import remove_sample_verdicts
from service.reviews.store import remove_sample_reviews, sample_reviews, who_moved
from service.value.currencies import remove_rates
from service.value.samples import remove_value, who_wrote
from workflows.intake.dispatcher import TemporalEngine
from workflows.reviews.engine import TemporalReviews


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone."""

    people: int
    use_cases: int
    history: int
    kept: Sequence[str]
    """Names of sample people who stay, without access: use cases of others tell of them."""


async def remove(
    sessions: Sessions, engine: TemporalEngine, *, tell: Tell = lambda _: None
) -> Removed | None:
    """Take away all that the sample organisation is and did; None when it is not here.

    `EngineUnreachable` when its workflows cannot be stopped: then nothing is removed.
    """
    async with sessions.begin() as session:
        people = await samples_of_people(session)
        if not people:
            return None
        use_cases = await samples_of_intake(session)
        tell(f"stopping {len(use_cases)} workflows")
        await asyncio.gather(*(engine.forget(use_case_id) for use_case_id in use_cases))
        reviews = TemporalReviews(engine.client, engine.task_queue)
        quarters = await sample_reviews(session)
        for quarter in quarters:
            await reviews.forget(quarter)
        tell("history")
        history = sum([await take_back(session, source) for source in SOURCES])
        tell("live use cases")
        await remove_sample_verdicts(session)
        # Forecasts of others that were made since then rest on samples as well.
        await remove_forecasts(session, use_cases, since=min(people.values()))
        await remove_sample_reviews(session, use_cases)
        await remove_lighthouses(session, use_cases)
        await remove_runs(session, use_cases, list(people))
        await remove_library(session, use_cases)
        await remove_offers(session, use_cases)
        await uncount(session, use_cases)
        await remove_effort(session, use_cases)
        await remove_reach(session, use_cases)
        await remove_value(session, use_cases)
        ids = list(people)
        await remove_notices(session, use_cases, ids)
        await remove_use_cases(session, use_cases)
        tell("people")
        await remove_drafts(session, ids)
        await remove_assumptions(session, ids)
        await remove_rates(session, ids)
        await remove_certification(session, ids)
        named = await told_of(session, ids) | await who_withdrew(session, ids)
        named |= await took_part(session, ids)
        named |= await who_brought(session, ids)
        named |= await who_contributed(session, ids)
        named |= await who_offered(session, ids)
        named |= await who_wrote(session, ids)
        named |= await who_counted(session, ids)
        named |= await who_said_hours(session, ids)
        named |= await who_moved(session, ids)
        named |= await who_certified(session, ids)
        kept = await remove_people(session, ids, kept=named, domain=DOMAIN)
    for quarter in quarters:
        # Whoever hands reviews over may have read them before they were gone.
        await reviews.forget(quarter)
    return Removed(len(people) - len(kept), len(use_cases), history, kept)
