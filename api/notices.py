"""Notices: what waits for me, and what became of mine."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictInt

from api.kit.bodies import Input, shows
from api.kit.context import Caller, TheContext, TheSession
from api.kit.fields import PLAIN
from api.kit.problems import responses
from service.domain.standing import Position
from service.notices.kinds import MOVES, Kind
from service.notices.store import MOST_LISTED, Notice, notices_of, see

router = APIRouter(prefix="/v1/notices")

_NOTICE: dict[str, Any] = {
    "id": 1204,
    "kind": "asked",
    "is_a_move": True,
    "at": "2026-11-02T09:00:00Z",
    "seen": False,
    "use_case": "UC-42",
    "title": "Read supplier invoices",
    "stage": "risk-review",
    "position": "asked",
    "holder": "builder",
}


@shows(_NOTICE)
class NoticeRead(BaseModel):
    """A notice that stands, and where its use case is now."""

    id: int
    kind: Kind
    is_a_move: bool = Field(
        description="It stands until the move is made, whether seen or not; all others until seen"
    )
    at: datetime
    seen: bool
    use_case: str
    title: str
    stage: str
    position: Position
    holder: str | None

    @classmethod
    def of(cls, one: Notice) -> "NoticeRead":
        """As the service gives it."""
        return cls(
            id=one.id,
            kind=one.kind,
            is_a_move=one.kind in MOVES,
            at=one.at,
            seen=one.seen,
            use_case=one.key,
            title=one.title,
            stage=one.stage,
            position=one.position,
            holder=one.holder,
        )


@shows({"unseen": 1, "items": [_NOTICE]})
class NoticesRead(BaseModel):
    """What stands for me: the newest of each use case, the newest first."""

    unseen: int = Field(description="How many of them I have not seen")
    items: list[NoticeRead] = Field(description=f"At most {MOST_LISTED}")


@shows({"up_to": 1204})
class SeenBody(Input):
    """What I have seen."""

    up_to: Annotated[StrictInt, Field(ge=1, le=2**63 - 1)] = Field(
        description="The id of the newest notice that I have seen"
    )
    use_case: Annotated[str, Field(max_length=64, pattern=PLAIN)] | None = Field(
        default=None, description="Only those of this use case; of all, if left out"
    )


@router.get("", summary="What I should know now", tags=["Everybody"], responses=responses(401, 503))
async def mine(person: Caller, session: TheSession) -> NoticesRead:
    """Mine alone. A notice about a move passes by itself when the move is made, by whomever."""
    found = [NoticeRead.of(one) for one in await notices_of(session, person.actor)]
    return NoticesRead(unseen=sum(not one.seen for one in found), items=found)


@router.post(
    "/seen",
    summary="Say what I have seen",
    tags=["Everybody"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(401, 413, 422, 503),
)
async def seen(body: SeenBody, person: Caller, session: TheSession, given: TheContext) -> None:
    """Mine alone; what was seen already stays as it was."""
    await see(session, person.actor, up_to=body.up_to, key=body.use_case or "", at=given.now())
