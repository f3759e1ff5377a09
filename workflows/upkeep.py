"""What the worker does beside the workflows: it folds counts into the book, makes forecasts and
forgets notices that have passed.

Nothing waits for it: reports are right without it, only slower, and a use case without a forecast
says that it has none yet.
"""

import asyncio
import logging
from datetime import UTC, datetime

from service.database import Sessions
from service.facts.counts.write import POST_AT_ONCE, post
from service.forecasts.forecaster import AT_ONCE, Forecaster, forecast_due
from service.notices.store import forget_old

log = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds."""


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


async def keep_up(sessions: Sessions) -> None:
    """Do what there is to do, again and again; a database that is away is waited for."""
    forecaster = Forecaster(sessions, now)
    while True:
        await asyncio.sleep(EVERY)
        try:
            await post_all(sessions)
            await forecast_all(sessions, forecaster)
            await forget_notices(sessions)
        except Exception as error:  # whatever it was, what is to do is still there
            log.warning("counts, forecasts and old notices have to wait: %s", error)


async def post_all(sessions: Sessions) -> None:
    """Fold all entries of the counts into the book."""
    posted = POST_AT_ONCE
    while posted == POST_AT_ONCE:
        async with sessions.begin() as session:
            posted = await post(session)


async def forecast_all(sessions: Sessions, forecaster: Forecaster) -> None:
    """Make all forecasts that are due."""
    while await forecast_due(sessions, forecaster, at=now()) == AT_ONCE:
        pass


async def forget_notices(sessions: Sessions) -> None:
    """Delete the notices that have passed."""
    async with sessions.begin() as session:
        await forget_old(session, at=now())
