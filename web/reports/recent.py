"""Reports that were read a moment ago: a page, its pictures and its table say the same."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from service.domain.moment import Moment, name_of
from service.facts.counts.read import Mark
from service.reports.question import Question

T = TypeVar("T")
KEPT_FOR = timedelta(seconds=15)
"""So long a report counts as the present. It says itself as of when it is."""
MOST_KEPT = 128

Asked = tuple[str, Question, datetime | None, str]
"""The moment is None for the present; its zone is in the report's words."""


@dataclass(frozen=True, slots=True)
class _Kept:
    read_at: datetime
    report: asyncio.Future[Any]
    mark: Mark | None = None

    def serves(self, now: datetime, mark: Mark | None) -> bool:
        """Whether it counts as the present: not for long, and only while nothing has happened."""
        if mark is not None and mark != self.mark:
            return False
        return timedelta(0) <= now - self.read_at < KEPT_FOR


class RecentReports:
    """The latest reports of this process, each read once by all who ask at the same time.

    What was read as the present is also found under the moment that it says it is of: a page names
    that moment in the addresses of its pictures and its table.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Asked, _Kept] = OrderedDict()

    async def read(
        self,
        name: str,
        question: Question,
        moment: Moment,
        now: datetime,
        make: Callable[[], Awaitable[T]],
        *,
        mark: Mark | None = None,
    ) -> T:
        """The report, made by `make` if it is not at hand. What that raises is not kept.

        `mark` is that of the counts just before. A report of the present with another mark is not
        at hand any more; what was known at a moment that is asked for does not change.
        """
        asked = _asked(name, question, moment, moment.at if moment.asked else None)
        kept = self._kept.get(asked)
        if kept is None or not kept.serves(now, None if moment.asked else mark):

            async def made() -> T:
                return await make()

            kept = _Kept(now, asyncio.create_task(made()), mark)
            self._keep(name, question, moment, kept)
        try:
            # Shielded: whoever asks first may go away before the others have it.
            report: T = await asyncio.shield(kept.report)
        except Exception:
            for other in [one for one, that in self._kept.items() if that is kept]:
                del self._kept[other]
            raise
        return report

    def keep(
        self,
        name: str,
        question: Question,
        moment: Moment,
        now: datetime,
        found: object,
        *,
        mark: Mark | None = None,
    ) -> None:
        """Have a report at hand that was read together with another."""
        report: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        report.set_result(found)
        self._keep(name, question, moment, _Kept(now, report, mark))

    def _keep(self, name: str, question: Question, moment: Moment, kept: _Kept) -> None:
        for at in {moment.at, moment.at if moment.asked else None}:
            asked = _asked(name, question, moment, at)
            self._kept[asked] = kept
            self._kept.move_to_end(asked)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Nothing is at hand any more."""
        self._kept.clear()


def _asked(name: str, question: Question, moment: Moment, at: datetime | None) -> Asked:
    return name, question, at, name_of(moment.zone)
