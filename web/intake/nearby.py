"""While one hands in: who built something like it, which patterns fit, and what starting from one
opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.pathway import APPROVED_PATTERN, Stage
from service.domain.people import Person
from service.intake.similar import similar
from service.intake.use_cases import UseCaseRow, key_of
from service.library.assets import Asset
from service.library.fitting import fitting_patterns
from service.library.store import assets_where
from service.people.directory import names_of
from web.intake.handing_in import PATTERN, ahead


@dataclass(frozen=True, slots=True)
class Nearby:
    """What is like what is typed. `start` is the pattern that it starts from, and `opened` are the
    stages that then pass without a human, as far as the risk answers go."""

    use_cases: Sequence[tuple[str, UseCaseRow, str]]
    """Each with its key and its owner's name."""
    patterns: Sequence[Asset]
    start: Asset | None
    opened: Sequence[Stage]


async def nearby(session: AsyncSession, person: Person, typed: Mapping[str, str]) -> Nearby:
    """What is like a form as it is typed."""
    title, problem = typed.get("title", ""), typed.get("problem", "")
    rows = await similar(session, person.actor, title, problem)
    names = await names_of(session, [row.owner_id for row in rows])
    started = await assets_where(session, keys=[typed[PATTERN]]) if typed.get(PATTERN) else []
    start = next((one for one in started if one.latest is not None), None)
    return Nearby(
        [(key_of(row), row, names.get(row.owner_id, "")) for row in rows],
        [one for one in await fitting_patterns(session, title, problem) if one != start],
        start,
        _opened(start, typed) if start else (),
    )


def _opened(start: Asset, typed: Mapping[str, str]) -> Sequence[Stage]:
    pathway, latest = ahead(typed).pathway, start.latest
    if latest is None or pathway.tier not in latest.content.tiers:
        return ()
    return [
        stage
        for stage in pathway.stages
        if stage.passes_with == (APPROVED_PATTERN,)
        and stage.key in (latest.content.stages or (stage.key,))
    ]
