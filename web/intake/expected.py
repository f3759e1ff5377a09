"""What the pages show of the future."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.forecast import MadeForecast
from service.domain.pathway import StageKind
from service.domain.tiering import Tier
from service.forecasts.forecaster import Forecaster, forecast_of, newest
from service.intake.pathways import pathways
from service.intake.use_cases import UseCaseRow
from service.measure.stays import State


@dataclass(frozen=True, slots=True)
class Expected:
    """When it will probably be in production: half of such use cases are by `p50`, 85 of 100 by
    `p85`. `basis` says which cases that rests on."""

    p50: datetime
    p85: datetime
    basis: str


@dataclass(frozen=True, slots=True)
class Usual:
    """The ages by which half, and 85 of 100, of such use cases have left the stage; `late` is None
    where that is not known."""

    half: timedelta
    late: timedelta | None


async def usual(forecaster: Forecaster) -> dict[tuple[str, str], Usual]:
    """By tier and stage, what the age of an open use case is held against."""
    known = (await forecaster.learned()).usual
    return {
        place: Usual(
            timedelta(days=age.half_days),
            None if age.late_days is None else timedelta(days=age.late_days),
        )
        for place, age in known.items()
    }


async def of_use_case(session: AsyncSession, row: UseCaseRow) -> Expected | None:
    """The newest forecast for a use case that is under way; None while there is none."""
    return _shown((await newest(session, [row.id])).get(row.id))


async def of_tier(forecaster: Forecaster, tier: Tier, at: datetime) -> Expected | None:
    """The forecast for a use case of this tier that would be handed in now."""
    first = pathways()[tier].stages[0]
    state = State(tier.value, first.key, first.holder, working=first.kind is StageKind.BUILD)
    return _shown(forecast_of(await forecaster.model(), state, at=at))


def _shown(made: MadeForecast | None) -> Expected | None:
    return None if made is None else Expected(made.p50_at, made.p85_at, made.basis)
