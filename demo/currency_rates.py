"""Two units of the sample organisation plan in a currency of their own, with dated rates for it."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from demo.people import Cast
from service.domain.people import ENABLEMENT
from service.value.currencies import Rate, rates, record_rates

CURRENCIES = {"Underwriting": "USD", "People": "GBP"}
"""Of business units; all others plan in EUR."""
WORTH = {
    "USD": (0.92, 0.90, 0.93, 0.89, 0.87, 0.86),
    "GBP": (1.17, 1.19, 1.18, 1.20, 1.16, 1.15),
}
"""In EUR, the oldest rate first: made up, as large as real ones."""
EVERY = timedelta(days=91)
SOURCE = "made up for the sample organisation"


async def add_rates(session: AsyncSession, cast: Cast, *, at: datetime) -> None:
    """Write the rates down, each on its day. What others have rates of stays as they say, and so
    does an installation that reports in another currency."""
    known = await rates(session, at)
    by = cast.holders[ENABLEMENT][0].id
    for currency, worth in WORTH.items():
        if known.reporting != "EUR" or currency in known.known:
            continue
        for age, rate in enumerate(reversed(worth)):
            on = at - (age + 1) * EVERY
            await record_rates(
                session, [Rate(currency, on.date(), rate)], source=SOURCE, by=by, at=on
            )
