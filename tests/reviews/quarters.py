"""Reviews for tests: use cases in production, and a review over them."""

from datetime import UTC, datetime, timedelta

from service.domain.cohort import period_from
from service.domain.commands import Command
from service.domain.people import Person
from service.domain.tiering import Tier
from service.intake.handing_in import Receipt
from service.intake.use_cases import find
from service.reviews.store import open_review
from service.value.delivered import Quantity
from service.value.grades import Method
from service.value.measurements import Found, record
from tests.kit.desk import Desk

LIVE = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
QUARTER = period_from("2026-Q2")
OPENED = datetime(2026, 7, 1, 1, 5, tzinfo=UTC)


async def in_production(desk: Desk, owner: Person, *, live: datetime = LIVE) -> Receipt:
    """A use case that went live."""
    case = await desk.hand_in(owner, tier=Tier.LOW, at=live - 10 * DAY)
    await desk.does(case.use_case_id, owner, Command.GO_LIVE, at=live)
    return case


async def measured(
    desk: Desk, case: Receipt, by: Person, *, days: tuple[int, int], value: float, at: datetime
) -> None:
    """Somebody measured what it brought, from and until so many days after it went live."""
    async with desk.sessions.begin() as session:
        row = await find(session, case.key, by.actor)
        first, last = (LIVE.date() + timedelta(days=one) for one in days)
        found = Found(
            starts=first,
            ends=last,
            quantity=Quantity.MONEY,
            value=value,
            method=Method.REPORT,
            source="the books",
            standard_error=value / 10,
        )
        await record(session, row, by, found, at=at)


async def opened(desk: Desk, by: Person, *, at: datetime = OPENED) -> None:
    """The review of the second quarter is opened."""
    async with desk.sessions.begin() as session:
        assert await open_review(session, QUARTER, by=by.id, at=at)
