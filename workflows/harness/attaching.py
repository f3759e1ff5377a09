"""Runs of harnesses that passed and could not be attached when they came are attached by the
worker, as soon as that is possible."""

import asyncio
import logging
from datetime import UTC, datetime

from service.database import Sessions
from service.harness.gates import AT_ONCE, attach_waiting
from service.intake.engine import Engine

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks for them."""


async def attach_forever(sessions: Sessions, engine: Engine) -> None:
    """`attach_waiting`, again and again; a database or an engine that is away is waited for."""
    while True:
        tried = 0
        try:
            tried = await attach_waiting(sessions, engine, at=datetime.now(UTC))
        except Exception as error:  # whatever it was, what is to do is still there
            log.warning("runs that passed have to wait: %s", error)
        if tried < AT_ONCE:
            await asyncio.sleep(EVERY)
