"""Whether the parties of a process have the members that it needs."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.people import BUILDER, ENABLEMENT
from service.people.directory import members
from service.process.checking import Finding
from service.process.document import Process


async def check_members_here(session: AsyncSession, process: Process) -> tuple[Finding, ...]:
    """`check_members` for the people who are active now."""
    holders = {stage.holder for pathway in process.pathways for stage in pathway.stages}
    parties = {ENABLEMENT, *holders} - {BUILDER}
    there = {party: len(await members(session, party)) for party in sorted(parties)}
    return check_members(process, there)


def check_members(process: Process, members: Mapping[str, int]) -> tuple[Finding, ...]:
    """What is wrong with it for the people who are there: `members` says how many active ones
    enablement and each third party have.

    Nobody decides on a use case of their own, so a gate needs one more than it has approvers: else
    a reviewer with a use case would be the one who decides on it.
    """
    found = []
    asked: dict[str, int] = {}
    for pathway in process.pathways:
        for stage in pathway.stages:
            if stage.holder != BUILDER:
                asked[stage.holder] = max(asked.get(stage.holder, 0), stage.approvers)
            if stage.passes_with and not members.get(ENABLEMENT, 0):
                where = f"pathways.{pathway.key}.stages.{stage.key}.passes_with"
                kinds = ", ".join(stage.passes_with)
                found.append(
                    Finding(0, where, f"nobody can attach {kinds}: enablement has no members")
                )
    for party, approvers in asked.items():
        there = members.get(party, 0)
        key = f"parties.{party}"
        if there == 0:
            found.append(Finding(0, key, f"{party} holds a stage and has no members"))
        elif there < approvers:
            found.append(
                Finding(0, key, f"{party} has {there} members, and a gate wants {approvers}")
            )
        elif there == approvers:
            found.append(
                Finding(
                    0,
                    key,
                    f"{party} has just as many members as its gates have approvers ({there}): on a "
                    "use case that one of them owns nobody else could decide",
                    stops=False,
                )
            )
    return tuple(found)
