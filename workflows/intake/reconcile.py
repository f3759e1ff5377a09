"""Comparing the engine with the database, and repairing what differs.

The database is never ahead of the workflow, unless one of the two was restored from a backup. Every
gap is confirmed by a second look, because a decision may be on its way while we look at it.

What has ended stays ended, whichever of the two knows it: an end that only the engine knows is
written, a workflow that runs on behind an end in the database is ended and not started again.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from service.database import Sessions
from service.domain.decision import Beginning
from service.errors import EngineUnreachable, TransitionsDisagree
from service.intake.outbox import beginning, taken_over
from service.intake.use_cases import ended_with_gaps, open_ids, sequences_of
from service.reactions import record
from workflows.intake.dispatcher import TemporalEngine
from workflows.intake.messages import workflow_id
from workflows.names import Name

T = TypeVar("T")

LOOK_AGAIN_AFTER = 1.5
ANSWER_WITHIN = timedelta(seconds=10)
AT_ONCE = 20
ALIVE = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED)
"""A workflow that has not been ended from outside, and did not fail."""
PAGE = 500


class Gap(StrEnum):
    """In what way engine and database differ about one use case."""

    NO_WORKFLOW = "no workflow"
    """Open in the database, and nothing runs for it: it cannot be decided on."""
    DATABASE_BEHIND = "database behind"
    """The workflow knows transitions that the database does not: later ones, or some in between."""
    ENGINE_BEHIND = "engine behind"
    """The database knows transitions that the workflow does not: the engine was restored."""
    DISAGREE = "disagree"
    """The same sequence with other content. A person has to look."""
    MISSING = "missing"
    """Some transitions in between are neither in the database nor in the engine. A person has to
    look."""
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
    """Looks at every open use case, every running workflow, and every use case whose transitions
    have gaps."""

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
        others = sorted(await self._running_but_not_open() | await self._closed_with_gaps())
        report.checked += len(others)
        report.findings += await self._look_at(others)
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
        status = await self._status(use_case_id)
        if there is None:
            if status is not WorkflowExecutionStatus.RUNNING:
                return None  # it has ended since we saw it run
            return Finding(use_case_id, Gap.NO_USE_CASE, "its workflow runs on")
        known = None
        if status is not None:
            try:
                known = await self._known(use_case_id)
            except RPCError:
                return Finding(use_case_id, Gap.NO_ANSWER, "is a worker running?")
            except WorkflowQueryFailedError:
                if status in ALIVE:
                    return Finding(use_case_id, Gap.NO_ANSWER, "its workflow cannot say")
        if known is not None:
            return _compare(use_case_id, there, known, status)
        if not there.standing.ended:
            how = "there is none" if status is None else f"it was {status.name.lower()}"
            return Finding(use_case_id, Gap.NO_WORKFLOW, how)
        return _missing(use_case_id, there)

    async def _in_database(self, use_case_id: str) -> Beginning | None:
        async with self.sessions() as session:
            if not await sequences_of(session, [use_case_id]):
                return None
            return await beginning(session, use_case_id)

    async def _status(self, use_case_id: str) -> WorkflowExecutionStatus | None:
        """The workflow's; None when there is none."""
        handle = self.client.get_workflow_handle(workflow_id(use_case_id))
        try:
            return (await handle.describe(rpc_timeout=ANSWER_WITHIN)).status
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise EngineUnreachable("") from error

    async def _known(self, use_case_id: str) -> Beginning:
        """What the workflow knows, also when it has been ended: that may be what the database
        lacks. RPCError when nobody answers for it."""
        known: Beginning = await self.client.get_workflow_handle(workflow_id(use_case_id)).query(
            Name.KNOWN.value, result_type=Beginning, rpc_timeout=ANSWER_WITHIN
        )
        return known

    async def _repaired(self, finding: Finding) -> Finding:
        match finding.gap:
            case Gap.NO_WORKFLOW:
                await self._start_again(finding.use_case)
            case Gap.ENGINE_BEHIND:
                await self._end_workflow(finding.use_case)
                await self._start_again(finding.use_case)
            case Gap.DATABASE_BEHIND:
                return await self._filled(finding)
            case _:
                return finding
        return replace(finding, repaired=True)

    async def _filled(self, finding: Finding) -> Finding:
        """The database has what only the workflow knew; and then the other way round."""
        try:
            known = await self._known(finding.use_case)
            async with self.sessions.begin() as session:
                await record(session, known.standing, known.log, known.seen)
        except (RPCError, WorkflowQueryFailedError):
            return finding
        except TransitionsDisagree as error:
            return replace(finding, gap=Gap.DISAGREE, detail=str(error))
        rest = await self._examine(finding.use_case)
        if rest is not None:
            await asyncio.sleep(LOOK_AGAIN_AFTER)
            rest = await self._examine(finding.use_case)
        if rest is None or rest.gap is Gap.DATABASE_BEHIND:
            return replace(finding, repaired=rest is None)
        done = await self._repaired(rest)
        return replace(done, gap=finding.gap, detail=f"{finding.detail}; {rest.gap}: {rest.detail}")

    async def _end_workflow(self, use_case_id: str) -> None:
        try:
            await self.client.get_workflow_handle(workflow_id(use_case_id)).terminate(
                "the database knows more"
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended by itself
                raise EngineUnreachable("") from error

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
                ids = await open_ids(session, after=after, most=PAGE)
            if not ids:
                return
            yield ids
            after = ids[-1]

    async def _running_but_not_open(self) -> set[str]:
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
            return running - set(await open_ids(session))

    async def _closed_with_gaps(self) -> set[str]:
        """Use cases that have ended and whose recorded transitions do not run from 1 to the end."""
        async with self.sessions() as session:
            return set(await ended_with_gaps(session))


def _compare(
    use_case_id: str,
    there: Beginning,
    known: Beginning,
    status: WorkflowExecutionStatus | None,
) -> Finding | None:
    ours = {step.sequence: step for step in there.log}
    theirs = {step.sequence: step for step in known.log}
    mine, its = there.standing.sequence, known.standing.sequence
    for sequence in sorted(ours.keys() & theirs.keys()):
        if ours[sequence] != theirs[sequence]:
            return Finding(use_case_id, Gap.DISAGREE, f"about transition {sequence}")
    if there.standing.ended and mine < its:
        how = f"it has ended at {mine}, and the workflow is at {its}"
        return Finding(use_case_id, Gap.DISAGREE, how)
    lacking = theirs.keys() - ours.keys()
    if lacking and (nowhere := set(range(1, its + 1)) - theirs.keys()):
        return Finding(use_case_id, Gap.MISSING, f"{_spoken(nowhere)}, and no engine knows them")
    if lacking:
        between = f"{_spoken(lacking)} missing, " if min(lacking) < mine else ""
        how = f"{between}at {mine}, the workflow at {its}"
        return Finding(use_case_id, Gap.DATABASE_BEHIND, how)
    if mine < its:
        return Finding(use_case_id, Gap.DATABASE_BEHIND, f"at {mine}, the workflow at {its}")
    runs = status is WorkflowExecutionStatus.RUNNING
    if mine > its and (runs or not there.standing.ended):
        ended = ", where it has ended" if there.standing.ended else ""
        how = f"at {its}, the database at {mine}{ended}"
        return Finding(use_case_id, Gap.ENGINE_BEHIND, how)
    if not runs and not there.standing.ended:
        if known.standing.ended:
            return Finding(use_case_id, Gap.DISAGREE, f"about its end at {its}")
        how = status.name.lower() if status else "none"
        return Finding(use_case_id, Gap.NO_WORKFLOW, f"it was {how}")
    return _missing(use_case_id, there)


def _missing(use_case_id: str, there: Beginning) -> Finding | None:
    """What neither of the two knows."""
    whole = set(range(1, there.standing.sequence + 1))
    if lacking := whole - {step.sequence for step in there.log}:
        return Finding(use_case_id, Gap.MISSING, f"{_spoken(lacking)}, and no engine knows them")
    return None


def _spoken(sequences: Iterable[int]) -> str:
    """Sequences in words: 3 to 5, 8."""
    runs: list[list[int]] = []
    for sequence in sorted(sequences):
        if runs and sequence == runs[-1][-1] + 1:
            runs[-1].append(sequence)
        else:
            runs.append([sequence])
    return ", ".join(
        str(first) if first == last else f"{first} to {last}"
        for first, last in ((run[0], run[-1]) for run in runs)
    )


async def _a_few(work: list[Coroutine[Any, Any, T]]) -> list[T]:
    """Run them all, not too many at a time; the results in order."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(job: Coroutine[Any, Any, T]) -> T:
        async with turn:
            return await job

    return list(await asyncio.gather(*(one(job) for job in work)))
