"""Activities of reviews: open a transaction, call one function of the service, return."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from service.database import Sessions
from service.domain.cohort import quarter_of
from service.domain.people import THE_SYSTEM
from service.reports.quarters import before
from service.reviews.moving import open_and_begin
from service.reviews.store import ReviewDisagrees, record
from workflows.database import fails_for_good
from workflows.names import Name
from workflows.reviews.engine import TemporalReviews
from workflows.reviews.messages import DISAGREES, Record

BEAT_EVERY = 1.0
"""Seconds."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Tell the engine again and again that this goes on: when that ends, the worker is gone."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT_EVERY)

    beats = asyncio.create_task(beat())
    try:
        yield
    finally:
        beats.cancel()


@dataclass(frozen=True, slots=True)
class Activities:
    """The activities with what they need."""

    sessions: Sessions
    client: Client

    @activity.defn(name=Name.RECORD_REVIEW.value)
    async def record_review(self, given: Record) -> None:
        """Write what happened in a review, exactly once. What the database refuses for good fails
        for good; anything else is tried again for ever."""
        try:
            with fails_for_good():
                async with beating(), self.sessions.begin() as session:
                    await record(session, given.standing, given.event, given.seen)
        except ReviewDisagrees as error:
            raise ApplicationError(str(error), type=DISAGREES, non_retryable=True) from error

    @activity.defn(name=Name.OPEN_REVIEW.value)
    async def open_review(self, at: datetime) -> str:
        """Open the review of the quarter that is over at a moment. Safe to repeat."""
        quarter = before(quarter_of(at)).name
        engine = TemporalReviews(self.client, activity.info().task_queue)
        await open_and_begin(self.sessions, engine, quarter, THE_SYSTEM.person_id, at=at)
        return quarter
