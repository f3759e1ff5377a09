"""The sample organisation's lighthouse programme: day 55 of 90, one live, two more wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from demo.live import TITLE
from demo.people import Cast
from demo.playing import at_work
from service.domain.moment import Moment
from service.domain.people import ENABLEMENT, Role
from service.intake.use_cases import UseCaseRow, key_of, rows_of
from service.lighthouses.report import lighthouses
from service.lighthouses.rules import Criterion, Programme
from service.lighthouses.store import Who, choose, make_programme, propose, write_criterion
from service.measure.next_decision import DecisionOrder

DAYS_IN = 55
NAME = "Lighthouses of the first ninety days"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Idea:
    """A candidate: what was written of each criterion in their order, what was decided, and why.

    A criterion that is missed begins with a minus; what is not written down yet is left out.
    `chosen` is None where nobody has decided.
    """

    title: str
    evidence: tuple[str, ...]
    chosen: bool | None = None
    reason: str = ""


IDEAS = (
    Idea(
        "Detect outages from customers' messages",
        (
            "The service desk has logged every outage and its first message for two years.",
            "Half an hour of outage costs more than the model does in a month.",
            "The team has taken two models to production before.",
            "Claims and Customer service read the same messages.",
            "The board sees the outage figures every Monday.",
        ),
        chosen=True,
        reason="It meets all five, and every unit has suffered from outages.",
    ),
    Idea(
        "Find duplicate invoices",
        (
            "Accounting counted every invoice that was paid twice in the last year.",
            "One duplicate a month pays for it.",
            "The build is small, and its data are clean.",
            "Whoever pays invoices can follow: three units.",
            "The finance committee asked for it by name.",
        ),
        chosen=True,
        reason="Easy to explain, and the economics are beyond doubt.",
    ),
    Idea(
        "Score applications for term life",
        (
            "Days to acceptance are in the policy system.",
            "A simple application costs 60 EUR of work.",
            "Both of its reviews are booked.",
            "Every other product has the same step.",
            "The chief underwriter presents it.",
        ),
        chosen=True,
        reason="If it is in time, nothing will convince more.",
    ),
    Idea(
        "Price fleets by how they are driven",
        (
            "Fleets that leave are known by the quarter.",
            "One fleet kept pays for it.",
            "-Telematics contracts alone may take until spring.",
            "All of motor can follow.",
            "The brokers' conference in January.",
        ),
        chosen=True,
        reason="It will probably be late; the brokers' conference is worth the try.",
    ),
    Idea(
        "Recognise the damaged part on a photo",
        (
            "Wrong experts are counted with every claim.",
            "An expert's wrong visit costs 140 EUR.",
            "The evaluation set is there.",
            "Repair shops and Underwriting wait for the same model.",
            "The heads of all claims offices.",
        ),
    ),
    Idea(
        "Explain bills in the customer portal",
        (
            "The telephone system counts calls about bills by the day.",
            "Each call that does not come saves nine minutes.",
            "A vendor's model that is approved already.",
            "-The portal has one such page.",
            "-Nobody in particular.",
        ),
        chosen=False,
        reason="Useful, but nobody would follow it.",
    ),
    Idea(
        "Recognise customers in need of special care",
        (
            "-Complaints about tone are a handful a week, and nobody reads all of them.",
            "Not to be had in money; accepted as a risk that is lowered.",
            "Its reviews are nearly done.",
            "-Nobody else has such letters.",
            "The ombudsman.",
        ),
        chosen=False,
        reason="Without a baseline nobody will believe what it did.",
    ),
    Idea(
        "Flag claims that look like fraud",
        (
            "Investigators' findings of three years.",
            "The loss avoided is ten times its cost.",
        ),
    ),
)


async def add_programme(
    session: AsyncSession,
    cast: Cast,
    use_case_ids: Sequence[str],
    *,
    at: datetime,
    order: DecisionOrder,
) -> Programme:
    """The programme as it stands at `at`: everything was written in its time, before the outcome.

    `order` is what Headway knew of forecasts, for what it says of each criterion.
    """
    start = at_work(at - DAYS_IN * DAY)
    [edith] = [one for one in cast.everyone if Role.LEADER in one.roles]
    greta = cast.holders[ENABLEMENT][0]
    made = await make_programme(session, Who(edith.actor, start), name=NAME, starts_on=start.date())
    rows = await rows_of(session, use_case_ids)
    by_title = {row.title: row for row in rows.values()}

    async def learned() -> DecisionOrder:
        return order

    for idea in IDEAS:
        row = by_title[TITLE + idea.title]
        proposed = at_work(max(row.submitted_at, start) + DAY)
        await propose(session, made.id, key_of(row), Who(greta.actor, proposed))
        moment = Moment(at_work(proposed + DAY), asked=False)
        found = await lighthouses(session, moment, programme_id=made.id, learned=learned)
        every = (*found.candidates, *found.others)
        known = next(one.known for one in every if one.candidate.row.id == row.id)
        who = Who(greta.actor, moment.at)
        await _write(session, made, row, who, evidence=idea.evidence, known=known)
        if idea.chosen is not None:
            await choose(
                session,
                made.id,
                key_of(row),
                Who(edith.actor, at_work(proposed + 2 * DAY)),
                chosen=idea.chosen,
                reason=idea.reason,
            )
    return made


async def _write(
    session: AsyncSession,
    programme: Programme,
    row: UseCaseRow,
    who: Who,
    *,
    evidence: Sequence[str],
    known: Mapping[Criterion, str],
) -> None:
    for criterion, words in zip(Criterion, evidence, strict=False):
        await write_criterion(
            session,
            programme.id,
            key_of(row),
            who,
            criterion=criterion,
            met=not words.startswith("-"),
            evidence=words.removeprefix("-"),
            known=known[criterion],
        )
