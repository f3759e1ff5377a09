"""The workflow: one for each use case, from submission to its end."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from service.domain.clock import Transition
    from service.domain.decision import Applied, Beginning, Decision, Seen, caused_by
    from service.domain.lifecycle import Move, next_notice, play
    from service.domain.people import THE_SYSTEM
    from service.domain.refusals import Refusal
    from service.domain.standing import Standing
    from workflows.failures import refused
    from workflows.intake.messages import Record
    from workflows.names import Name

RECORD_ONE_TRY = timedelta(seconds=10)
RECORD_RETRIES = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=10),
)
"""For ever: a transition that was taken is written as soon as the database is back. The activity
itself says what is not worth another try."""
AFTER_A_FAILED_NOTICE = timedelta(hours=1)
"""Until somebody has repaired what made the database refuse it."""


@workflow.defn(name=Name.WORKFLOW.value)
class UseCaseWorkflow:
    """Takes decisions one after the other, gives each its time and place in the sequence, has it
    recorded, and watches the targets. It knows nothing that is not in its input or its messages.
    """

    @workflow.init
    def __init__(self, beginning: Beginning) -> None:
        self._standing = beginning.standing
        self._log = beginning.log
        self._seen = {mark.decision_id: mark for mark in beginning.seen}
        self._no_notice_before = beginning.standing.at
        self._one_at_a_time = asyncio.Lock()

    @workflow.run
    async def run(self, beginning: Beginning) -> None:
        """Until the use case has ended; the history is renewed on the way when it grows long."""
        try:
            while not self._standing.ended or await self._is_taken_back():
                await self._watch()
        except asyncio.CancelledError:
            # By an operator, never by Headway. What was accepted is recorded all the same.
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _is_taken_back(self) -> bool:
        """Whether the decision that ended it is taken back. Without one that can be, an end is one
        at once; old decisions cannot, so old histories know no such timer."""
        undo = self._standing.undo
        if undo is not None:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not self._standing.ended,
                    timeout=max(undo.until - workflow.now(), timedelta(0)),
                    timeout_summary="the time to take it back",
                )
        # What came in the last moment may still be on its way into the database.
        await workflow.wait_condition(workflow.all_handlers_finished)
        return not self._standing.ended

    async def _watch(self) -> None:
        wake_at = self._notice_at()
        pause = max(wake_at - workflow.now(), timedelta(0)) if wake_at else None
        try:
            await workflow.wait_condition(
                partial(self._must_look, wake_at),
                timeout=pause,
                timeout_summary="the next reminder or escalation",
            )
        except TimeoutError:
            await self._give_notice()
        if self._can_be_renewed():
            workflow.continue_as_new(
                Beginning(self._standing, self._log, tuple(self._seen.values()))
            )

    def _must_look(self, wake_at: datetime | None) -> bool:
        # A notice that moved to later needs no new timer: the old one fires and finds nothing due.
        if self._standing.ended or self._can_be_renewed():
            return True
        notice_at = self._notice_at()
        return notice_at is not None and (wake_at is None or notice_at < wake_at)

    def _can_be_renewed(self) -> bool:
        return (
            workflow.info().is_continue_as_new_suggested()
            and workflow.all_handlers_finished()
            and not self._standing.ended
        )

    def _notice_at(self) -> datetime | None:
        notice = next_notice(self._standing)
        return max(notice[1], self._no_notice_before) if notice else None

    async def _give_notice(self) -> None:
        async with self._one_at_a_time:
            notice, notice_at = next_notice(self._standing), self._notice_at()
            if notice is None or notice_at is None or notice_at > workflow.now():
                return
            try:
                await self._make(Move(notice[0], THE_SYSTEM))
            except (ActivityError, Refusal):
                workflow.logger.exception("a notice could not be recorded: run headway reconcile")
                self._no_notice_before = workflow.now() + AFTER_A_FAILED_NOTICE

    @workflow.update(name=Name.DECIDE.value)
    async def decide(self, decision: Decision) -> Applied:
        """Make a move. A refusal comes back before anything is written."""
        async with self._one_at_a_time:
            earlier = self._seen.get(decision.decision_id)
            if earlier is not None:
                return Applied(earlier.request_digest, caused_by(earlier.sequence, self._log))
            try:
                happened = await self._make(decision.move, decision)
            except Refusal as refusal:
                # Another decision came between the validator and the lock.
                raise refused(refusal) from None
            return Applied(decision.request_digest, happened)

    @decide.validator
    def _check_decision(self, decision: Decision) -> None:
        # While another decision is being recorded the standing is about to change, and the database
        # may show the new one already: the handler judges when its turn has come.
        if self._one_at_a_time.locked():
            return
        # Played, not only checked: what cannot be played must never be accepted.
        if decision.decision_id not in self._seen:
            try:
                play(self._standing, decision.move, workflow.now())
            except Refusal as refusal:
                raise refused(refusal) from None

    @workflow.query(name=Name.STANDING.value)
    def standing(self) -> Standing:
        """Where the use case stands."""
        return self._standing

    @workflow.query(name=Name.KNOWN.value)
    def known(self) -> Beginning:
        """Everything that the workflow knows, as it would be taken over by another one."""
        return Beginning(self._standing, self._log, tuple(self._seen.values()))

    async def _make(self, move: Move, cause: Decision | None = None) -> tuple[Transition, ...]:
        played = play(self._standing, move, workflow.now())
        seen: tuple[Seen, ...] = ()
        if cause is not None:
            first = played.transitions[0].sequence
            seen = (Seen(cause.decision_id, cause.request_digest, first),)
        await _record(Record(played.standing, played.transitions, seen))
        self._standing = played.standing
        self._log = (*self._log, *played.transitions)
        self._seen |= {mark.decision_id: mark for mark in seen}
        return played.transitions


async def _record(record: Record) -> None:
    await workflow.execute_activity(
        Name.RECORD.value,
        record,
        start_to_close_timeout=RECORD_ONE_TRY,
        retry_policy=RECORD_RETRIES,
    )
