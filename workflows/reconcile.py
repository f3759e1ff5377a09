"""Comparing the engine with the database, and repairing what differs.

The database is never ahead of the workflow, unless one of the two was restored from a backup. Every
gap is confirmed by a second look, because a decision may be on its way while we look at it.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import select
from sqlmodel import col
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from service.decisions import beginning, record, taken_over
from service.domain.case import Outcome
from service.domain.decision import Beginning
from service.errors import EngineUnreachable
from service.sessions import Sessions
from service.tables import UseCaseRow
from workflows.dispatcher import TemporalEngine
from workflows.messages import Name, workflow_id

T = TypeVar("T")

LOOK_AGAIN_AFTER = 1.5
ANSWER_WITHIN = timedelta(seconds=10)
AT_ONCE = 20
PAGE = 500


class Gap(StrEnum):
    """In what way engine and database differ about one use case."""

    NO_WORKFLOW = "no workflow"
    """Open in the database, and nothing runs for it: it cannot be decided on."""
    DATABASE_BEHIND = "database behind"
    """The workflow knows transitions that the database does not."""
    ENGINE_BEHIND = "engine behind"
    """The database knows transitions that the workflow does not: the engine was restored."""
    DISAGREE = "disagree"
    """The same sequence with other content. A person has to look."""
    NO_USE_CASE = "no use case"
    """A workflow runs for a use case that the database does not know: the database was restored."""
    NO_ANSWER = "no answer"
    """The workflow could not be asked: no worker, or a stalled workflow."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference, and whether it has been repaired."""

    use_case: str
    gap: Gap
    detail: str
    repaired: bool = False


@dataclass(slots=True)
class Report:
    """What a reconciliation has looked at and found."""

    checked: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def left(self) -> list[Finding]:
        """The differences that are still there."""
        return [finding for finding in self.findings if not finding.repaired]


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Looks at every open use case and every running workflow."""

    sessions: Sessions
    client: Client
    engine: TemporalEngine
    repair: bool = True

    async def run(self) -> Report:
        """Compare, repair (if asked to), and report."""
        report = Report()
        async for ids in self._open_use_cases():
            report.checked += len(ids)
            report.findings += await self._look_at(ids)
        running = await self._running_but_not_open()
        report.checked += len(running)
        report.findings += await self._look_at(running)
        return report

    async def _look_at(self, ids: list[str]) -> list[Finding]:
        first = await _a_few([self._examine(use_case_id) for use_case_id in ids])
        suspects = [finding.use_case for finding in first if finding is not None]
        if not suspects:
            return []
        await asyncio.sleep(LOOK_AGAIN_AFTER)
        again = await _a_few([self._examine(use_case_id) for use_case_id in suspects])
        confirmed = [finding for finding in again if finding is not None]
        if not self.repair:
            return confirmed
        return await _a_few([self._repaired(finding) for finding in confirmed])

    async def _examine(self, use_case_id: str) -> Finding | None:
        """How engine and database differ about this use case right now; None when they do not."""
        there = await self._in_database(use_case_id)
        if there is None:
            return Finding(use_case_id, Gap.NO_USE_CASE, "its workflow runs on")
        status, known = await self._in_engine(use_case_id)
        if status is not WorkflowExecutionStatus.RUNNING and known is None:
            if there.standing.ended:
                return None
            how = "there is none" if status is None else f"it was {status.name.lower()}"
            return Finding(use_case_id, Gap.NO_WORKFLOW, how)
        if known is None:
            return Finding(use_case_id, Gap.NO_ANSWER, "is a worker running?")
        return _compare(use_case_id, there, known)

    async def _in_database(self, use_case_id: str) -> Beginning | None:
        async with self.sessions() as session:
            if await session.get(UseCaseRow, use_case_id) is None:
                return None
            return await beginning(session, use_case_id)

    async def _in_engine(
        self, use_case_id: str
    ) -> tuple[WorkflowExecutionStatus | None, Beginning | None]:
        """The workflow's status, and what it knows (None when it cannot say)."""
        handle = self.client.get_workflow_handle(workflow_id(use_case_id))
        try:
            status = (await handle.describe(rpc_timeout=ANSWER_WITHIN)).status
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None, None
            raise EngineUnreachable("") from error
        if status not in {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED}:
            return status, None
        try:
            known: Beginning = await handle.query(
                Name.KNOWN.value, result_type=Beginning, rpc_timeout=ANSWER_WITHIN
            )
        except (RPCError, WorkflowQueryFailedError):
            return WorkflowExecutionStatus.RUNNING, None
        return status, known

    async def _repaired(self, finding: Finding) -> Finding:
        match finding.gap:
            case Gap.NO_WORKFLOW:
                await self._start_again(finding.use_case)
            case Gap.ENGINE_BEHIND:
                await self.client.get_workflow_handle(workflow_id(finding.use_case)).terminate(
                    "the database knows more: started again from there"
                )
                await self._start_again(finding.use_case)
            case Gap.DATABASE_BEHIND:
                _, known = await self._in_engine(finding.use_case)
                if known is None:
                    return finding
                async with self.sessions.begin() as session:
                    await record(session, known.standing, known.log, known.seen)
            case _:
                return finding
        return replace(finding, repaired=True)

    async def _start_again(self, use_case_id: str) -> None:
        async with self.sessions.begin() as session:
            there = await beginning(session, use_case_id)
            if not there.standing.ended:
                await self.engine.begin(there, again=True)
            await taken_over(session, use_case_id)

    async def _open_use_cases(self) -> AsyncIterator[list[str]]:
        after = ""
        while True:
            async with self.sessions() as session:
                found = await session.scalars(
                    select(col(UseCaseRow.id))
                    .where(col(UseCaseRow.outcome) == Outcome.OPEN, col(UseCaseRow.id) > after)
                    .order_by(col(UseCaseRow.id))
                    .limit(PAGE)
                )
                ids = list(found)
            if not ids:
                return
            yield ids
            after = ids[-1]

    async def _running_but_not_open(self) -> list[str]:
        """Use cases with a running workflow that are not open in the database.

        Visibility is only eventually consistent: each is looked at closely afterwards.
        """
        query = f"WorkflowType = '{Name.WORKFLOW.value}' AND ExecutionStatus = 'Running'"
        prefix = workflow_id("")
        running = {
            found.id.removeprefix(prefix)
            async for found in self.client.list_workflows(query)
            if found.id.startswith(prefix)
        }
        async with self.sessions() as session:
            known = await session.scalars(
                select(col(UseCaseRow.id)).where(col(UseCaseRow.outcome) == Outcome.OPEN)
            )
            return sorted(running - set(known))


def _compare(use_case_id: str, there: Beginning, known: Beginning) -> Finding | None:
    mine, its = there.standing.sequence, known.standing.sequence
    for ours, theirs in zip(there.log, known.log, strict=False):
        if ours != theirs:
            return Finding(use_case_id, Gap.DISAGREE, f"about transition {ours.sequence}")
    if len(there.log) < len(known.log) or mine < its:
        return Finding(use_case_id, Gap.DATABASE_BEHIND, f"at {mine}, the workflow at {its}")
    if mine > its:
        return Finding(use_case_id, Gap.ENGINE_BEHIND, f"at {its}, the database at {mine}")
    return None


async def _a_few(work: list[Coroutine[Any, Any, T]]) -> list[T]:
    """Run them all, not too many at a time; the results in order."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(job: Coroutine[Any, Any, T]) -> T:
        async with turn:
            return await job

    return list(await asyncio.gather(*(one(job) for job in work)))
