"""Reports that were read a moment ago: a page, its pictures and its table say the same."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.known import Moment
from service.reports.catalogue import Found, Name, Question

KEPT_FOR = timedelta(seconds=15)
"""So long a report counts as the present. It says itself as of when it is."""
MOST_KEPT = 64

Asked = tuple[Name, Question, datetime | None]


@dataclass(frozen=True, slots=True)
class _Kept:
    read_at: datetime
    report: asyncio.Task[Found]

    def serves(self, now: datetime, since: datetime | None) -> bool:
        """Whether it counts as the present, and is not from before `since`."""
        if since is not None and self.read_at < since:
            return False
        return timedelta(0) <= now - self.read_at < KEPT_FOR


class Shelf:
    """The latest reports of this process, each read once by all who ask at the same time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Asked, _Kept] = OrderedDict()

    async def read(
        self,
        name: Name,
        question: Question,
        moment: Moment,
        now: datetime,
        make: Callable[[], Awaitable[Found]],
        *,
        since: datetime | None = None,
    ) -> Found:
        """The report, made by `make` if it is not at hand, or not from `since` on. What that raises
        is not kept."""
        asked = (name, question, moment.at if moment.asked else None)
        kept = self._kept.get(asked)
        if kept is None or not kept.serves(now, since):

            async def made() -> Found:
                return await make()

            kept = self._kept[asked] = _Kept(now, asyncio.create_task(made()))
            self._kept.move_to_end(asked)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        try:
            # Shielded: whoever asks first may go away before the others have it.
            return await asyncio.shield(kept.report)
        except Exception:
            if self._kept.get(asked) is kept:
                del self._kept[asked]
            raise

    def clear(self) -> None:
        """Nothing is at hand any more."""
        self._kept.clear()
