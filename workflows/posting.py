"""Folds the entries of the counts into the book, from time to time."""

import asyncio
import logging

from service.counting import POST_AT_ONCE, post
from service.sessions import Sessions

log = logging.getLogger(__name__)

POST_EVERY = 30.0
"""Seconds. Reports are right without it: the fewer entries, the faster they read."""


async def post_forever(sessions: Sessions) -> None:
    """`post`, again and again; a database that is away is waited for."""
    while True:
        await asyncio.sleep(POST_EVERY)
        try:
            posted = POST_AT_ONCE
            while posted == POST_AT_ONCE:
                async with sessions.begin() as session:
                    posted = await post(session)
        except Exception as error:  # whatever it was, the entries are still there
            log.warning("the counts could not be posted just now: %s", error)
