"""Is it up, which version, who am I: what everybody may ask."""

from importlib.metadata import version

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.kit.bodies import shows
from api.kit.context import Caller, TheContext, TheSession
from api.kit.problems import responses, unavailable
from api.people import PersonRead
from service.certification.certificates import kinds_held
from service.certification.holding import day_of

router = APIRouter(tags=["Everybody"])


@shows({"status": "ok", "database": "ok"})
class HealthRead(BaseModel):
    """Whether requests can be served."""

    status: str = Field(examples=["ok"])
    database: str = Field(examples=["ok"])


@shows({"name": "headway", "version": "0.1.0"})
class VersionRead(BaseModel):
    """What is running."""

    name: str = Field(examples=["headway"])
    version: str = Field(examples=["0.1.0"])


@router.get(
    "/health",
    summary="Whether requests can be served",
    response_model=HealthRead,
    responses=responses(503),
)
async def health(request: Request, given: TheContext) -> HealthRead | JSONResponse:
    """Needs no token. 503 when the database is away; Temporal may be, for handing in."""
    try:
        async with given.sessions() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        return unavailable(request, "the database cannot be reached", slug="database-unreachable")
    return HealthRead(status="ok", database="ok")


@router.get("/version", summary="What is running")
async def running_version() -> VersionRead:
    """Needs no token."""
    return VersionRead(name="headway", version=version("headway"))


@router.get("/v1/me", summary="Who I am here", responses=responses(401, 503))
async def me(person: Caller, session: TheSession, given: TheContext) -> PersonRead:
    """The person whose token this is, with roles and the certificates that are valid today."""
    held = await kinds_held(session, [person.id], day_of(given.now()))
    return PersonRead.of(person, held[person.id])
