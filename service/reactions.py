"""What follows when something is recorded: in the same transaction, once for what is new.

Handing in and recording write what happened and know none of those who count it, forecast from it
or tell somebody. Everybody else records through here.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.clock import Transition
from service.domain.decision import Seen
from service.domain.forecast import MadeForecast
from service.domain.people import Actor
from service.domain.standing import Mode, Standing
from service.facts.counts.write import count_recorded, count_submitted
from service.forecasts.forecaster import forecast_of, keep
from service.intake import handing_in, recording
from service.intake.fields import UseCase
from service.intake.handing_in import HandedIn, Repeatable, Submitted
from service.library.checks import note_openings
from service.measure.forecast import Model
from service.measure.stays import State
from service.notices.store import tell
from service.value.investment_cases import write_first


async def submit(
    session: AsyncSession,
    use_case: UseCase,
    submitter: Actor,
    *,
    at: datetime,
    repeatable: Repeatable | None = None,
    model: Model | None = None,
) -> Submitted:
    """Hand a use case in, freeze its investment case, count it and keep a forecast for it.

    The same key with the same content gives the first answer again and writes nothing; with other
    content it raises `KeyReused`. What is owned or handed in by a sample person is a sample.
    """
    if repeatable is not None:
        earlier = await handing_in.answered(session, submitter.person_id, repeatable)
        if earlier is not None:
            return Submitted(earlier, None)
    handed_in = await handing_in.write(session, use_case, submitter, at=at)
    await write_first(session, handed_in.row.id, use_case, by=submitter.person_id, at=at)
    await count_submitted(session, handed_in.row, handed_in.transitions[0])
    await tell(session, handed_in.transitions, handed_in.standing)
    forecast = await _forecast(session, handed_in, model, at=at)
    return await handing_in.answer(session, handed_in, submitter, forecast, repeatable)


async def record(
    session: AsyncSession,
    standing: Standing,
    happened: tuple[Transition, ...],
    seen: tuple[Seen, ...] = (),
) -> None:
    """Write transitions and where they led, exactly once (`recording.write`). Those that are new
    are counted and told of, and which of them let a gate open by an adopted pattern is noted."""
    new = await recording.write(session, standing, happened, seen)
    if new:
        await count_recorded(session, standing, new)
        added = [step for step in happened if step.sequence in new]
        await note_openings(session, standing, added)
        # What was filled in behind others is no news.
        if happened[-1].sequence in new:
            await tell(session, added, standing)


async def _forecast(
    session: AsyncSession, handed_in: HandedIn, model: Model | None, *, at: datetime
) -> MadeForecast | None:
    row, standing = handed_in.row, handed_in.standing
    if model is None or standing.holder is None:
        return None
    working = standing.mode is Mode.WORKING
    made = forecast_of(
        model, State(row.tier.value, standing.stage.key, standing.holder, working), at=at
    )
    if made is not None:
        await keep(session, row, made, at_submission=True)
    return made
