"""The sample organisation's offers, and what its live use cases answered to them.

Who takes what is drawn without a look at how long a use case takes: no offer does anything.
"""

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from demo.history import SEED
from demo.people import Cast
from demo.playing import at_work
from service.domain.case import Outcome
from service.domain.clock import Transition
from service.domain.people import ENABLEMENT, Person
from service.domain.tiering import Tier
from service.intake.use_cases import rows_of, transitions_of
from service.offers.offers import HANDING_IN, Answer, Content, ForRole, Kind, Per
from service.offers.store import make_offer, write_answer

DAY = timedelta(days=1)
BEGUN = 800 * DAY
TAKEN, DECLINED, GIVEN = 0.3, 0.2, 0.9
"""Shares: of what is offered, and of what was taken longer ago than a week."""
DICE = 36
"""A stream of dice of its own: the number of the decision record."""


def offers(cast: Cast, day: datetime) -> list[tuple[Person, Content]]:
    """What there is, and who of enablement gives it."""
    greta, samuel, ines, pavel = cast.holders[ENABLEMENT][:4]
    first = day.date()
    wiki = "https://wiki.sample-mutual.example/offers/"
    risky = (Tier.MEDIUM, Tier.HIGH)
    owner, approver = ForRole.OWNER, ForRole.APPROVER
    return [
        (
            samuel,
            Content(
                Kind.TEMPLATE,
                "A repository to begin with",
                "Code, tests and a pipeline as enablement wants to see them: fork it.",
                owner,
                HANDING_IN,
                samuel.id,
                first,
                link=wiki + "repository",
            ),
        ),
        (
            greta,
            Content(
                Kind.OFFICE_HOUR,
                "Half an hour with enablement",
                "Bring what you are not sure of. Tuesdays at two.",
                owner,
                HANDING_IN,
                greta.id,
                first,
                places=4,
                per=Per.WEEK,
            ),
        ),
        (
            ines,
            Content(
                Kind.COACH,
                "Somebody who has built one before",
                "Two hours a week with a colleague until your first users are on.",
                owner,
                "build",
                ines.id,
                first,
                tiers=risky,
                places=3,
                per=Per.WEEK,
            ),
        ),
        (
            pavel,
            Content(
                Kind.CLINIC,
                "Evaluation clinic",
                "An hour on your test cases before you hand over: what is missing, what is leaked.",
                owner,
                "build",
                pavel.id,
                first,
                tiers=risky,
                places=2,
                per=Per.WEEK,
                link=wiki + "clinic",
            ),
        ),
        (
            greta,
            Content(
                Kind.TRAINING,
                "How to read an evaluation",
                "Twenty minutes with three examples, one of them wrong.",
                approver,
                "evaluate",
                greta.id,
                first,
                link=wiki + "reading",
            ),
        ),
    ]


async def add_offers(
    session: AsyncSession, cast: Cast, use_case_ids: list[str], *, at: datetime
) -> None:
    """The offers, and what owners answered when they came to them."""
    made = []
    for giver, content in offers(cast, at - BEGUN):
        offer = await make_offer(session, giver.actor, content, at=at - BEGUN)
        made.append(offer)
    rows = await rows_of(session, use_case_ids)
    steps = await transitions_of(session, rows)
    for place, use_case_id in enumerate(use_case_ids):
        row = rows[use_case_id]
        rng = np.random.default_rng([SEED, DICE, place])
        for offer in made:
            content = offer.content
            dice, after, held = rng.random(), rng.exponential(1.5), rng.random()
            entered = _entered(steps[use_case_id], content.moment)
            if content.role is not ForRole.OWNER or entered is None:
                continue
            if content.tiers and row.tier not in content.tiers:
                continue
            when = at_work(entered + (0.1 + after) * DAY)
            ended = row.ended_at or at
            if when >= ended or dice > TAKEN + DECLINED:
                continue
            said = Answer.TAKEN if dice < TAKEN else Answer.DECLINED
            await write_answer(session, row.id, row.owner_id, offer.number, said, at=when)
            given = when + 5 * DAY
            is_over = row.outcome is not Outcome.OPEN or held < GIVEN
            if said is Answer.TAKEN and given < at and is_over:
                by = content.giver
                await write_answer(session, row.id, by, offer.number, Answer.GIVEN, at=given)


def _entered(steps: list[Transition], moment: str) -> datetime | None:
    """When a use case came to the moment of an offer first."""
    if moment == HANDING_IN:
        return steps[0].at
    return next((step.at for step in steps if step.stage == moment), None)
