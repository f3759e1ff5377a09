"""The sample organisation's quarterly reviews: three that are locked, and one in which is decided.

What is predicted is drawn from the rate that the use cases are made with (`demo.value`): the
committee knows how they do on average and how much they differ, and not how a single one will do.
"""

from datetime import datetime, timedelta
from statistics import NormalDist

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from demo.live import TITLE
from demo.people import Cast
from demo.value import RATE, SPREAD
from service.domain.cohort import Period, quarter_of
from service.domain.people import ENABLEMENT, THE_SYSTEM, Role
from service.intake.use_cases import rows_of
from service.reports.quarters import before
from service.reviews.rules import (
    Choice,
    Decision,
    Kind,
    Move,
    Phase,
    Prediction,
    next_deadline,
    play,
)
from service.reviews.store import (
    Figure,
    figures,
    find_review,
    open_review,
    record,
    standing_of,
)
from service.value.delivered import YEAR
from service.value.evidence import State

LOCKED = 3
DRAWN_WITH = 28
"""Chosen before any draw was looked at: the number of the decision record. What came out was left
as it is."""
OPENS_AFTER = timedelta(hours=1, minutes=5)
"""A quarter is over."""
STOPPED = "Sort tickets of the service desk"
"""What the newest locked review stops, and the one after it if it comes to it, whatever was
delivered: it stays in all figures."""
LATELY = timedelta(days=24)
"""The newest review has been open for so long, or for as long as its quarter is over."""
DAY = timedelta(days=1)
USUAL = NormalDist(RATE, SPREAD)


async def add_reviews(session: AsyncSession, cast: Cast, *, at: datetime) -> None:
    """Hold the reviews as they stand at `at`. A quarter that has been reviewed by others stays."""
    rng = np.random.default_rng(DRAWN_WITH)
    newest = before(quarter_of(at - OPENS_AFTER))
    quarters = [newest]
    for _ in range(LOCKED):
        quarters.insert(0, before(quarters[0]))
    for quarter in quarters[:-1]:
        opened = quarter.end + OPENS_AFTER
        if await open_review(session, quarter, by=THE_SYSTEM.person_id, at=opened):
            await _pass(session, quarter, opened + 22 * DAY)
            stops = quarter == quarters[-2]
            decided_at = opened + 24 * DAY
            await _decide(session, cast, quarter, rng, at=decided_at, every=1, stops=stops)
            await _pass(session, quarter, min(at, opened + 36 * DAY))
    opened = max(newest.end + OPENS_AFTER, at - LATELY)
    enabler = cast.holders[ENABLEMENT][0].id
    if await open_review(session, newest, by=enabler, at=opened):
        half = opened + (at - opened) / 2
        await _pass(session, newest, half)
        close = Move(Kind.EVIDENCE_CLOSED, enabler, "Whoever can measure now has measured.")
        await _make(session, newest, close, at=half)
        decided_at = half + (at - half) / 2
        await _decide(session, cast, newest, rng, at=decided_at, every=3, stops=True)


async def _make(session: AsyncSession, quarter: Period, move: Move, *, at: datetime) -> None:
    standing, event = play(standing_of(await find_review(session, quarter.name)), move, at)
    await record(session, standing, event)


async def _pass(session: AsyncSession, quarter: Period, until: datetime) -> None:
    """What happens by itself until a moment."""
    while due := next_deadline(standing_of(await find_review(session, quarter.name))):
        if due[1] > until:
            return
        await _make(session, quarter, Move(due[0], THE_SYSTEM.person_id), at=due[1])


async def _decide(
    session: AsyncSession,
    cast: Cast,
    quarter: Period,
    rng: np.random.Generator,
    *,
    at: datetime,
    every: int,
    stops: bool = False,
) -> None:
    """The committee decides on each use case, or on every third as long as it is at it. With
    `stops` it ends the one whose time is over."""
    review = standing_of(await find_review(session, quarter.name))
    if review.phase is not Phase.DECIDING:
        raise AssertionError("the evidence is closed")
    [leader, *_] = [one for one in cast.everyone if Role.LEADER in one.roles]
    known = await figures(session, review.at)
    ours = [one for _, one in sorted(known.items()) if one.due > 0.0]
    rows = await rows_of(session, known)
    over = {one for one, row in rows.items() if stops and row.title == TITLE + STOPPED}
    for figure in ours[::every]:
        choice, reason = _choice(figure)
        said = None if choice is Choice.STOP else _prediction(figure, rng, at)
        if figure.use_case_id in over:
            choice, said = Choice.STOP, None
            reason = "The new software of the service desk sorts by itself: this one is ended."
        decision = Decision(figure.use_case_id, choice, said)
        await _make(session, quarter, Move(Kind.DECIDED, leader.id, reason, None, decision), at=at)


def _choice(figure: Figure) -> tuple[Choice, str]:
    rate = figure.rate
    if figure.state is State.UNPROVEN or rate is None:
        return Choice.FIX, "Nobody has measured it: the owner does so before the next review."
    if rate >= RATE:
        return Choice.CONTINUE, f"{rate:.0%} of what was due where it was measured."
    if rate >= RATE - 2 * SPREAD:
        return Choice.EXTEND, f"{rate:.0%} of what was due: another quarter to see where it goes."
    return Choice.STOP, f"{rate:.0%} of what was due, and nobody expects that to change."


def _prediction(figure: Figure, rng: np.random.Generator, at: datetime) -> Prediction:
    """A threshold somewhere around what such use cases deliver, with the chance that it is met."""
    by = (quarter_of(at).end - DAY).date()
    due = figure.due + figure.promised_latest * (by - at.date()).days / YEAR
    rate = RATE + SPREAD * float(rng.uniform(-1.0, 1.0))
    low, high = USUAL.inv_cdf(0.025), USUAL.inv_cdf(0.975)
    return Prediction(
        at_least=round(due * rate, -3),
        by=by,
        probability=round(1.0 - USUAL.cdf(rate), 1),
        low=round(due * low, -3),
        high=round(due * high, -3) + 1000.0,
    )
