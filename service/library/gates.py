"""An adopted, published pattern is the evidence with which a gate passes without a human."""

import hashlib
from datetime import datetime

from service.database import Sessions, reading
from service.domain.commands import Command
from service.domain.pathway import APPROVED_PATTERN
from service.domain.people import Actor
from service.domain.refusals import Refusal
from service.errors import (
    DecisionFailed,
    DecisionPending,
    EngineUnreachable,
    NotFound,
    WorkflowMissing,
)
from service.intake.deciding import Wanted, decide
from service.intake.engine import Engine
from service.intake.use_cases import find, key_of, standing_of
from service.library.assets import Asset, Kind, Version, attester, gates_of, reference_to
from service.people.directory import find_person


async def attach_pattern(
    sessions: Sessions,
    engine: Engine,
    key: str,
    by: Actor,
    taken: tuple[Asset, Version],
    *,
    at: datetime,
) -> bool:
    """Attach an adopted version as `approved-pattern` where the use case has such a gate before it;
    whether that was done. The workflow then passes the gate by its own rules.

    It is attached in the name of whoever vouches for it (`attester`). The adoption is written,
    whatever comes of this: while the use case is parked or the engine is away nothing is attached,
    and enablement attaches it by hand afterwards.
    """
    asset, version = taken
    if asset.kind is not Kind.PATTERN or version.published_by is None:
        return False
    async with reading(sessions) as session:
        row = await find(session, key, by)
        publisher = await find_person(session, version.published_by)
    standing = standing_of(row)
    vouches = attester(standing, by, publisher.actor)
    if vouches is None or not publisher.active or not gates_of(asset.kind, version, standing):
        return False
    wanted = Wanted(
        command=Command.ATTACH,
        actor=vouches,
        evidence_kind=APPROVED_PATTERN,
        evidence_reference=reference_to(asset, version),
    )
    once = hashlib.sha256(f"pattern {row.id} {asset.id} {version.number}".encode()).hexdigest()[:32]
    try:
        await decide(
            sessions, engine, key_of(row), wanted, decision_id=once, request_digest=once, at=at
        )
    except (
        Refusal,
        EngineUnreachable,
        WorkflowMissing,
        DecisionPending,
        DecisionFailed,
        NotFound,
    ):
        return False
    return True
