"""Watching use cases for open pages: one look for all of them, twice a second."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from service.database import Sessions, reading
from service.errors import Conflict
from service.intake.use_cases import sequences_of

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds."""
MOST_WATCHERS = 300
"""Of one process."""
MOST_WATCHERS_EACH = 12
"""Of one person: tabs."""


class TooManyWatchers(Conflict):
    """So many pages are open that this one does not change by itself."""


@dataclass(eq=False, slots=True)
class Watcher:
    """One open page."""

    use_case_id: str
    person_id: str
    sequence: int
    moved: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False, slots=True)
class Watch:
    """Tells open pages that their use case has moved, until the server stops."""

    _watchers: set[Watcher] = field(default_factory=set)
    _looking: asyncio.Task[None] | None = None
    _ended: bool = False

    @asynccontextmanager
    async def on(
        self, sessions: Sessions, use_case_id: str, person_id: str, *, sequence: int
    ) -> AsyncIterator[Watcher]:
        """Watch one use case from this sequence on. `TooManyWatchers` when there are."""
        theirs = sum(1 for each in self._watchers if each.person_id == person_id)
        if len(self._watchers) >= MOST_WATCHERS or theirs >= MOST_WATCHERS_EACH:
            raise TooManyWatchers("too many pages are open: reload this one to see what is new")
        watcher = Watcher(use_case_id, person_id, sequence)
        self._watchers.add(watcher)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(sessions))
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    @property
    def ended(self) -> bool:
        """Whether the server is stopping."""
        return self._ended

    @property
    def watchers(self) -> int:
        """How many pages are open."""
        return len(self._watchers)

    async def end(self) -> None:
        """The server stops: let every page go."""
        self._ended = True
        for watcher in self._watchers:
            watcher.moved.set()
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self, sessions: Sessions) -> None:
        while self._watchers:
            try:
                await self._look_once(sessions)
            except (SQLAlchemyError, OSError) as error:
                log.warning("cannot look for changes just now: %s", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    async def _look_once(self, sessions: Sessions) -> None:
        wanted = {watcher.use_case_id for watcher in self._watchers}
        async with reading(sessions) as session:
            now = await sequences_of(session, wanted)
        for watcher in self._watchers:
            sequence = now.get(watcher.use_case_id, watcher.sequence)
            if sequence != watcher.sequence:
                watcher.sequence = sequence
                watcher.moved.set()
