"""What the pages show of the future. Each function is None until something can forecast it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.tiering import Tier
from service.tables import UseCaseRow


@dataclass(frozen=True, slots=True)
class Expected:
    """When it will probably be in production: half of such use cases are by `p50`, 85 of 100 by
    `p85`."""

    p50: datetime
    p85: datetime


@dataclass(frozen=True, slots=True)
class Forecasts:
    """The forecasts that there are.

    `for_tier`: a use case that would be handed in at this moment. `for_use_case`: one under way.
    `days_saved`: by id, the days that moving each now would save, for the order of the queue.
    """

    for_tier: Callable[[AsyncSession, Tier, datetime], Awaitable[Expected | None]] | None = None
    for_use_case: (
        Callable[[AsyncSession, UseCaseRow, datetime], Awaitable[Expected | None]] | None
    ) = None
    days_saved: (
        Callable[[AsyncSession, Sequence[UseCaseRow], datetime], Awaitable[dict[str, float]]] | None
    ) = None
