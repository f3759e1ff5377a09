"""Lives of a use case, as they are recorded and replayed. Each ends or leaves the case open."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateStage

from service.domain.commands import Command
from service.domain.decision import Applied, Beginning
from service.domain.refusals import Refusal
from service.domain.tiering import Tier
from service.intake.outbox import beginning
from service.intake.pathways import pathways
from tests.kit.cases import Case, until, with_targets
from workflows.intake.messages import workflow_id
from workflows.intake.workflow import UseCaseWorkflow
from workflows.names import Name


@dataclass(frozen=True)
class Story:
    """What happens, in which tier, on a pathway that may be changed beforehand."""

    tells: Callable[[Case], Awaitable[None]]
    tier: Tier = Tier.MEDIUM
    changed: Callable[[Beginning], Beginning] = lambda beginning: beginning


async def _light(case: Case) -> None:
    await case.does(case.people.owner, Command.GO_LIVE)


async def _standard(case: Case) -> None:
    who = case.people
    await case.does(who.ada, Command.CLAIM)
    await case.does(who.ada, Command.APPROVE)
    await case.does(who.ada, Command.HAND_OVER)
    await case.does(who.owner, Command.HAND_OVER)
    await _evaluated(case)
    await case.does(who.bob, Command.APPROVE)
    await case.does(who.bob, Command.APPROVE)
    await case.does(who.owner, Command.GO_LIVE)


async def _regulated(case: Case) -> None:
    who = case.people
    await case.does(who.ada, Command.APPROVE, reason="It is what it says.")
    await case.does(who.bob, Command.HAND_OVER)
    await case.does(who.risk, Command.CLAIM)
    await case.does(who.risk, Command.APPROVE, reason="The risk is known.")
    await case.does(who.owner, Command.HAND_OVER)
    await _evaluated(case)
    await case.does(
        who.owner, Command.ATTACH, evidence_kind="model-card", evidence_reference="wiki/card"
    )
    await case.does(who.bob, Command.APPROVE, reason="The report holds.")
    await case.does(who.ada, Command.APPROVE, reason="Ready.")
    await case.does(who.bob, Command.APPROVE, reason="Ready.")
    await case.does(who.owner, Command.GO_LIVE)


async def _sent_back(case: Case) -> None:
    who = case.people
    await case.does(who.ada, Command.APPROVE)
    await case.does(who.ada, Command.HAND_OVER)
    await case.does(who.owner, Command.HAND_OVER)
    await _evaluated(case)
    await case.does(who.ada, Command.SEND_BACK, reason="It invents suppliers.")
    await case.does(who.owner, Command.HAND_OVER)
    await case.does(
        who.bob, Command.ATTACH, evidence_kind="harness-pass", evidence_reference="ci/7"
    )
    await _evaluated(case, by_enablement=True)  # the gate passes by itself
    await case.does(who.ada, Command.APPROVE)
    await case.does(who.owner, Command.GO_LIVE)


async def _withdrawn(case: Case) -> None:
    await case.does(case.people.ada, Command.CLAIM)
    await case.does(case.people.ada, Command.RELEASE)
    await case.does(case.people.owner, Command.WITHDRAW, reason="Bought instead.")


async def _tier_changed(case: Case) -> None:
    who = case.people
    await case.does(who.ada, Command.APPROVE)
    await case.does(
        who.ada,
        Command.CHANGE_TIER,
        pathway=pathways()[Tier.HIGH],
        reason="A regulation asks for evidence.",
    )
    await case.does(who.ada, Command.HAND_OVER)
    await case.does(who.risk, Command.APPROVE, reason="The risk is known.")
    await case.does(
        who.ada,
        Command.CHANGE_TIER,
        pathway=pathways()[Tier.MEDIUM],
        reason="It does not, legal says.",
    )
    await case.does(who.owner, Command.HAND_OVER)


async def _declined(case: Case) -> None:
    await case.does(case.people.bob, Command.ASSIGN, assignee=case.people.ada.actor)
    await case.does(case.people.ada, Command.DECLINE, reason="A rule would do.")


async def _nested(case: Case) -> None:
    who = case.people
    await case.does(who.ada, Command.CLAIM)
    await case.does(who.ada, Command.REFER, party="risk", reason="Is this personal data?")
    await case.does(who.risk, Command.CLAIM)
    await case.does(who.risk, Command.ASK, reason="Whose addresses are these?")
    await case.does(who.owner, Command.PARK, reason="Holidays.")
    await case.does(who.owner, Command.RESUME)
    await case.does(who.owner, Command.ANSWER, reason="Those of companies.")
    await case.does(who.risk, Command.RETURN, reason="Then it is not.")
    await case.does(who.ada, Command.REFER, party="legal", reason="And the contract?")
    await case.does(who.ada, Command.RECALL, reason="Found it.")
    await case.does(who.ada, Command.APPROVE)


async def _taken_back(case: Case) -> None:
    """Declined, taken back while the workflow lingers, approved, and that taken back as well."""
    who = case.people
    await case.does(who.ada, Command.CLAIM)
    await case.does(who.ada, Command.DECLINE, reason="A rule would do.")
    await case.does(who.ada, Command.TAKE_BACK)
    await case.does(who.ada, Command.APPROVE, reason="It would not.")
    await case.does(who.ada, Command.TAKE_BACK)
    await case.does(who.ada, Command.RELEASE)
    await case.does(who.bob, Command.CLAIM)
    await case.does(who.bob, Command.RELEASE)
    await case.does(who.bob, Command.DECLINE, reason="A rule would do, it turns out.")
    await case.handle.result()  # ten seconds later


def _with_short_targets(beginning: Beginning) -> Beginning:
    return with_targets(beginning, target=timedelta(seconds=1))


async def _reminded(case: Case) -> None:
    async def escalated() -> bool:
        return (await case.commands())[-1] == "escalate"

    await until(escalated)
    await case.does(case.people.ada, Command.APPROVE)
    await case.does(case.people.ada, Command.ASK, reason="Which data does it read?")
    await case.does(case.people.owner, Command.ANSWER, reason="Purchase orders.")
    await until(escalated)
    await case.does(case.people.owner, Command.WITHDRAW, reason="Bought instead.")


async def _overtaken(case: Case) -> None:
    """Two claims are accepted, and only one of them can be made."""
    first = case.decision(case.people.ada, Command.CLAIM)
    second = case.decision(case.people.bob, Command.CLAIM)

    async def recording() -> bool:
        return await case.events(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) == 1

    async with case.held():
        claim = asyncio.create_task(case.send(first))
        await until(recording)
        await case.handle.start_update(
            Name.DECIDE.value,
            second,
            id=second.decision_id,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            result_type=Applied,
        )
    await claim
    try:
        await case.send(second)
    except Refusal:
        return
    raise AssertionError("two people claimed it")


async def _taken_over(case: Case) -> None:
    """A workflow that begins in the middle, as after `headway reconcile` or a renewal."""
    claim = case.decision(case.people.ada, Command.CLAIM)
    claimed = await case.send(claim)
    await case.handle.terminate()
    async with case.sessions() as session:
        snapshot = await beginning(session, case.id)
    await case.client.start_workflow(
        UseCaseWorkflow.run, snapshot, id=workflow_id(case.id), task_queue=case.queue
    )
    assert await case.send(claim) == claimed
    await case.does(case.people.ada, Command.APPROVE)


async def _evaluated(case: Case, *, by_enablement: bool = False) -> None:
    await case.does(
        case.people.bob if by_enablement else case.people.owner,
        Command.ATTACH,
        evidence_kind="evaluation-report",
        evidence_reference="wiki/evaluation",
    )


STORIES: dict[str, Story] = {
    "light": Story(_light, Tier.LOW),
    "standard": Story(_standard),
    "regulated": Story(_regulated, Tier.HIGH),
    "sent-back": Story(_sent_back),
    "withdrawn": Story(_withdrawn),
    "tier-changed": Story(_tier_changed),
    "declined": Story(_declined),
    "nested": Story(_nested),
    "taken-back": Story(_taken_back),
    "reminded": Story(_reminded, changed=_with_short_targets),
    "overtaken": Story(_overtaken),
    "taken-over": Story(_taken_over),
}
