"""A plan of how the value will be measured is the evidence that a launch asks for."""

import hashlib
from datetime import datetime

from service.database import Sessions, reading
from service.domain.commands import Command
from service.domain.pathway import MEASUREMENT_PLAN
from service.domain.people import Actor
from service.domain.refusals import Refusal
from service.domain.standing import Standing
from service.errors import DecisionFailed, DecisionPending, EngineUnreachable, WorkflowMissing
from service.intake.deciding import Wanted, decide
from service.intake.engine import Engine
from service.intake.use_cases import find, key_of, standing_of
from service.value.investment_cases import Version


async def attach_plan(
    sessions: Sessions, engine: Engine, key: str, by: Actor, version: Version, *, at: datetime
) -> None:
    """Attach the measurement plan of a version of the investment case, where the pathway asks for
    one and has none, in the name of whoever wrote it.

    The version is written, whatever comes of this: while the use case is parked or the engine is
    away nothing is attached, and its owners or enablement attach it by hand afterwards.
    """
    if version.terms.plan is None:
        return
    async with reading(sessions) as session:
        row = await find(session, key, by)
    if not _asks_for_plan(standing_of(row)):
        return
    wanted = Wanted(
        command=Command.ATTACH,
        actor=by,
        evidence_kind=MEASUREMENT_PLAN,
        evidence_reference=f"investment case, version {version.number}",
    )
    once = hashlib.sha256(f"plan {row.id} {version.number}".encode()).hexdigest()[:32]
    try:
        await decide(
            sessions, engine, key_of(row), wanted, decision_id=once, request_digest=once, at=at
        )
    except (Refusal, EngineUnreachable, WorkflowMissing, DecisionPending, DecisionFailed):
        return


def _asks_for_plan(standing: Standing) -> bool:
    if standing.ended or any(item.kind == MEASUREMENT_PLAN for item in standing.evidence):
        return False
    ahead = (standing.stage, *standing.stages_ahead)
    return any(MEASUREMENT_PLAN in stage.evidence for stage in ahead)
