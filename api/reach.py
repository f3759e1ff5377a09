"""Reach of a use case: who uses it, and what stands in the way."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictInt, StringConstraints

from api.kit.bodies import Input, shows
from api.kit.context import Caller, TheContext, TheSession
from api.kit.fields import AsOf, UseCaseKey, Zone
from api.kit.problems import responses
from api.people import ADA, PersonRef
from api.value.bodies import StatedMilestoneRead
from service.facts.as_of import moment_from
from service.intake.use_cases import find, key_of
from service.kinds import Day, Name, Reason
from service.reach.milestones import Came, Count, Milestone, Obstacle
from service.reach.series import MOST_USERS, read_counts
from service.reach.store import InTheWay, Kept, enter, reach_of, say_obstacle

router = APIRouter(prefix="/v1/use-cases/{key}", tags=["Builders", "Enablement"])

Counted = Annotated[StrictInt, Field(ge=0, le=MOST_USERS)]
File = Annotated[str, StringConstraints(max_length=100_000)]
ERRORS = responses(401, 403, 404, 409, 413, 422, 503)

_COUNT: dict[str, Any] = {
    "day": "2026-09-30",
    "users": 140,
    "units": 2,
    "countries": 1,
    "source": "the sign-in log",
}
_KEPT: dict[str, Any] = {
    "number": 3,
    **_COUNT,
    "replaces": None,
    "replaced_by": None,
    "by": ADA,
    "at": "2026-10-01T08:00:00Z",
}
_OBSTACLE: dict[str, Any] = {
    "since": "2026-10-01",
    "obstacle": "access",
    "holder": "enablement",
    "note": "Licences for the second plant.",
}


@shows({**_COUNT, "replaces": None})
class CountBody(Input):
    """Who used it on a day, as somebody counted."""

    day: Day = Field(description="Since it is live")
    users: Counted = Field(description="People who used it, as the source counts them")
    units: Counted | None = Field(default=None, description="Business units with a user")
    countries: Counted | None = Field(default=None, description="Countries with a user")
    source: Name = Field(description="Where it comes from")
    replaces: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="The number of the count that this one corrects"
    )

    def to_count(self) -> Count:
        """The count."""
        return Count(self.day, self.users, self.units, self.countries, self.source)


@shows({"csv": "date,users,units\n2026-08-31,60,1\n2026-09-30,140,2\n", "source": "sign-in log"})
class SeriesBody(Input):
    """A series of counts."""

    csv: File = Field(
        description="The columns date, users and, if you like, units and countries. All of it is "
        "taken, or nothing"
    )
    source: Name = Field(description="Where it comes from")


@shows(_KEPT)
class CountRead(BaseModel):
    """A count. One that was corrected counts no more."""

    number: int
    day: date
    users: int
    units: int | None
    countries: int | None
    source: str
    replaces: int | None
    replaced_by: int | None
    by: PersonRef
    at: datetime

    @classmethod
    def of(cls, kept: Kept) -> "CountRead":
        """The answer for a count."""
        one = kept.count
        return cls(
            number=kept.number,
            day=one.day,
            users=one.users,
            units=one.units,
            countries=one.countries,
            source=one.source,
            replaces=kept.replaces,
            replaced_by=kept.replaced_by,
            by=PersonRef(id=kept.by, name=kept.by_name),
            at=kept.at,
        )


@shows({"items": [_KEPT]})
class SeriesRead(BaseModel):
    """The counts that were entered."""

    items: list[CountRead]


@shows(_OBSTACLE)
class ObstacleBody(Input):
    """What stands in the way of more people using it, and on whose clock that is."""

    since: Day
    obstacle: Obstacle = Field(description="nothing, where it goes on by itself")
    holder: Name = Field(description="builder, enablement, a third party by its name, or parked")
    note: Reason = Field(default="", description="Asked for where it is other")


@shows({**_OBSTACLE, "by": ADA, "at": "2026-10-01T08:00:00Z"})
class ObstacleRead(BaseModel):
    """What stood in the way since a day, as somebody said."""

    since: date
    obstacle: Obstacle
    holder: str
    note: str
    by: PersonRef
    at: datetime

    @classmethod
    def of(cls, said: InTheWay) -> "ObstacleRead":
        """The answer for what was said."""
        return cls(
            since=said.since,
            obstacle=said.kind,
            holder=said.holder,
            note=said.note,
            by=PersonRef(id=said.by, name=said.by_name),
            at=said.at,
        )


class StatedStandingRead(StatedMilestoneRead):
    """How it stands to a milestone of its own case."""

    came: Came = Field(description="late: its day is over, and it was not counted there by then")
    reached: date | None = Field(description="The day of the first count at or above it")
    below: date | None = Field(description="The day of the last count, which was below it")


class MilestoneRead(BaseModel):
    """How it stands to a milestone."""

    milestone: Milestone
    reached: date | None = Field(
        description="The day of the first count at or above it: it was reached by then"
    )
    below: date | None = Field(description="The day of the last count, which was below it")


@shows(
    {
        "key": "UC-42",
        "in_production_since": "2026-07-01",
        "milestones": [{"milestone": "100_users", "reached": "2026-09-30", "below": None}],
        "stated": [
            {
                "counted": "users",
                "at_least": 500,
                "by": "2026-12-31",
                "came": "open",
                "reached": None,
                "below": "2026-09-30",
            }
        ],
        "counts": [_KEPT],
        "obstacles": [{**_OBSTACLE, "by": ADA, "at": "2026-10-01T08:00:00Z"}],
    }
)
class ReachRead(BaseModel):
    """How far a use case has come since it went live."""

    key: str
    in_production_since: date | None
    milestones: list[MilestoneRead] = Field(
        description="With both days null nobody has counted what it asks for"
    )
    stated: list[StatedStandingRead] = Field(
        description="The milestones that the newest version of its case states"
    )
    counts: list[CountRead] = Field(description="As they were entered, corrected ones too")
    obstacles: list[ObstacleRead] = Field(description="As they were said; the last one counts")


@router.get(
    "/reach",
    summary="How far it has come since going live",
    tags=["Everybody"],
    responses=responses(401, 404, 422, 503),
)
async def its_reach(
    key: UseCaseKey,
    person: Caller,
    session: TheSession,
    given: TheContext,
    *,
    as_of: AsOf = "",
    zone: Zone = "",
) -> ReachRead:
    """Who used it day by day, which milestones it has reached, and what stands in the way."""
    row = await find(session, key, person.actor)
    found = await reach_of(session, row, moment_from("as_of", as_of, given.now(), zone).at)
    return ReachRead(
        key=key_of(row),
        in_production_since=found.live,
        milestones=[
            MilestoneRead(milestone=one.milestone, reached=one.reached, below=one.below)
            for one in found.milestones
        ],
        stated=[
            StatedStandingRead(
                **StatedMilestoneRead.of(one.milestone).model_dump(),
                came=one.came,
                reached=one.reached,
                below=one.below,
            )
            for one in found.stated
        ],
        counts=[CountRead.of(one) for one in found.counts],
        obstacles=[ObstacleRead.of(one) for one in found.obstacles],
    )


@router.post(
    "/reach",
    summary="Enter who uses it, or correct that",
    status_code=HTTPStatus.CREATED,
    responses=ERRORS,
)
async def count(
    key: UseCaseKey, body: CountBody, person: Caller, session: TheSession, given: TheContext
) -> CountRead:
    """For its owners and enablement, once it is in production; one count a day. A correction names
    what it replaces."""
    row = await find(session, key, person.actor)
    [kept] = await enter(
        session, row, person.actor, [body.to_count()], at=given.now(), replaces=body.replaces
    )
    return CountRead.of(kept)


@router.post(
    "/reach/series",
    summary="Enter a series of counts from CSV",
    status_code=HTTPStatus.CREATED,
    responses=ERRORS,
)
async def series(
    key: UseCaseKey, body: SeriesBody, person: Caller, session: TheSession, given: TheContext
) -> SeriesRead:
    """All of it or nothing: the first thing that is wrong is named with its line."""
    row = await find(session, key, person.actor)
    counts = read_counts(body.csv, body.source)
    kept = await enter(session, row, person.actor, counts, at=given.now())
    return SeriesRead(items=[CountRead.of(one) for one in kept])


@router.post(
    "/obstacles",
    summary="Say what stands in the way",
    status_code=HTTPStatus.CREATED,
    responses=ERRORS,
)
async def obstacle(
    key: UseCaseKey, body: ObstacleBody, person: Caller, session: TheSession, given: TheContext
) -> ObstacleRead:
    """For its owners and enablement. What was said before stays on record."""
    row = await find(session, key, person.actor)
    said = await say_obstacle(
        session,
        row,
        person.actor,
        since=body.since,
        kind=body.obstacle,
        holder=body.holder,
        note=body.note,
        at=given.now(),
    )
    return ObstacleRead.of(said)
